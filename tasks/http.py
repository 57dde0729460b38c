"""The only door to the network for our own requests.

In: a URL, what to send, and three limits (seconds, bytes, redirects). Out: a `Response`, whatever its status, or one of three errors:

- `AddressRefused`: the URL, or a redirect, leads somewhere that a request may not make us go (`tasks/address_guard.py`);
- `RemoteUnavailable`: no whole answer came: unknown name, refused, reset, TLS, not HTTP, too late;
- `TooLarge`: the answer is longer than the caller takes.

An error raised after the status line was read begins its `detail` with that status ("HTTP 200 …"), for callers who need no more than that.
Messages name the host, never the path or the query, which may hold a secret.

A name is resolved once, every address is judged, and the connection goes to a judged address, so that a name which changes its answer in
between gains nothing. `seconds` is wall-clock time for everything together: the sockets' own timeouts start anew with every byte. Neither cookies,
nor proxies and passwords of the environment are used; certificates are verified against REQUESTS_CA_BUNDLE or SSL_CERT_FILE where set.
"""

from __future__ import annotations

import http.client
import os
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urljoin

import certifi
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

from tasks.address_guard import IPAddress, Target, check_addresses, check_target, parse_url
from tasks.connections import TimeLimit, connected, is_ours, resolve
from tasks.errors import AddressRefused, RemoteUnavailable, TaskError, TooLarge
from tasks.redaction import redact

USER_AGENT = "Deployer/1.0"
REDIRECTS = frozenset((301, 302, 303, 307, 308))
PIECE = 64 * 1024
HEADERS_FOR_ANYONE = frozenset(("accept", "accept-language", "content-type", "user-agent"))


@dataclass(frozen=True)
class Response:
    """One answer. `headers` has lower-case names, repeated ones joined by a comma; `url` is the one that answered; `seconds` is the whole time."""

    status: int
    headers: dict[str, str]
    body: bytes
    url: str
    seconds: float

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", errors="replace")


@dataclass(frozen=True)
class _Request:
    method: str
    body: bytes | None
    headers: dict[str, str]


def check_url(url: str) -> None:
    """What can be said about a URL without asking anybody: its form, its port, a literal address. Raises `AddressRefused`."""
    check_target(parse_url(url))


def judged_addresses(url: str, seconds: float = 10.0) -> list[IPAddress]:
    """What the host of somebody else's URL stands for, judged as `fetch` would: for a browser that connects by itself, to exactly these."""
    target = parse_url(url)
    check_target(target)
    deadline = TimeLimit(seconds)
    try:
        found = [ip_address(address[0]) for _, address in resolve(target, deadline)]
    except OSError as error:
        raise _unavailable(target, error, deadline) from error
    check_addresses(target, found, is_ours=is_ours)
    return found


def fetch(
    url: str,
    *,
    method: str = "GET",
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
    seconds: float = 20.0,
    max_bytes: int = 5 * 1024 * 1024,
    redirects: int = 0,
    trusted: bool = False,
) -> Response:
    """Send one request and read the whole answer, within all limits.

    `trusted` is for URLs that the operator set: it skips the address guard and takes compressed answers. A redirect to another origin is
    not the operator's word any more and always meets the guard. When no redirect is left, the 3xx answer itself is returned."""
    deadline = TimeLimit(seconds)
    request = _Request(method.upper(), body, {name.lower(): value for name, value in (headers or {}).items()})
    target = parse_url(url)
    while True:
        answer = _exchange(target, request, deadline, max_bytes=max_bytes, trusted=trusted, follow=redirects > 0)
        location = answer.headers.get("location")
        if redirects < 1 or answer.status not in REDIRECTS or not location:
            return answer
        redirects -= 1
        onward = _onward(target, location)
        request = _redirected(request, answer.status, same_origin=onward.origin == target.origin)
        trusted = trusted and onward.origin == target.origin
        target = onward


def _onward(target: Target, location: str) -> Target:
    """Where a redirect leads. Header values arrive as Latin-1, while servers write UTF-8."""
    try:
        onward = parse_url(urljoin(target.url, location.encode("latin-1").decode("utf-8", errors="replace")))
    except ValueError as error:
        raise AddressRefused(f"{target.host} redirects to something that is not an address.") from error
    if target.scheme == "https" and onward.scheme == "http":
        raise AddressRefused(f"{target.host} redirects from https to http.")
    return onward


def _redirected(request: _Request, status: int, *, same_origin: bool) -> _Request:
    """The request that follows a redirect: https://www.rfc-editor.org/rfc/rfc9110#section-15.4. A foreign origin is shown no header that
    could hold a key."""
    headers = {name: value for name, value in request.headers.items() if same_origin or name in HEADERS_FOR_ANYONE}
    if status in (307, 308) or request.method in ("GET", "HEAD"):
        return _Request(request.method, request.body, headers)
    headers.pop("content-type", None)
    return _Request("GET", None, headers)


def _exchange(target: Target, request: _Request, deadline: TimeLimit, *, max_bytes: int, trusted: bool, follow: bool) -> Response:
    """One request to one target. `follow`: the body of a redirect is not wanted."""
    if not trusted:
        check_target(target)
    status = 0
    try:
        peers = resolve(target, deadline)
        if not trusted:
            check_addresses(target, [ip_address(address[0]) for _, address in peers], is_ours=is_ours)
        with connected(peers, deadline) as sock, _answer(target, request, sock, deadline, decode=trusted) as answer:
            status = answer.status
            headers = {name.lower(): value for name, value in answer.headers.itermerged()}
            if not trusted and headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
                raise RemoteUnavailable(f"{target.host} sent a compressed answer although it was asked for a plain one.")
            wanted = not (follow and status in REDIRECTS and "location" in headers)
            content = _read(target, answer, max_bytes) if wanted else b""
        if deadline.over:  # a body without a length ends where the connection is cut, and would pass for whole
            raise TimeoutError
    except (OSError, http.client.HTTPException, HTTPError) as error:
        raise _evident(_unavailable(target, error, deadline), status) from error
    except TaskError as error:
        _evident(error, status)
        raise
    return Response(status, headers, content, target.url, deadline.elapsed)


class _Reply(http.client.HTTPResponse):
    """A chunk whose size is -1 would be read to the end of the connection, past every limit of size."""

    def _safe_read(self, amt: int) -> bytes:
        if amt < 0:
            raise http.client.HTTPException("negative chunk size")
        return super()._safe_read(amt)  # type: ignore[misc, no-any-return]


class _Plain(HTTPConnection):
    """A connection over a socket that is open already; name and port are only for the Host header."""

    response_class = _Reply
    ready: socket.socket

    def _new_conn(self) -> socket.socket:
        return self.ready


class _Encrypted(HTTPSConnection):
    """The same; the name is also for SNI and the certificate."""

    response_class = _Reply
    ready: socket.socket

    def _new_conn(self) -> socket.socket:
        return self.ready


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    """The machine's own certificate authorities as `requests` names them, else certifi's."""
    store = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE") or certifi.where()
    return ssl.create_default_context(capath=store) if Path(store).is_dir() else ssl.create_default_context(cafile=store)


@contextmanager
def _answer(target: Target, request: _Request, sock: socket.socket, deadline: TimeLimit, *, decode: bool) -> Iterator[BaseHTTPResponse]:
    """Send the request, read the answer's head; the body is still on the wire."""
    connection: _Plain | _Encrypted
    if target.scheme == "https":
        connection = _Encrypted(target.host, target.port, timeout=deadline.left(), ssl_context=_tls())
    else:
        connection = _Plain(target.host, target.port, timeout=deadline.left())
    connection.ready = sock
    headers = {"user-agent": USER_AGENT, "accept": "*/*", **request.headers, "accept-encoding": "identity", "connection": "close"}
    try:
        connection.connect()
        with suppress(BrokenPipeError, ConnectionResetError):  # a server may answer (413, 401) and close before it has read everything
            connection.request(request.method, target.resource, body=request.body, headers=headers, preload_content=False, decode_content=decode)
        answer = connection.getresponse()
        try:
            yield answer
        finally:
            answer.close()
    finally:
        connection.close()


def _read(target: Target, answer: BaseHTTPResponse, max_bytes: int) -> bytes:
    too_large = TooLarge(f"The answer of {target.host} is larger than {max_bytes:,} bytes.")
    if (getattr(answer, "length_remaining", None) or 0) > max_bytes:
        raise too_large
    content = bytearray()
    for piece in answer.stream(min(PIECE, max_bytes + 1)):
        content += piece
        if len(content) > max_bytes:
            raise too_large
    return bytes(content)


def _evident(error: TaskError, status: int) -> TaskError:
    if status:
        error.detail = f"HTTP {status} {error.detail}".rstrip()
    return error


def _unavailable(target: Target, error: Exception, deadline: TimeLimit) -> RemoteUnavailable:
    cause: BaseException = error
    while isinstance(cause, HTTPError) and cause.__cause__ is not None:  # urllib3 wraps what happened
        cause = cause.__cause__
    if deadline.over or isinstance(cause, TimeoutError):
        happened = f"did not answer in full within {deadline.seconds:g} s"
    elif isinstance(cause, ssl.SSLCertVerificationError):
        happened = f"has no valid TLS certificate ({cause.verify_message})"
    elif isinstance(cause, ssl.SSLError):
        happened = "could not agree on TLS"
    elif isinstance(cause, ConnectionRefusedError):
        happened = f"refused the connection on port {target.port}"
    elif isinstance(cause, ConnectionError | http.client.IncompleteRead | HTTPError):
        happened = "broke off before its answer was complete"
    elif isinstance(cause, http.client.HTTPException):
        happened = "did not answer in HTTP"
    else:
        happened = f"could not be reached ({getattr(cause, 'strerror', None) or type(cause).__name__})"
    return RemoteUnavailable(f"{target.host} {happened}.", detail=redact(f"{type(cause).__name__}: {cause}")[:300])
