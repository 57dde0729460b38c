"""The proxy lets the site and public addresses through, each at the address that was judged."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from typing import Any

import pytest

from tasks.address_guard import parse_url
from tasks.browser.proxy import Proxy
from tasks.browser.site import File, Site
from tests.browser.conftest import Canaries


@pytest.fixture(autouse=True)
def _nothing_private_is_allowed(settings: Any) -> None:
    settings.ALLOWED_PRIVATE_HOSTS = []


def through(proxy: Proxy, *requests: str, resolve: Callable[..., Any] | None = None) -> list[bytes]:
    """What the proxy answers to each request, sent on a connection of its own. `{at}` is the proxy's own address."""

    async def ask(text: str) -> bytes:
        host, _, port = proxy.origin.partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(text.replace("{at}", proxy.origin).replace("\n", "\r\n").encode())
        writer.write_eof()
        answer = await asyncio.wait_for(reader.read(), 10)
        writer.close()
        return answer

    async def run() -> list[bytes]:
        listener = socket.create_server(("127.0.0.1", 0))
        await proxy.start(listener)
        return list(await asyncio.gather(*(ask(text) for text in requests)))

    return asyncio.run(run())


def resolving(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    """Every name stands for these addresses, in turn. The list grows by each name that is asked for."""
    asked: list[str] = []
    answers = iter(addresses)
    real = socket.getaddrinfo

    def getaddrinfo(host: str, port: object, *rest: Any, **more: Any) -> list[Any]:
        if host == "127.0.0.1":
            return real(host, port, *rest, **more)  # type: ignore[arg-type]
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), 0))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


def test_the_site_is_answered_on_one_connection_again_and_again() -> None:
    site = Site("r", {"index.html": File("text/html", b"home"), "a.css": File("text/css", b"a{}")})
    (answer,) = through(Proxy(site=site), "GET http://{at}/r/ HTTP/1.1\n\nGET http://{at}/r/a.css HTTP/1.1\n\n")
    assert answer.count(b"HTTP/1.1 200 OK") == 2
    assert b"home" in answer
    assert answer.endswith(b"a{}")


@pytest.mark.parametrize(
    "request_line",
    [
        "GET http://10.0.0.1/",
        "GET http://169.254.169.254/latest/meta-data/",
        "CONNECT 10.0.0.1:443",
        "CONNECT [fd00::1]:443",
        "CONNECT [::1]:443",
        "CONNECT [::ffff:127.0.0.1]:443",
        "CONNECT 8.8.8.8:22",
        "CONNECT 8.8.8.8:6379",
        "GET http://127.1/",
        "GET http://2130706433/",
        "GET http://localhost/",
        "GET http://a@8.8.8.8/",
        "GET ftp://8.8.8.8/",
        "GET file:///etc/passwd",
    ],
)
def test_what_is_not_public_is_refused(request_line: str) -> None:
    proxy = Proxy()
    (answer,) = through(proxy, f"{request_line} HTTP/1.1\n\n")
    assert answer.startswith(b"HTTP/1.1 403 ")


def test_a_name_that_stands_for_a_private_address_is_refused(monkeypatch: pytest.MonkeyPatch, canaries: Canaries) -> None:
    port = next(at for at in canaries.tcp if at.startswith("127.0.0.1")).rpartition(":")[2]
    resolving(monkeypatch, "127.0.0.1")
    proxy = Proxy()
    (answer,) = through(proxy, f"CONNECT inside.example.org:{port} HTTP/1.1\n\n")
    assert answer.startswith(b"HTTP/1.1 403 ")
    assert proxy.refusal(f"https://inside.example.org:{port}/x")
    assert canaries.hits == []


def test_a_name_is_resolved_once_and_stays_at_that_address(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = resolving(monkeypatch, "93.184.215.14", "127.0.0.1")
    connected: list[str] = []

    async def refuse(host: str, port: int, *rest: Any, **more: Any) -> Awaitable[Any]:
        if host == "127.0.0.1":
            return await real(host, port, *rest, **more)
        connected.append(host)
        raise ConnectionRefusedError

    real = asyncio.open_connection
    monkeypatch.setattr(asyncio, "open_connection", refuse)
    proxy = Proxy()
    answers = through(proxy, *["CONNECT rebound.example.org:443 HTTP/1.1\n\n"] * 3)
    assert asked == ["rebound.example.org"]
    assert connected == ["93.184.215.14"] * 3
    assert all(answer.startswith(b"HTTP/1.1 502 ") for answer in answers)
    assert proxy.unreachable == {"rebound.example.org:443": "rebound.example.org:443 does not answer"}


def test_this_machines_own_address_is_refused_even_if_public(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.browser.proxy._is_ours", lambda address: str(address) == "93.184.215.14")
    (answer,) = through(Proxy(), "CONNECT 93.184.215.14:443 HTTP/1.1\n\n")
    assert answer.startswith(b"HTTP/1.1 403 ")


def test_a_live_page_is_let_through_at_its_own_port_only(canaries: Canaries) -> None:
    host, _, port = next(at for at in canaries.tcp if at.startswith("127.0.0.1")).rpartition(":")
    proxy = Proxy(live=parse_url(f"http://{host}:{port}/pages/demo/"))
    first, second = through(proxy, f"GET http://{host}:{port}/pages/demo/ HTTP/1.1\n\n", f"GET http://{host}:{int(port) ^ 1}/ HTTP/1.1\n\n")
    assert first == b""  # the canary takes the connection and says nothing
    assert second.startswith(b"HTTP/1.1 403 ")
    assert canaries.hits == [f"{host} {port}"]


def test_a_page_whose_name_was_judged_stays_at_the_judged_address_and_no_name_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, canaries: Canaries
) -> None:
    host, _, port = next(at for at in canaries.tcp if at.startswith("127.0.0.1")).rpartition(":")
    asked = resolving(monkeypatch, "10.0.0.1")
    proxy = Proxy(live=parse_url(f"http://student.example.org:{port}/"), pinned=[ip_address(host)])
    page, beside = through(
        proxy, f"GET http://student.example.org:{port}/ HTTP/1.1\n\n", f"GET http://student.example.org:{int(port) ^ 1}/ HTTP/1.1\n\n"
    )
    assert page == b""  # the canary takes the connection and says nothing
    assert beside.startswith(b"HTTP/1.1 403 ")
    assert canaries.hits == [f"{host} {port}"]
    assert asked == ["student.example.org"], "for the other port alone"


def test_the_site_has_no_sockets_and_takes_no_endless_bodies() -> None:
    site = Site("r", {"index.html": File("text/html", b"home")})
    tunnel, chunked, garbage = through(
        Proxy(site=site), "CONNECT {at} HTTP/1.1\n\n", "POST http://{at}/r/ HTTP/1.1\nTransfer-Encoding: chunked\n\n", "nonsense\n\n"
    )
    assert tunnel.startswith(b"HTTP/1.1 501 ")
    assert chunked.startswith(b"HTTP/1.1 413 ")
    assert garbage.startswith(b"HTTP/1.1 400 ")
