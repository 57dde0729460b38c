"""A scripted peer on the loopback interface, for what a well-behaved emulator never does: broken answers, endless ones, slow ones.

`peer` and `resolver` are fixtures; a test module that uses them imports them by name.
"""

from __future__ import annotations

import contextlib
import gzip
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator

import pytest

OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello"
Script = Callable[[socket.socket, bytes], None]


class Peer:
    """A server that answers each connection with a script and counts them. Without a script it is a canary that nobody should touch."""

    def __init__(self, script: Script | bytes = OK, *, host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self.script = script
        self.tls = tls
        self.connections = 0
        self.requests: list[bytes] = []
        self.listener = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        self.port = self.listener.getsockname()[1]
        self.closing = threading.Event()
        threading.Thread(target=self.run, daemon=True).start()

    def run(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            connection.settimeout(10)
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True)
            request = read_request(connection)
            self.requests.append(request)
            if callable(self.script):
                self.script(connection, request)
            else:
                connection.sendall(self.script)
            connection.close()

    def url(self, path: str = "/", host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"

    def close(self) -> None:
        self.closing.set()
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def read_request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data and not data.startswith(b"\x16"):  # a TLS greeting on a plain port
        piece = connection.recv(65536)
        if not piece:
            return data
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    while len(body) < length and b"x-read-body: no" not in head:
        piece = connection.recv(65536)
        if not piece:
            break
        body += piece
    return head + b"\r\n\r\n" + body


def redirect(location: str, status: int = 302) -> bytes:
    return f"HTTP/1.1 {status} Found\r\nLocation: {location}\r\nContent-Length: 5\r\n\r\nmoved".encode()


def drip(connection: socket.socket, data: bytes, pause: float = 0.02) -> None:
    """One byte at a time, each well inside any timeout of a single read."""
    for byte in data:
        connection.sendall(bytes([byte]))
        time.sleep(pause)


def flood(connection: socket.socket, head: bytes, piece: bytes) -> None:
    connection.sendall(head)
    for _ in range(2000):
        connection.sendall(piece)


BOMB = gzip.compress(b"\0" * 20_000_000)


def encoded(body: bytes, encoding: str = "gzip") -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Encoding: {encoding}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


@pytest.fixture
def peer() -> Iterator[Callable[..., Peer]]:
    peers: list[Peer] = []

    def start(*args, **kwargs) -> Peer:
        peers.append(Peer(*args, **kwargs))
        return peers[-1]

    yield start
    for one in peers:
        one.close()


@pytest.fixture
def resolver(monkeypatch) -> Callable[..., list[str]]:
    """Make the system's resolver answer with these lists of addresses, one list a question, the last one for ever."""

    def install(*answers: list[str]) -> list[str]:
        asked: list[str] = []

        def getaddrinfo(host, port, *args, **kwargs):
            asked.append(host)
            addresses = answers[min(len(asked), len(answers)) - 1]
            families = [socket.AF_INET6 if ":" in address else socket.AF_INET for address in addresses]
            return [(family, socket.SOCK_STREAM, 6, "", (address, port)) for family, address in zip(families, addresses, strict=True)]

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        return asked

    return install
