"""A small evaluator: takes notifications on loopback and keeps them."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Evaluator:
    """`url` is what goes into `evaluation_url`; `received` holds (seconds since the epoch, body) of every notification."""

    def __init__(self) -> None:
        self.received: list[tuple[float, dict[str, Any]]] = []
        self._arrived = threading.Condition()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            wbufsize = 65536
            disable_nagle_algorithm = True
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                with outer._arrived:
                    outer.received.append((time.time(), json.loads(body)))
                    outer._arrived.notify_all()
                answer = b'{"status":"ok"}'
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 256  # a class may report at once

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/notify"

    def __enter__(self) -> Evaluator:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def wait(self, nonce: str, seconds: float) -> tuple[float, dict[str, Any]] | None:
        """The first notification with that nonce, or None when none came in time."""
        end = time.monotonic() + seconds
        with self._arrived:
            while True:
                for item in self.received:
                    if item[1].get("nonce") == nonce:
                        return item
                left = end - time.monotonic()
                if left <= 0:
                    return None
                self._arrived.wait(left)
