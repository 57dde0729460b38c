"""The door to the network, against real sockets on the loopback interface: who is connected to, how long it lasts, how much is read."""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tasks import http
from tasks.errors import AddressRefused, RemoteUnavailable, TooLarge
from tasks.http import check_url, fetch
from tests.peers import BOMB, OK, Peer, drip, encoded, flood, peer, redirect, resolver

__all__ = ["peer", "resolver"]

# -- one request, one answer -------------------------------------------------------------------------------------------------------------


def test_an_answer_is_given_as_it_came(peer):
    server = peer(b"HTTP/1.1 404 Not Found\r\nX-One: a\r\nx-one: b\r\nContent-Length: 7\r\n\r\nna\xc3\xafve\xff")

    response = fetch(server.url("/a?b=1"))

    assert response.status == 404
    assert response.headers == {"x-one": "a, b", "content-length": "7"}
    assert response.body == b"na\xc3\xafve\xff"
    assert response.text == "naïve\ufffd"
    assert response.url == server.url("/a?b=1")
    assert 0 < response.seconds < 5


def test_a_posted_body_is_delivered_whole(peer):
    server = peer()
    body = json.dumps({"round": 1, "padding": "ü" * 300_000}).encode()

    response = fetch(server.url("/notify"), method="POST", body=body, headers={"Content-Type": "application/json"})

    head, _, received = server.requests[0].partition(b"\r\n\r\n")
    assert response.status == 200
    assert received == body
    assert head.startswith(b"POST /notify HTTP/1.1\r\n")
    assert b"content-type: application/json" in head.lower()


def test_a_request_says_who_asks_and_takes_no_compression(peer):
    server = peer()

    fetch(server.url(), headers={"Accept-Encoding": "gzip", "X-API-KEY": "k"})

    lines = server.requests[0].decode().lower().split("\r\n")
    assert f"host: 127.0.0.1:{server.port}" in lines
    assert "user-agent: deployer/1.0" in lines
    assert "accept-encoding: identity" in lines
    assert "x-api-key: k" in lines


def test_no_cookie_is_kept(peer):
    server = peer(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n")

    fetch(server.url())
    fetch(server.url())

    assert b"cookie" not in server.requests[1].lower()


def test_the_environments_proxies_and_passwords_are_not_used(peer, monkeypatch, tmp_path):
    server, proxy = peer(), peer()
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login anna password canary\n")
    netrc.chmod(0o600)
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy.url())
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("NETRC", str(netrc))

    assert fetch(server.url()).status == 200
    assert proxy.connections == 0
    assert b"authorization" not in server.requests[0].lower()


def test_a_chunked_answer_is_put_together(peer):
    server = peer(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nTrailer: x\r\n\r\n")

    assert fetch(server.url()).body == b"hello"


def test_an_answer_without_a_length_ends_with_the_connection(peer):
    server = peer(b"HTTP/1.0 200 OK\r\n\r\nhello")

    assert fetch(server.url()).body == b"hello"


def test_a_head_request_has_no_body(peer):
    server = peer(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n")

    response = fetch(server.url(), method="HEAD", max_bytes=10)

    assert (response.status, response.body) == (200, b"")


def test_an_early_refusal_is_read_though_the_body_was_not_taken(peer):
    server = peer(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig")

    response = fetch(server.url(), method="POST", body=b"x" * 30_000_000, headers={"X-Read-Body": "no"})

    assert (response.status, response.body) == (413, b"big")


# -- who is connected to -----------------------------------------------------------------------------------------------------------------


def test_this_machines_own_name_is_refused(peer, settings):
    settings.ALLOWED_PRIVATE_HOSTS = []
    canary = peer(host="0.0.0.0")

    with pytest.raises((AddressRefused, RemoteUnavailable)):
        fetch(canary.url(host=socket.gethostname().replace("_", "-")))
    assert canary.connections == 0


def test_the_next_address_is_tried_when_one_refuses(peer, resolver, settings):
    settings.ALLOWED_PRIVATE_HOSTS = ["127.0.0.0/8", "::1"]
    server = peer(host="127.0.0.2")
    resolver(["::1", "127.0.0.1", "127.0.0.2"])

    assert fetch(server.url(host="evaluator.example")).status == 200


def test_an_address_that_never_answers_leaves_time_for_the_next(peer, resolver, settings):
    settings.ALLOWED_PRIVATE_HOSTS = ["127.0.0.0/8"]
    server = peer(host="127.0.0.2")
    resolver(["127.0.0.1", "127.0.0.2"])
    with contextlib.ExitStack() as stack:
        silent = stack.enter_context(socket.create_server(("127.0.0.1", server.port), backlog=0))
        for _ in range(3):  # its queue is full: the kernel drops what comes next
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(silent.getsockname())

        response = fetch(server.url(host="evaluator.example"), seconds=1)

    assert response.status == 200
    assert 0.4 < response.seconds < 1


def test_a_port_of_a_database_is_refused_before_the_name_is_resolved(resolver):
    asked = resolver(["8.8.8.8"])

    with pytest.raises(AddressRefused):
        fetch("http://db.example:5432/")
    assert asked == []


def test_what_the_operator_set_skips_the_guard(peer, settings):
    settings.ALLOWED_PRIVATE_HOSTS = []

    assert fetch(peer().url(), trusted=True).status == 200


def test_checking_a_url_asks_nobody(resolver):
    asked = resolver(["127.0.0.1"])

    check_url("https://evaluator.example/notify")
    with pytest.raises(AddressRefused):
        check_url("http://169.254.169.254/latest/")
    with pytest.raises(AddressRefused):
        check_url("ftp://evaluator.example/")
    assert asked == []


# -- redirects ---------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed_unless_asked_for(peer, status):
    canary = peer()
    server = peer(redirect(canary.url("/onward"), status))

    response = fetch(server.url(), method="POST", body=b"{}")

    assert (response.status, response.body) == (status, b"moved")
    assert response.headers["location"] == canary.url("/onward")
    assert canary.connections == 0


def test_a_redirect_is_followed_as_often_as_allowed(peer):
    last = peer()
    middle = peer(redirect(last.url("/ü")))
    first = peer(redirect(middle.url()))

    assert fetch(first.url(), redirects=2).url == last.url("/ü")
    assert last.requests[0].startswith(b"GET /%C3%BC HTTP/1.1")
    assert fetch(first.url(), redirects=1).status == 302
    assert last.connections == 1


def test_a_redirect_may_be_relative(peer):
    server = peer(lambda connection, request: connection.sendall(OK if request.startswith(b"GET /b/d?e=f ") else redirect("../b/d?e=f#g")))

    assert fetch(server.url("/a/c"), redirects=1).url == server.url("/b/d?e=f")


@pytest.mark.parametrize(
    "location", ["file:///etc/passwd", "gopher://127.0.0.1/", "http://a@127.0.0.1/", "http://[bad/", "http://:80/", "\\\\127.0.0.1\\x"]
)
def test_a_redirect_to_something_else_is_refused(peer, location):
    server = peer(redirect(location))

    with pytest.raises(AddressRefused):
        fetch(server.url(), redirects=3)
    assert server.connections == 1


def test_trust_does_not_go_with_a_redirect_to_another_origin(peer, settings):
    settings.ALLOWED_PRIVATE_HOSTS = []
    canary = peer()
    server = peer(redirect(canary.url()))

    with pytest.raises(AddressRefused):
        fetch(server.url(), redirects=1, trusted=True)
    assert canary.connections == 0


def test_trust_stays_on_the_same_origin(peer, settings):
    settings.ALLOWED_PRIVATE_HOSTS = []
    server = peer(lambda connection, request: connection.sendall(OK if b"/new " in request else redirect("/new")))

    assert fetch(server.url("/old"), redirects=1, trusted=True).status == 200


def test_a_key_is_not_shown_to_another_origin(peer):
    other = peer()
    server = peer(redirect(other.url(), 307))
    headers = {"Authorization": "Bearer canary", "X-API-KEY": "canary", "Cookie": "canary", "Accept": "text/plain"}

    fetch(server.url(), redirects=1, headers=headers)

    assert server.requests[0].count(b"canary") == 3
    assert b"canary" not in other.requests[0]
    assert b"accept: text/plain" in other.requests[0].lower()


@pytest.mark.parametrize(("status", "line", "body"), [(302, b"GET ", b""), (303, b"GET ", b""), (307, b"POST ", b"{}"), (308, b"POST ", b"{}")])
def test_a_redirected_post_keeps_its_body_only_where_http_says_so(peer, status, line, body):
    other = peer()
    server = peer(redirect(other.url(), status))

    fetch(server.url(), method="POST", body=b"{}", redirects=1)

    assert other.requests[0].startswith(line)
    assert other.requests[0].endswith(b"\r\n\r\n" + body)


def test_all_hops_share_one_deadline(peer):
    server = peer(lambda connection, request: (time.sleep(0.15), connection.sendall(redirect("/"))))
    start = time.monotonic()

    with pytest.raises(RemoteUnavailable):
        fetch(server.url(), redirects=100, seconds=0.4)
    assert time.monotonic() - start < 15


# -- how long it lasts -------------------------------------------------------------------------------------------------------------------


def ends_at_the_deadline(url: str, **options) -> RemoteUnavailable:
    start = time.monotonic()
    with pytest.raises(RemoteUnavailable) as unavailable:
        fetch(url, seconds=0.3, **options)
    assert 0.25 < time.monotonic() - start < 15
    assert "within 0.3 s" in unavailable.value.message
    assert unavailable.value.retry
    return unavailable.value


def test_a_body_that_drips_ends_at_the_deadline(peer):
    server = peer(lambda connection, _: drip(connection, b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b"x" * 1000, 0.005))

    assert ends_at_the_deadline(server.url()).detail.startswith("HTTP 200")


def test_a_body_without_a_length_that_drips_does_not_pass_for_whole(peer):
    server = peer(lambda connection, _: drip(connection, b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1000, 0.005))

    ends_at_the_deadline(server.url())


def test_chunks_that_drip_end_at_the_deadline(peer):
    server = peer(lambda connection, _: drip(connection, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 200, 0.005))

    ends_at_the_deadline(server.url())


def test_headers_that_drip_end_at_the_deadline(peer):
    server = peer(lambda connection, _: drip(connection, b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 1000))

    ends_at_the_deadline(server.url())


def test_endless_interim_answers_end_at_the_deadline(peer):
    server = peer(lambda connection, _: drip(connection, b"HTTP/1.1 100 Continue\r\n\r\n" * 100, 0.002))

    ends_at_the_deadline(server.url())


def test_a_peer_that_says_nothing_ends_at_the_deadline(peer):
    server = peer(lambda connection, _: connection.recv(1))

    ends_at_the_deadline(server.url())


def test_a_peer_that_does_not_read_ends_at_the_deadline(peer):
    server = peer()
    server.script = lambda connection, _: server.closing.wait(30)

    ends_at_the_deadline(server.url(), method="POST", body=b"x" * 30_000_000, headers={"X-Read-Body": "no"})


def test_a_handshake_that_never_comes_ends_at_the_deadline(peer):
    server = peer(lambda connection, _: server.closing.wait(30))

    ends_at_the_deadline(server.url(scheme="https"))


def test_a_resolver_that_hangs_ends_at_the_deadline(monkeypatch):
    released = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: released.wait(30) and [])

    ends_at_the_deadline("http://slow.example/")
    released.set()


def test_no_thread_and_no_socket_is_left_behind(peer):
    server = peer()
    fetch(server.url())
    before = threading.active_count()

    for _ in range(5):
        fetch(server.url(host="127.0.0.1"))

    assert not [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]
    assert threading.active_count() <= before + 5  # the server's own, which may still be ending


# -- how much is read --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50000000\r\n\r\n", b"x" * 65536),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65536),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + b"x" * 65536 + b"\r\n"),
    ],
    ids=["length", "no length", "chunked"],
)
def test_an_answer_that_is_too_large_is_not_read_to_its_end(peer, head, piece):
    server = peer(lambda connection, _: flood(connection, head, piece))

    with pytest.raises(TooLarge) as too_large:
        fetch(server.url(), max_bytes=100_000)
    assert "100,000 bytes" in too_large.value.message
    assert too_large.value.detail == "HTTP 200"


def test_an_answer_of_just_the_limit_is_taken(peer):
    assert fetch(peer().url(), max_bytes=5).body == b"hello"
    with pytest.raises(TooLarge):
        fetch(peer().url(), max_bytes=4)


@pytest.mark.parametrize("size", [b"-1", b"-5", b"zz", b"", b"9" * 70000])
def test_a_chunk_of_an_impossible_size_is_refused(peer, size):
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + size + b"\r\n"
    server = peer(lambda connection, _: flood(connection, head, b"x" * 65536))
    start = time.monotonic()

    with pytest.raises((RemoteUnavailable, TooLarge)):
        fetch(server.url(), max_bytes=100_000)
    assert time.monotonic() - start < 15


def test_headers_without_end_are_refused(peer):
    server = peer(lambda connection, _: flood(connection, b"HTTP/1.1 200 OK\r\n", b"X-Filler: 1\r\n" * 100))

    with pytest.raises(RemoteUnavailable):
        fetch(server.url())


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "gzip, gzip"])
def test_a_compressed_answer_is_refused(peer, encoding):
    with pytest.raises(RemoteUnavailable) as refused:
        fetch(peer(encoded(BOMB, encoding)).url())
    assert "compressed" in refused.value.message
    assert refused.value.detail == "HTTP 200"


def test_a_compressed_answer_of_a_trusted_peer_is_unpacked(peer):
    assert fetch(peer(encoded(gzip.compress(b"hello"))).url(), trusted=True).body == b"hello"


def test_a_bomb_of_a_trusted_peer_is_stopped_by_the_unpacked_size(peer):
    with pytest.raises(TooLarge):
        fetch(peer(encoded(BOMB)).url(), trusted=True, max_bytes=1_000_000)


# -- what went wrong ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (b"", "broke off"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", "broke off"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", "broke off"),
        (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", "did not answer in HTTP"),
        (b"HTTP/1.1 banana\r\n\r\n", "did not answer in HTTP"),
    ],
)
def test_an_answer_that_is_not_whole_is_no_answer(peer, answer, sentence):
    with pytest.raises(RemoteUnavailable) as unavailable:
        fetch(peer(answer).url())
    assert sentence in unavailable.value.message


def test_a_refused_connection_names_the_port(peer):
    server = peer()
    server.close()

    with pytest.raises(RemoteUnavailable) as unavailable:
        fetch(server.url())
    assert unavailable.value.message == f"127.0.0.1 refused the connection on port {server.port}."


def test_an_unknown_name_is_told(monkeypatch):
    def unknown(*args, **kwargs):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    with pytest.raises(RemoteUnavailable) as unavailable:
        fetch("http://nobody.example/")
    assert unavailable.value.message == "The name nobody.example could not be found (DNS)."


def test_no_error_shows_path_query_or_body(peer, settings, resolver):
    gone = peer()
    gone.close()
    urls = [
        peer(b"").url("/canary?key=canary"),
        peer(b"nonsense\r\n\r\n").url("/canary?key=canary"),
        peer(encoded(BOMB)).url("/canary?key=canary"),
        gone.url("/canary?key=canary"),
        "http://10.0.0.1/canary?key=canary",
        "http://canary:canary@example.com/?key=canary",
        "http://example.com:22/canary?key=canary",
    ]
    for url in urls:
        with pytest.raises((RemoteUnavailable, AddressRefused)) as failed:
            fetch(url, method="POST", body=b"canary", headers={"Authorization": "canary"})
        assert "canary" not in failed.value.message + failed.value.detail


# -- TLS ---------------------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> str:
    """A certificate for evaluator.example that signs itself, with its key, as one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "evaluator.example")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("evaluator.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "evaluator.pem"
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    return str(path)


@pytest.fixture
def tls_peer(peer, certificate) -> Peer:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    seen: list[str | None] = []
    context.sni_callback = lambda _, name, __: seen.append(name)
    server = peer(tls=context)
    server.names = seen
    return server


@pytest.fixture
def known_authority(certificate, monkeypatch) -> Iterator[None]:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    monkeypatch.setenv("SSL_CERT_FILE", certificate)
    http._tls.cache_clear()
    yield
    http._tls.cache_clear()


def test_the_certificate_is_checked_against_the_name_not_the_pinned_address(tls_peer, known_authority, resolver):
    asked = resolver(["127.0.0.1"])

    response = fetch(tls_peer.url(host="evaluator.example", scheme="https"))

    assert response.body == b"hello"
    assert tls_peer.names == ["evaluator.example"]
    assert asked == ["evaluator.example"]
    assert f"host: evaluator.example:{tls_peer.port}".encode() in tls_peer.requests[0].lower()


def test_a_certificate_for_another_name_is_refused(tls_peer, known_authority, resolver):
    resolver(["127.0.0.1"])

    with pytest.raises(RemoteUnavailable) as refused:
        fetch(tls_peer.url("/canary?canary", host="other.example", scheme="https"))
    assert "no valid TLS certificate" in refused.value.message
    assert tls_peer.requests in ([], [b""])


@pytest.mark.parametrize("trusted", [False, True])
def test_a_certificate_of_an_unknown_authority_is_refused(tls_peer, resolver, trusted):
    resolver(["127.0.0.1"])

    with pytest.raises(RemoteUnavailable) as refused:
        fetch(tls_peer.url(host="evaluator.example", scheme="https"), trusted=trusted)
    assert "no valid TLS certificate" in refused.value.message


def test_a_body_that_drips_through_tls_ends_at_the_deadline(tls_peer, known_authority, resolver):
    resolver(["127.0.0.1"])
    tls_peer.script = lambda connection, _: drip(connection, b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1000, 0.005)

    ends_at_the_deadline(tls_peer.url(host="evaluator.example", scheme="https"))


def test_a_plain_server_on_an_https_address_is_told(peer):
    with pytest.raises(RemoteUnavailable) as refused:
        fetch(peer().url(scheme="https"))
    assert refused.value.message == "127.0.0.1 could not agree on TLS."


def test_a_redirect_from_https_to_http_is_refused(tls_peer, peer, known_authority, resolver):
    canary = peer()
    resolver(["127.0.0.1"])
    tls_peer.script = redirect(canary.url())

    with pytest.raises(AddressRefused) as refused:
        fetch(tls_peer.url(host="evaluator.example", scheme="https"), redirects=1)
    assert "from https to http" in refused.value.message
    assert canary.connections == 0


def test_the_addresses_of_a_url_are_judged_as_a_request_to_it_would_be(settings, resolver) -> None:
    settings.ALLOWED_PRIVATE_HOSTS = []
    asked = resolver(["93.184.215.14"], ["93.184.215.14", "10.0.0.1"])
    assert [str(address) for address in http.judged_addresses("https://student.example.org/page")] == ["93.184.215.14"]
    with pytest.raises(AddressRefused):
        http.judged_addresses("https://student.example.org/page")
    with pytest.raises(AddressRefused):
        http.judged_addresses("http://127.0.0.1/")
    assert asked == ["student.example.org"] * 2
