"""Whose turn it is when many letters go to few hosts: a few at a time to each, with a pause in between, and none before a host wants one.

A pure value: it holds ids, and is told the time.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

AT_ONCE = 2  # letters on their way to one host
PAUSE_SECONDS = 0.2  # between two that begin at one host


@dataclass
class Lane:
    waiting: deque[int] = field(default_factory=deque)
    under_way: int = 0
    free_at: float = 0.0


class Lanes:
    """One lane a host. Times are seconds of any clock that only goes forward."""

    def __init__(self, at_once: int = AT_ONCE, pause: float = PAUSE_SECONDS) -> None:
        self.at_once, self.pause = at_once, pause
        self._lanes: dict[str, Lane] = {}  # who began longest ago comes first

    def __len__(self) -> int:
        """How many wait."""
        return sum(len(lane.waiting) for lane in self._lanes.values())

    def put(self, host: str, id: int) -> None:
        self._lanes.setdefault(host, Lane()).waiting.append(id)

    def take(self, now: float) -> tuple[str, int] | None:
        """The next that may begin now, or none."""
        for host, lane in self._lanes.items():
            if lane.waiting and lane.under_way < self.at_once and lane.free_at <= now:
                lane.under_way += 1
                lane.free_at = now + self.pause
                self._lanes[host] = self._lanes.pop(host)
                return host, lane.waiting.popleft()
        return None

    def done(self, host: str) -> None:
        """One of this host has ended."""
        self._lanes[host].under_way -= 1

    def hold(self, host: str, until: float) -> None:
        """The host wants none before that."""
        lane = self._lanes[host]
        lane.free_at = max(lane.free_at, until)

    def empty(self, host: str) -> list[int]:
        """Take all that wait for this host out."""
        lane = self._lanes[host]
        waiting, lane.waiting = list(lane.waiting), deque()
        return waiting

    def pause_left(self, now: float) -> float | None:
        """Seconds until a host's pause ends for one that waits; None when every lane is full or empty, so that something has to end first."""
        ends = [lane.free_at for lane in self._lanes.values() if lane.waiting and lane.under_way < self.at_once]
        return max(0.0, min(ends) - now) if ends else None
