"""An evaluator on loopback: takes notifications and answers by a script."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Evaluator:
    """`script` holds the next answers: a status, or one of "hang", "reset", "redirect". Empty: 200.

    `received` keeps (path, body, what was answered)."""

    def __init__(self) -> None:
        self.script: deque[int | str] = deque()
        self.received: list[tuple[str, dict[str, Any], int | str]] = []
        self.redirected = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            wbufsize = 65536
            disable_nagle_algorithm = True
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                outer.redirected += 1
                self.reply(200, {})

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
                if self.path == "/elsewhere":
                    outer.redirected += 1
                step = outer.script.popleft() if outer.script else 200
                outer.received.append((self.path, body, step))
                if step == "hang":
                    time.sleep(30)
                elif step == "reset":
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    self.connection.close()
                elif step == "redirect":
                    self.reply(307, {}, {"Location": "/elsewhere"})
                else:
                    self.reply(int(step), {"status": "ok"} if step == 200 else {"reason": f"scripted {step}"})

            def reply(self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
                data = json.dumps(body).encode()
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", "Content-Length": str(len(data)), **(headers or {})}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 256

            def handle_error(self, request: Any, client_address: Any) -> None:
                pass  # resets are part of the script

        self._server = Server(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.url = f"{self.base}/notify"

    def __enter__(self) -> Evaluator:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [body for _, body, _ in self.received]

    def by_nonce(self, nonce: str) -> list[dict[str, Any]]:
        return [body for body in self.bodies if body["nonce"] == nonce]
