"""Trouble on purpose: what the next matching requests meet instead of (or besides) their answer."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field

KINDS = {"status", "done-but-502", "reset", "done-but-reset", "hang", "slow", "cut", "html-200"}
HTML = b"<!DOCTYPE html><html><head><title>Unicorn!</title></head><body>We had issues producing the response to your request.</body></html>"


@dataclass
class Fault:
    method: str
    path: re.Pattern[str]
    times: int
    kind: str
    status: int = 502
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = HTML
    seconds: float = 0.0
    skip: int = 0  # matching requests that pass before the fault begins


class Faults:
    """The faults still to come, in the order they were asked for."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        if fault.kind not in KINDS:
            raise ValueError(f"unknown fault {fault.kind!r}: use one of {', '.join(sorted(KINDS))}")
        with self._lock:
            self._waiting.append(fault)

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """The fault that this request meets, which is then used up once."""
        with self._lock:
            for fault in self._waiting:
                if fault.method not in {"*", method} or not fault.path.search(path):
                    continue
                if fault.skip:
                    fault.skip -= 1
                    continue
                fault.times -= 1
                if fault.times <= 0:
                    self._waiting.remove(fault)
                return fault
        return None
