"""The load generator: what it sends and what it counts."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tasks.benchmarks import load
from tasks.benchmarks.bodies import Bodies


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    """Answers 200, every third time 503, and cuts the connection on `cut`."""
    numbers = itertools.count(1)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if body == b"cut":
                self.close_connection = True
                return
            self.send_response(503 if next(numbers) % 3 == 0 else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield running
    running.shutdown()
    running.server_close()


def pressed(server: ThreadingHTTPServer, bodies: Iterator[bytes], connections: int) -> load.Load:
    return load.run(f"http://127.0.0.1:{server.server_address[1]}/x", lambda: next(bodies, None), connections=connections, seconds=30)


def test_each_body_is_sent_once_and_every_answer_counted(server: ThreadingHTTPServer) -> None:
    done = pressed(server, iter([b"x" * size for size in (1, 70_000, 3, 4, 5, 6, 7, 8, 9)]), connections=3)
    assert done.statuses == {200: 6, 503: 3}
    assert len(done.latencies) == 9
    assert done.figures()["not_200"] == 3
    assert 0 < done.figures()["p50_ms"] <= done.figures()["p99_ms"] <= done.figures()["max_ms"]


def test_a_connection_that_is_cut_is_counted_and_not_waited_for(server: ThreadingHTTPServer) -> None:
    assert pressed(server, iter([b"a", b"cut", b"never sent"]), connections=1).statuses == {200: 1, 0: 1}


def test_percentiles_are_of_the_ordered_values() -> None:
    assert [load.percentile([1.0, 2.0, 3.0, 4.0], percent) for percent in (0, 50, 99)] == [1.0, 3.0, 4.0]
    assert load.percentile([], 50) == 0.0


def test_bodies_are_tasks_of_different_people_and_end_at_the_limit() -> None:
    bodies = Bodies("secret", "http://127.0.0.1:9/notify", limit=2)
    made = [bodies.next() for _ in range(3)]
    assert made[2] is None
    assert made[0] != made[1]
    assert bodies.sent == ["nonce-1", "nonce-2"]
