"""The address guard from outside: every vector is posted to the service, and nothing on this machine or its networks may hear of it.

Canaries listen on every local address, and the interpreter's own record of connections is looked at. `make guard` prints the count.
"""

from __future__ import annotations

import gzip
import socket
import time
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import LazySettings

from tasks import address_guard
from tasks.address_guard import is_web_port
from tasks.stages import attachments as attachments_stage
from tasks.stages import notify as notify_stage
from tests.peers import OK, Peer, drip, encoded, flood, redirect
from tests.security.conftest import Doors
from tests.security.vectors import NAMES, PUBLIC, REFUSED

CSV = b"HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\nContent-Length: 8\r\n\r\na,b\n1,2\n"
Start = Callable[..., Peer]
Record = Callable[[str, Any], None]


@pytest.fixture(scope="module")
def canaries() -> Iterator[list[Peer]]:
    """One port of every local address, IPv4 and IPv6."""
    while True:
        four = Peer(host="0.0.0.0")
        if is_web_port(four.port):
            break
        four.close()
    six = Peer(host="::", port=four.port) if socket.has_ipv6 else None
    found = [four, six] if six else [four]
    yield found
    for canary in found:
        canary.close()


@pytest.fixture(autouse=True)
def _nothing_is_let_through(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.ALLOWED_PRIVATE_HOSTS = []
    monkeypatch.setattr(attachments_stage, "PAUSE_SECONDS", 0.0)


def count(record_property: Record, family: str, doors: int = 3) -> None:
    record_property("vector", family)
    record_property("doors", doors)


def refused_everywhere(doors: Doors, url: str) -> int:
    """By all three doors, and by the notifier for an address that was stored before the guard could look at it. How many doors it came to: what no
    reader of a brief takes for an address comes to two."""
    status, code = doors.evaluation_url(url)
    assert (status, code) == (422, "address-refused")
    assert doors.notify(url).error_id == "address-refused"
    status, attachment, read, said = doors.fetch(attachment=url, brief=url)
    if attachment is None:
        assert status == 422  # not even the beginning of an address
        status, _, read, said = doors.fetch(brief=url)
    else:
        assert (attachment.error_id, attachment.content) == ("address-refused", None)
    assert status == 200
    assert read == []
    assert {message.data["error"] for message in said} <= {"address-refused"}
    return 2 + len(said)


@pytest.mark.parametrize(("family", "url"), [(family, url) for family, urls in REFUSED.items() for url in urls], ids=ascii)
def test_an_address_that_is_not_plainly_public_is_reached_by_no_door(
    family: str, url: str, doors: Doors, canaries: list[Peer], names: Any, connects: list[Any], record_property: Record
) -> None:
    record_property("vector", family)
    asked = names({})

    record_property("doors", refused_everywhere(doors, url.replace("{port}", str(canaries[0].port))))

    assert connects == []
    assert asked == []
    assert [canary.connections for canary in canaries] == [0] * len(canaries)


def test_the_canaries_do_hear_and_the_record_does_see(canaries: list[Peer], connects: list[Any]) -> None:
    for canary, address in zip(canaries, ("127.0.0.1", "::1"), strict=False):
        before = canary.connections
        socket.create_connection((address, canary.port)).close()
        until(lambda canary=canary, before=before: canary.connections == before + 1)
        canary.connections = before
    assert {address for address, _ in connects} >= {"127.0.0.1"}


def until(true: Callable[[], bool], seconds: float = 10.0) -> None:
    ends = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.01)


def test_the_tables_are_large_and_have_no_twins() -> None:
    urls = [url for family in REFUSED.values() for url in family]
    assert len(set(urls)) == len(urls) >= 200


# -- names -----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("family", "name"), [(family, name) for family, table in NAMES.items() for name in table])
def test_a_name_with_a_private_address_is_not_connected_to(
    family: str,
    name: str,
    doors: Doors,
    canaries: list[Peer],
    names: Any,
    connects: list[Any],
    settings: LazySettings,
    record_property: Record,
) -> None:
    count(record_property, family)
    settings.ALLOWED_PRIVATE_HOSTS = [PUBLIC]
    asked = names(NAMES[family])
    url = f"http://{name}:{canaries[0].port}/data.csv"

    assert doors.notify(url).error_id == "address-refused"
    _, attachment, read, said = doors.fetch(attachment=url, brief=url)

    assert attachment is not None
    assert (attachment.error_id, read) == ("address-refused", [])
    assert [message.data["error"] for message in said] == ["address-refused"]
    assert asked == [name] * 3  # each door asked, and was not content with the answer
    assert connects == []


def test_a_name_that_changes_its_answer_is_connected_to_where_it_was_judged(
    doors: Doors, peer: Start, names: Any, connects: list[Any], settings: LazySettings, record_property: Record
) -> None:
    count(record_property, "rebinding")
    settings.ALLOWED_PRIVATE_HOSTS = [PUBLIC]
    canary = peer(host="127.0.0.1")
    public = peer(CSV, host=PUBLIC, port=canary.port)
    rebinding = [[PUBLIC], ["127.0.0.1"]]  # a second question would be answered with the private address
    asked = names({f"{door}.attacker.dev": rebinding for door in ("notify", "attachment", "brief")})

    attempt = doors.notify(public.url(host="notify.attacker.dev"))
    _, attachment, read, _ = doors.fetch(
        attachment=public.url("/data.csv", host="attachment.attacker.dev"), brief=public.url("/data.csv", host="brief.attacker.dev")
    )

    assert attempt.status_code == 200
    assert attachment is not None
    assert bytes(attachment.content) == bytes(read[0].content) == b"a,b\n1,2\n"
    assert asked == ["notify.attacker.dev", "attachment.attacker.dev", "brief.attacker.dev"]
    assert connects == [(PUBLIC, public.port)] * 3
    assert b"host: notify.attacker.dev" in public.requests[0].lower()
    assert canary.connections == 0


def test_a_name_that_has_changed_by_the_next_fetch_is_judged_anew(
    doors: Doors, peer: Start, names: Any, connects: list[Any], settings: LazySettings, record_property: Record
) -> None:
    count(record_property, "rebinding", doors=2)
    settings.ALLOWED_PRIVATE_HOSTS = [PUBLIC]
    canary = peer(host="127.0.0.1")
    public = peer(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", host=PUBLIC, port=canary.port)  # so that it is asked again
    names({"attachment.attacker.dev": [[PUBLIC], ["127.0.0.1"]], "brief.attacker.dev": [["127.0.0.1"]]})

    _, attachment, read, _ = doors.fetch(
        attachment=public.url("/data.csv", host="attachment.attacker.dev"), brief=public.url("/data.csv", host="brief.attacker.dev")
    )

    assert attachment is not None
    assert (attachment.error_id, read) == ("address-refused", [])
    assert connects == [(PUBLIC, public.port)]
    assert canary.connections == 0


def test_the_machines_own_public_address_is_refused_but_for_the_service_itself(
    doors: Doors, peer: Start, connects: list[Any], monkeypatch: pytest.MonkeyPatch, settings: LazySettings, record_property: Record
) -> None:
    count(record_property, "the machine itself")
    monkeypatch.setattr(address_guard, "is_public", lambda address: True)  # as on a server whose interface has a public address
    inner = peer(CSV)

    refused = doors.notify(inner.url())
    _, attachment, read, _ = doors.fetch(attachment=inner.url("/data.csv"), brief=inner.url("/data.csv"))

    assert attachment is not None
    assert (refused.error_id, attachment.error_id, read, inner.connections) == ("address-refused", "address-refused", [], 0)
    assert "the machine that this service runs on" in attachment.error
    settings.PUBLIC_URL = inner.url().rstrip("/")
    assert doors.notify(inner.url("/notify")).status_code == 200


# -- redirects -------------------------------------------------------------------------------------------------------------------------

LOCATIONS = [
    "http://127.0.0.1:{port}/",
    "//127.0.0.1:{port}/",
    "http://127.1:{port}/",
    "http://2130706433:{port}/",
    "http://localhost:{port}/",
    "http://[::1]:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/",
    "http://user@127.0.0.1:{port}/",
    "http://example.com\\@127.0.0.1:{port}/",
    "http://169.254.169.254/latest/meta-data/",
    "http://inner.attacker.dev:{port}/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:{port}/",
    "http://[broken/",
]


@pytest.mark.parametrize("status", [302, 307])
@pytest.mark.parametrize("location", LOCATIONS)
def test_each_hop_of_a_redirect_is_judged_and_a_notification_makes_none(
    location: str,
    status: int,
    doors: Doors,
    peer: Start,
    canaries: list[Peer],
    names: Any,
    connects: list[Any],
    settings: LazySettings,
    record_property: Record,
) -> None:
    count(record_property, "redirects")
    settings.ALLOWED_PRIVATE_HOSTS = [PUBLIC]
    names({"inner.attacker.dev": [["127.0.0.1"]]})
    last = peer(redirect(location.replace("{port}", str(canaries[0].port)), status), host=PUBLIC)
    first = peer(redirect(last.url("/data.csv", host=PUBLIC), status), host=PUBLIC)

    notified = doors.notify(first.url(host=PUBLIC))
    _, attachment, read, said = doors.fetch(attachment=first.url("/a.csv", host=PUBLIC), brief=first.url("/b.csv", host=PUBLIC))

    assert (notified.status_code, notified.outcome) == (status, "rejected")
    assert attachment is not None
    assert (attachment.error_id, read) == ("address-refused", [])
    assert [message.data["error"] for message in said] == ["address-refused"]
    assert (first.connections, last.connections) == (3, 2)
    assert {address for address, _ in connects} == {PUBLIC}


@pytest.mark.parametrize("hops", [4, 1000])
def test_no_more_than_three_redirects_are_followed(hops: int, doors: Doors, peer: Start, settings: LazySettings, record_property: Record) -> None:
    count(record_property, "redirects", doors=2)
    settings.ALLOWED_PRIVATE_HOSTS = [PUBLIC]

    def answer(connection: socket.socket, request: bytes) -> None:
        number = int(request.split()[1].strip(b"/").split(b".")[0])
        connection.sendall(redirect(f"/{number - 1}.csv") if number else CSV)

    server = peer(answer, host=PUBLIC)
    _, attachment, read, _ = doors.fetch(attachment=server.url(f"/{hops}.csv", host=PUBLIC), brief=server.url(f"/{hops}.csv", host=PUBLIC))

    assert attachment is not None
    assert "302" in attachment.error
    assert (attachment.content, read, server.connections) == (None, [], 2 * (attachments_stage.REDIRECTS + 1))
    assert doors.fetch(attachment=server.url("/3.csv", host=PUBLIC))[1].content is not None


# -- time and size ---------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> float:
    """The seconds that every door has."""
    seconds = 0.3
    for module, name in (
        (attachments_stage, "FETCH_SECONDS"),
        (attachments_stage, "REFERENCE_SECONDS"),
        (attachments_stage, "REFERENCES_SECONDS"),
        (notify_stage, "SECONDS"),
    ):
        monkeypatch.setattr(module, name, seconds)
    return seconds


SLOW = {
    "headers": lambda connection, _: drip(connection, b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 2000, 0.01),
    "body": lambda connection, _: drip(connection, b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + b"x" * 5000, 0.005),
    "chunks": lambda connection, _: drip(connection, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 1000, 0.005),
    "silence": lambda connection, _: connection.recv(1),
    "interim answers": lambda connection, _: drip(connection, b"HTTP/1.1 100 Continue\r\n\r\n" * 400, 0.002),
}


@pytest.mark.parametrize("slow", SLOW)
def test_a_peer_that_drips_holds_no_door_open(
    slow: str, doors: Doors, peer: Start, settings: LazySettings, short: float, record_property: Record
) -> None:
    count(record_property, "slow answers")
    settings.ALLOWED_PRIVATE_HOSTS = [PUBLIC]
    server = peer(SLOW[slow], host=PUBLIC)
    started = time.monotonic()

    notified = doors.notify(server.url(host=PUBLIC))
    _, attachment, read, _ = doors.fetch(attachment=server.url("/a.csv", host=PUBLIC), brief=server.url("/b.csv", host=PUBLIC))

    assert time.monotonic() - started < 15  # the whole drip would take 20 s or more
    assert attachment is not None
    assert notified.error_id == "remote-unavailable"
    assert attachment.error_id in {"remote-unavailable", "attachment-unusable"}  # the latter on a machine too busy to begin in time
    assert (attachment.content, read) == (None, [])
    assert server.connections >= 1


ZEROS = b"\0" * 20_000_000
BOMBS = {
    "gzip": encoded(gzip.compress(ZEROS), "gzip"),
    "x-gzip": encoded(gzip.compress(ZEROS), "x-gzip"),
    "GZIP": encoded(gzip.compress(ZEROS), "GZIP"),
    "deflate": encoded(zlib.compress(ZEROS), "deflate"),
    "gzip twice": encoded(gzip.compress(gzip.compress(ZEROS)), "gzip, gzip"),
    "br": encoded(b"\x5b\xff\xff\x3f\x00\x20\x00" * 100, "br"),
    "zstd": encoded(b"\x28\xb5\x2f\xfd" + b"\x00" * 100, "zstd"),
    "compress": encoded(b"\x1f\x9d\x90" * 100, "compress"),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_compressed_answer_is_not_unpacked(bomb: str, doors: Doors, peer: Start, settings: LazySettings, record_property: Record) -> None:
    count(record_property, "compressed answers")
    settings.ALLOWED_PRIVATE_HOSTS = [PUBLIC]
    server = peer(BOMBS[bomb], host=PUBLIC)

    notified = doors.notify(server.url(host=PUBLIC))
    _, attachment, read, said = doors.fetch(attachment=server.url("/a.csv", host=PUBLIC), brief=server.url("/b.csv", host=PUBLIC))

    assert (notified.status_code, notified.answer) == (200, "")  # a 200 all the same, whatever came with it
    assert attachment is not None
    assert "compressed" in attachment.error
    assert (attachment.content, read) == (None, [])
    assert "compressed" in said[0].body
    assert all(b"accept-encoding: identity" in request.lower() for request in server.requests)


ENDLESS = {
    "length": (b"HTTP/1.1 200 OK\r\nContent-Length: 50000000\r\n\r\n", b"x" * 65536),
    "no length": (b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65536),
    "chunked": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + b"x" * 65536 + b"\r\n"),
    "lying length": (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\nTransfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + b"x" * 65536 + b"\r\n"),
    "headers": (b"HTTP/1.1 200 OK\r\n", b"X-Filler: 1\r\n" * 100),
}


@pytest.mark.parametrize("endless", ENDLESS)
def test_an_answer_without_end_is_not_read_to_its_end(
    endless: str, doors: Doors, peer: Start, settings: LazySettings, monkeypatch: pytest.MonkeyPatch, record_property: Record
) -> None:
    count(record_property, "endless answers")
    settings.ALLOWED_PRIVATE_HOSTS, settings.MAX_ATTACHMENT_BYTES = [PUBLIC], 100_000
    monkeypatch.setattr(attachments_stage, "REFERENCE_BYTES", 100_000)
    server = peer(lambda connection, _: flood(connection, *ENDLESS[endless]), host=PUBLIC)

    notified = doors.notify(server.url(host=PUBLIC))
    _, attachment, read, _ = doors.fetch(attachment=server.url("/a.csv", host=PUBLIC), brief=server.url("/b.csv", host=PUBLIC))

    assert notified.answer == ""
    assert attachment is not None
    assert attachment.error_id in {"too-large", "remote-unavailable"}
    assert (attachment.content, read) == (None, [])


# -- what the operator lets through ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "through", "not_through"),
    [
        ("127.0.0.3", ["127.0.0.3"], ["127.0.0.4", "127.1", "localhost", "[::ffff:127.0.0.3]", "twin.attacker.dev"]),
        ("127.0.0.0/30", ["127.0.0.3", "127.0.0.1", "localhost"], ["127.0.0.4", "2130706435"]),
        ("evaluator.inner.net", ["evaluator.inner.net"], ["127.0.0.3", "x.evaluator.inner.net", "evaluator.inner.net.attacker.dev", "localhost"]),
        ("[::1]", ["[::1]"], ["127.0.0.1", "[::ffff:127.0.0.1]", "localhost"]),
    ],
)
def test_the_operators_list_lets_through_exactly_what_it_names(
    entry: str,
    through: list[str],
    not_through: list[str],
    doors: Doors,
    peer: Start,
    names: Any,
    settings: LazySettings,
    record_property: Record,
) -> None:
    count(record_property, "what the operator lets through", 3 * len(through + not_through))
    settings.ALLOWED_PRIVATE_HOSTS = [entry]
    inner = ("evaluator.inner.net", "x.evaluator.inner.net", "evaluator.inner.net.attacker.dev")
    names({**{name: [["127.0.0.3"]] for name in inner}, "twin.attacker.dev": [["127.0.0.4"]], "localhost": [["127.0.0.1"]]})
    server = peer(CSV, host="0.0.0.0")
    server6 = peer(CSV, host="::1", port=server.port)

    for host in not_through:
        url = server.url("/data.csv", host)
        assert doors.notify(url).error_id == "address-refused"
        _, attachment, read, _ = doors.fetch(attachment=url, brief=url)
        assert attachment is not None
        assert (attachment.error_id, read) == ("address-refused", []), host
    assert (server.connections, server6.connections) == (0, 0)
    in_a_brief = [host for host in through if host not in {"localhost", "[::1]"}]  # no brief means its reader's own machine
    for host in through:
        url = server.url("/data.csv", host)
        assert doors.evaluation_url(url)[0] == 200
        assert doors.notify(url).status_code == 200
        _, attachment, read, _ = doors.fetch(attachment=url, brief=url)
        assert attachment is not None
        assert bytes(attachment.content) == b"a,b\n1,2\n"
        assert len(read) == (host in in_a_brief)
    assert server.connections + server6.connections == 2 * len(through) + len(in_a_brief)


def test_a_public_address_is_let_in_at_the_door(doors: Doors) -> None:
    for url in ("https://evaluator.attacker.dev/notify", "http://8.8.8.8:8000/", "https://[2606:4700:4700::1111]/x?y=1#z"):
        assert doors.evaluation_url(url)[0] == 200


def test_an_answer_of_a_public_address_is_taken(doors: Doors, peer: Start, settings: LazySettings) -> None:
    settings.ALLOWED_PRIVATE_HOSTS = [PUBLIC]
    assert doors.notify(peer(OK, host=PUBLIC).url(host=PUBLIC)).answer == "hello"
