"""A small real HTTP server on loopback that plays another service.

A test (or a demo) queues replies with `enqueue`; when the queue is empty, the subclass's `answer` decides. Every request is kept in `requests`.
Faults are real ones on the socket: a reset, a hang, a dripping body.
"""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Request:
    """One request as it arrived; header names in lower case."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes
    at: float  # time.monotonic()

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """One answer. `delay` is waited before it; `fault` is "", "reset" (RST instead of an answer), "hang" (no answer at all), "drip" (one byte
    every `interval` seconds, so that no single read ever times out) or "cut" (the connection ends in the middle of the body)."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})
    delay: float = 0.0
    fault: str = ""
    interval: float = 0.05


def json_reply(value: Any, status: int = 200, headers: Mapping[str, str] | None = None, **options: Any) -> Reply:
    return Reply(status, json.dumps(value).encode(), {"Content-Type": "application/json; charset=UTF-8", **(headers or {})}, **options)


class Emulator:
    """Serves from `start` (or `with`) to `stop`, on a free port, a thread a connection."""

    def __init__(self, *, latency: float = 0.0, host: str = "127.0.0.1") -> None:
        """`latency`: seconds before every answer, of the queue or not. `host` 0.0.0.0 answers on every address of 127.0.0.0/8."""
        self.latency = latency
        self.requests: list[Request] = []
        self._queue: deque[Reply] = deque()
        self._stopping = threading.Event()
        self._server = _Server((host, 0), _Handler, bind_and_activate=False)
        self._server.server_bind()  # the port is taken; until `start` it refuses connections
        self._server.emulator = self
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, name=type(self).__name__, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def enqueue(self, *replies: Reply) -> None:
        """Replies for the next requests, in this order, before `answer` is asked again."""
        self._queue.extend(replies)

    def answer(self, request: Request) -> Reply:
        """What to say when nothing is queued."""
        return Reply(404, b"{}")

    def start(self) -> Self:
        self._server.server_activate()
        self._thread.start()
        return self

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._server.shutdown()
        self._server.server_close()
        self._server.hang_up()
        if self._thread.is_alive():
            self._thread.join(5)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def _reply_to(self, request: Request) -> Reply:
        self.requests.append(request)
        try:
            reply = self._queue.popleft()
        except IndexError:
            reply = self.answer(request)
        self._stopping.wait(self.latency + reply.delay)
        return reply


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256
    emulator: Emulator

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._open: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """End kept-alive connections: a client must not talk on with a server that is gone while another one has its port."""
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is the very thing that many tests are about: no trace on stderr."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    # Head and body in one packet: two sends cost 40 ms a call (Nagle's algorithm meets the delayed ACK).
    wbufsize = 65536
    disable_nagle_algorithm = True

    def handle_any(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(length)
        reply = self.server.emulator._reply_to(Request(self.command, parts.path, parse_qs(parts.query), headers, body, time.monotonic()))
        if reply.fault == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True
            return
        if reply.fault == "hang":
            self.server.emulator._stopping.wait(60)
            self.close_connection = True
            return
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if reply.fault == "drip":
            self.wfile.flush()
            for byte in reply.body:
                if self.server.emulator._stopping.wait(reply.interval):
                    break
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
            self.close_connection = True
        elif reply.fault == "cut":
            self.wfile.write(reply.body[: len(reply.body) // 2])
            self.close_connection = True
        else:
            self.wfile.write(reply.body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = handle_any

    def log_message(self, format: str, *args: Any) -> None:
        """The test reads `requests`; nothing is printed."""
