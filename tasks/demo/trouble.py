"""Three services of students that misbehave, for `demo --students --trouble`: one is dead, one reports what is not there, one's page never loads."""

from __future__ import annotations

import json
import socket
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

NO_SHA = "0" * 40
HANG_SECONDS = 300.0


class Trouble:
    """`endpoints` by the student's name. `service` is a real service: the slow student's work is done there, only its page's address is another."""

    def __init__(self, service: str, hang_seconds: float = HANG_SECONDS) -> None:
        self.service = service
        self.refused: list[str] = []  # what was answered to reports that fit nothing
        self._over = threading.Event()
        self._tasks: dict[str, dict[str, Any]] = {}  # by nonce
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
                self._answer(b'{"status":"ok"}')
                {"/invents/ready": outer.invent, "/slow/ready": outer.pass_on, "/slow/notify": outer.report_hanging}[self.path](body)

            def do_GET(self) -> None:
                outer._over.wait(hang_seconds)  # connected, and not a byte comes

            def _answer(self, body: bytes) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            dead = f"http://127.0.0.1:{free.getsockname()[1]}"
        self.endpoints = {"dead-host": f"{dead}/ready", "wrong-report": f"{self.url}/invents/ready", "page-never-loads": f"{self.url}/slow/ready"}

    def __enter__(self) -> Trouble:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()

    def invent(self, task: dict[str, Any]) -> None:
        """First with a nonce that was never sent, then with the right one and a repository that is not there."""
        there = {"repo_url": f"{self.service}/repos/not-there.git", "commit_sha": NO_SHA, "pages_url": f"{self.service}/pages/not-there/"}
        report = {name: task[name] for name in ("email", "task", "round", "nonce")} | there
        for nonce in ("made-up", task["nonce"]):
            post(task["evaluation_url"], report | {"nonce": nonce}, self.refused)

    def pass_on(self, task: dict[str, Any]) -> None:
        self._tasks[task["nonce"]] = task
        post(f"{self.service}/ready", task | {"evaluation_url": f"{self.url}/slow/notify"}, self.refused)

    def report_hanging(self, report: dict[str, Any]) -> None:
        url = self._tasks[report["nonce"]]["evaluation_url"]
        post(url, report | {"pages_url": f"{self.url}/{report['task']}/"}, self.refused)


def post(url: str, body: dict[str, Any], refused: list[str]) -> None:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})  # noqa: S310 - loopback only
    try:
        urllib.request.urlopen(request, timeout=20).close()  # noqa: S310 - the demo's own addresses  # nosec B310
    except urllib.error.HTTPError as error:
        refused.append(error.read().decode(errors="replace"))
