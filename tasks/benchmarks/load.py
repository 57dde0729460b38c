"""A small HTTP load generator: keep-alive connections, prebuilt requests, latencies in milliseconds.

It has to cost much less than what it measures, so it speaks just enough HTTP: one request at a time on a connection, answers with a Content-Length.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import urlsplit

ANSWER_SECONDS = 30.0  # the longest that the last answers are waited for


@dataclass
class Load:
    """What came of it. `statuses` counts answers by status; 0 stands for a connection that broke."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)

    def add(self, other: Load) -> None:
        """Take in what another run of the same kind measured."""
        self.seconds += other.seconds
        self.latencies += other.latencies
        for status, count in other.statuses.items():
            self.statuses[status] = self.statuses.get(status, 0) + count

    @property
    def per_second(self) -> float:
        return len(self.latencies) / self.seconds if self.seconds else 0.0

    def figures(self) -> dict[str, float]:
        ordered = sorted(self.latencies)
        return {
            "requests": len(ordered),
            "per_second": round(self.per_second, 1),
            "p50_ms": round(percentile(ordered, 50), 2),
            "p99_ms": round(percentile(ordered, 99), 2),
            "max_ms": round(ordered[-1], 2) if ordered else 0.0,
            "not_200": sum(count for status, count in self.statuses.items() if status != 200),
        }


def percentile(ordered: list[float], percent: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] if ordered else 0.0


class Client(asyncio.Protocol):
    """One connection: sends the next request as soon as the answer to the last one is there, until the time is up."""

    def __init__(self, head: str, body: Callable[[], bytes | None], load: Load, end: float) -> None:
        self.head, self.body, self.load, self.end = head, body, load, end
        self.buffer, self.needed = b"", 0
        self.started, self.finished = 0.0, False
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.send()

    def send(self) -> None:
        self.started = time.perf_counter()
        data = self.body() if self.started < self.end else None
        if data is None:
            self.finished = True
            self.transport.close()
            return
        self.transport.write(self.head.format(len(data)).encode() + data)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if not self.needed:
            head, blank, _ = self.buffer.partition(b"\r\n\r\n")
            if not blank:
                return
            lines = head.lower().split(b"\r\n")
            length = next((int(line[15:]) for line in lines if line.startswith(b"content-length:")), 0)
            self.needed = len(head) + 4 + length
        if len(self.buffer) >= self.needed:
            self.load.latencies.append((time.perf_counter() - self.started) * 1000)
            self.count(int(self.buffer[9:12]))
            self.buffer, self.needed = self.buffer[self.needed :], 0
            self.send()

    def count(self, status: int) -> None:
        self.load.statuses[status] = self.load.statuses.get(status, 0) + 1

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.finished:
            self.count(0)
        if not self.done.done():
            self.done.set_result(None)


def run(url: str, body: Callable[[], bytes | None], *, connections: int, seconds: float) -> Load:
    """POST what `body()` gives over `connections` connections, for `seconds` or until it gives None."""
    return asyncio.run(_run(url, body, connections, seconds))


async def _run(url: str, body: Callable[[], bytes | None], connections: int, seconds: float) -> Load:
    parts = urlsplit(url)
    head = f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/json\r\nContent-Length: {{}}\r\n\r\n"
    load = Load()
    loop = asyncio.get_running_loop()
    started = time.perf_counter()
    made = [
        await loop.create_connection(lambda: Client(head, body, load, started + seconds), parts.hostname or "", parts.port or 80)
        for _ in range(connections)
    ]
    await asyncio.wait([client.done for _, client in made], timeout=seconds + ANSWER_SECONDS)
    load.seconds = time.perf_counter() - started
    return load
