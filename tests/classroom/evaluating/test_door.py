"""Which addresses of a report are the operator's own, and what git is asked for."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

import pytest
from django.conf import LazySettings

from tasks.classroom.evaluating import door
from tasks.classroom.evaluating.clone import clone_url, cloned
from tasks.classroom.evaluating.git import Unreadable
from tasks.errors import RemoteUnavailable, TooLarge
from tests.peers import Peer, drip, peer, redirect

__all__ = ["peer"]


@pytest.mark.parametrize(
    ("url", "trusted"),
    [
        ("https://me.github.io/sales/", True),
        ("https://ME.github.io/", True),
        ("https://me.github.io", True),
        ("http://me.github.io/", False),
        ("https://me.github.io:8443/", False),
        ("https://me.github.io.example.org/", False),
        ("https://a.b.github.io/", False),
        ("https://github.io/", False),
        ("https://example.org/https://me.github.io/", False),
        ("http://testserver/pages/x/", True),
        ("http://testserver.example.org/", False),
        ("http://testserver@10.0.0.1/", False),
        ("nonsense", False),
    ],
)
def test_pages_are_trusted_by_their_origin(url: str, trusted: bool) -> None:
    assert door.is_trusted_page(url) is trusted


@pytest.mark.parametrize(
    ("api", "site"),
    [
        ("https://api.github.com", "https://github.com"),
        ("https://git.example.org/api/v3", "https://git.example.org"),
        ("http://127.0.0.1:5000", "http://127.0.0.1:5000"),
    ],
)
def test_the_site_of_github_goes_with_its_api(settings: LazySettings, api: str, site: str) -> None:
    settings.GITHUB_API_URL = api
    assert door.github_site() == site
    assert door.is_trusted_repo(f"{site}/me/sales")
    assert not door.is_trusted_repo("https://other.example.org/me/sales")


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/me/sales",
        "https://github.com/me/sales/",
        "https://github.com/me/sales.git",
        "https://github.com/me/sales/tree/main",
        "https://GITHUB.com/me/sales?tab=readme#usage",
    ],
)
def test_every_form_of_a_github_address_is_the_same_repository(url: str) -> None:
    assert clone_url(url) == "https://github.com/me/sales.git"


def test_other_hosts_are_asked_for_what_was_reported() -> None:
    assert clone_url("http://testserver/repos/x.git/") == "http://testserver/repos/x.git"
    assert clone_url("https://github.com/me") == "https://github.com/me"


def clone(url: str, seconds: float = 5.0) -> None:
    with cloned(url, seconds):
        raise AssertionError("it was cloned")


def test_a_host_that_sends_too_much_or_too_slowly_is_our_limit_and_no_folder_is_left(
    peer: Callable[..., Peer], settings: LazySettings, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DATA_DIR = tmp_path
    monkeypatch.setattr("tasks.classroom.evaluating.git.MAX_BYTES", 1000)
    large = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-git-upload-pack-advertisement\r\nContent-Length: 5000\r\n\r\n" + b"0" * 5000
    with pytest.raises(TooLarge):
        clone(peer(large).url("/r"))

    def silent(connection: socket.socket, _request: bytes) -> None:
        connection.recv(1)

    with pytest.raises(RemoteUnavailable, match=r"within 0\.3 s"):
        clone(peer(silent).url("/r"), 0.3)
    assert list((tmp_path / "clones").iterdir()) == []


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Type: application/x-git-upload-pack-advertisement\r\nContent-Length: 9\r\n\r\n00zznoise",
        b"HTTP/1.1 200 OK\r\nContent-Type: application/x-git-upload-pack-advertisement\r\nContent-Length: 4\r\n\r\n0000",
        b"HTTP/1.1 200 OK\r\nContent-Type: application/x-git-upload-pack-advertisement\r\nContent-Length: 0\r\n\r\n",
    ],
)
def test_broken_git_is_the_hosts_trouble(peer: Callable[..., Peer], answer: bytes) -> None:
    with pytest.raises(RemoteUnavailable):
        clone(peer(answer).url("/r"))


def test_what_a_report_names_meets_the_address_guard_also_behind_a_redirect(peer: Callable[..., Peer], settings: LazySettings) -> None:
    canary = peer()
    door_ = peer(redirect(canary.url("/x/info/refs?service=git-upload-pack", host="localhost")))
    settings.ALLOWED_PRIVATE_HOSTS = []
    with pytest.raises(Unreadable, match="not at a public address"):
        clone(f"http://localhost:{canary.port}/r")
    settings.PUBLIC_URL = door_.url().rstrip("/")  # trusted, and it sends us on
    with pytest.raises(Unreadable, match="not at a public address"):
        clone(door_.url("/r"))
    assert canary.connections == 0


def test_a_page_is_knocked_at_once_and_judged(peer: Callable[..., Peer], settings: LazySettings) -> None:
    found = door.knock(peer().url())
    assert (found.problem, found.addresses, found.final) == ("", ("127.0.0.1",), False)
    gone = door.knock(peer(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").url())
    assert (gone.problem, gone.final) == ("The page answered 404.", False)
    settings.ALLOWED_PRIVATE_HOSTS = []
    one = peer()
    refused = door.knock(one.url())
    assert (refused.final, one.connections) == (True, 0)
    settings.PUBLIC_URL = one.url().rstrip("/")
    assert door.knock(one.url()) == door.Page(one.url())


def test_a_page_that_answers_too_slowly_holds_nobody_for_longer_than_its_time(peer: Callable[..., Peer], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "PAGE_SECONDS", 0.3)
    slow = peer(lambda connection, _: drip(connection, b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + b"x" * 5000))
    started = time.monotonic()
    found = door.knock(slow.url())
    assert time.monotonic() - started < 2
    assert (found.final, "did not answer in full within 0.3 s" in found.problem) == (False, True)
