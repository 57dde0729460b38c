"""The HTTP side of the emulator: reads a request whole, meets faults, answers with one send."""

from __future__ import annotations

import json
import socket
import struct
import time
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.emulators import github_clone
from tests.emulators.github_call import Answer
from tests.emulators.github_faults import HTML, Fault

if TYPE_CHECKING:
    from tests.emulators.github import GitHubEmulator


class Handler(BaseHTTPRequestHandler):
    github: GitHubEmulator
    protocol_version = "HTTP/1.1"
    server_version = "GitHub.com"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = 1 << 16  # headers and body leave together
    timeout = 60

    def handle_one(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        path, query = unquote(parts.path), dict(parse_qsl(parts.query))
        if self.github.latency:
            time.sleep(self.github.latency)
        fault = self.github.faults.take(self.command, path)
        answer = None if fault and not fault.kind.startswith(("done", "slow", "cut")) else self.ask(path, query, body)
        if fault:
            status = self.misbehave(fault, answer)
        elif answer:
            status = answer.status
            self.reply(answer.status, answer.headers, answer.body)
        self.github.record(self.command, path, query, status, body)
        self.wfile.flush()

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = handle_one

    def ask(self, path: str, query: dict[str, str], body: bytes) -> Answer:
        """The true answer, its body as bytes."""
        if path.startswith("/pages/"):
            status, headers, data = self.github.site(path)
            return Answer(status, data, headers)
        headers = {name.lower(): value for name, value in self.headers.items()}
        fetched = github_clone.answer(self.github, path, query, headers, body)
        if fetched is not None:
            return fetched
        answer = self.github.answer(self.command, path, query, headers, body)
        data = b"" if answer.body is None else json.dumps(answer.body).encode()
        limits = {"X-RateLimit-Limit": "5000", "X-RateLimit-Remaining": "4999", "X-RateLimit-Reset": str(int(time.time()) + 3600)}
        scopes = {} if self.github.scopes is None else {"X-OAuth-Scopes": self.github.scopes}
        return Answer(answer.status, data, {"Content-Type": "application/json; charset=utf-8", **limits, **scopes, **answer.headers})

    def misbehave(self, fault: Fault, answer: Answer | None) -> int:
        """Plays the fault; the status that the client saw, 0 for none."""
        if fault.kind in {"reset", "done-but-reset"}:
            self.cut()
            return 0
        if fault.kind == "hang":
            time.sleep(fault.seconds)
            self.cut()
            return 0
        if fault.kind == "slow" and answer:
            self.reply(answer.status, answer.headers, answer.body, fault.seconds)
            return answer.status
        if fault.kind == "cut" and answer:
            self.close_connection = True
            self.reply(answer.status, {**answer.headers, "Content-Length": str(len(answer.body))}, answer.body[: len(answer.body) // 2])
            return answer.status
        if fault.kind == "html-200":
            self.reply(200, {"Content-Type": "text/html"}, HTML)
            return 200
        status = 502 if fault.kind == "done-but-502" else fault.status
        media_type = "application/json; charset=utf-8" if fault.body[:1] in {b"{", b"["} else "text/html"
        self.reply(status, {"Content-Type": media_type, **fault.headers}, fault.body)
        return status

    def reply(self, status: int, headers: dict[str, str], body: bytes, seconds: float = 0.0) -> None:
        """One answer; `seconds` spreads its body over that time in ten pieces."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status not in {204, 304} and "Content-Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD" or status in {204, 304}:
            return
        if not seconds:
            self.wfile.write(body)
            return
        step = -(-len(body) // 10) or 1
        pieces = [body[start : start + step] for start in range(0, len(body), step)]
        for piece in pieces:
            time.sleep(seconds / len(pieces))
            self.wfile.write(piece)
            self.wfile.flush()

    def cut(self) -> None:
        """Ends the connection with a reset instead of a close."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def log_message(self, format: str, *args: object) -> None:
        """The emulator keeps its own records."""
