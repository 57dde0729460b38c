"""Watches a run in the tests: keeps what it says, and can ask for its end."""

from __future__ import annotations

import time


class Seen:
    """`cancel_when` is bytes of stdout after which the run is no longer wanted."""

    def __init__(self, cancel_when: bytes = b"") -> None:
        self.stdout, self.stderr = b"", b""
        self.started: float | None = None
        self.first_output: float | None = None
        self.cancel_when = cancel_when

    def running(self) -> None:
        self.started = time.monotonic()

    def output(self, stream: str, data: bytes) -> None:
        self.first_output = self.first_output or time.monotonic()
        if stream == "stdout":
            self.stdout += data
        else:
            self.stderr += data

    def cancelled(self) -> bool:
        return bool(self.cancel_when) and self.cancel_when in self.stdout
