"""How much of the time a round has is left for what: a pure value, no clock of its own.

Each stage gets its share of TASK_DEADLINE_SECONDS (600 by the course's rule). A generator may spend the first half; whatever is there is then
published; a page that is not live a minute before the end is reported as it is. After the deadline nothing is hurried any more: the work is late
anyway and gets a full share again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

GENERATE_SHARE = 0.50  # of the whole time: last moment at which an answer of a model may come in
VERIFY_SHARE = 0.90  # notification leaves here at the latest, with what is really there (T-60 s of 600)
LATE_SECONDS = {"generate": 240.0, "verify": 600.0}  # budgets of a round that is late already


def place(received_at: datetime, deadline_at: datetime, now: datetime) -> datetime:
    """Since when a round waits for a worker, for the queue's order: the earliest deadline first, but what is late already behind the others."""
    return received_at if now < deadline_at else now


@dataclass(frozen=True)
class Deadline:
    """`received_at` starts the clock, `seconds` is the whole time."""

    received_at: datetime
    seconds: float = 600.0
    resumed_at: datetime | None = None  # start of the stage, for budgets after the deadline

    @property
    def at(self) -> datetime:
        return self.received_at + timedelta(seconds=self.seconds)

    def passed(self, now: datetime) -> bool:
        return now >= self.at

    def left(self, now: datetime) -> float:
        """Seconds to the deadline, negative after it."""
        return (self.at - now).total_seconds()

    def share_ends(self, stage: str) -> datetime:
        """When the stage's share of the time is used up."""
        share = {"generate": GENERATE_SHARE, "verify": VERIFY_SHARE}.get(stage, 1.0)
        return self.received_at + timedelta(seconds=self.seconds * share)

    def budget(self, stage: str, now: datetime) -> float:
        """Seconds that the stage may still spend, never negative. After the deadline: the stage's late budget from its own start."""
        if self.passed(now):
            start = max(self.resumed_at or now, self.at)
            return max(0.0, LATE_SECONDS.get(stage, 60.0) - (now - start).total_seconds())
        return max(0.0, (self.share_ends(stage) - now).total_seconds())
