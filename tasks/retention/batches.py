"""Long work in short transactions, with pauses in which others get the database.

SQLite has one writer at a time and its waiting is not fair: a transaction holds up every request that is to be accepted. So each one is kept near
`TARGET_SECONDS` by changing how many rows it takes, and is followed by a pause of half its length.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from django.db import IntegrityError, models, transaction

LEAST, FIRST, MOST = 5, 10, 500  # rows of a transaction
TARGET_SECONDS = 0.1
LEAST_PAUSE, LONGEST_PAUSE = 0.005, 0.1

Progress = Callable[[str, int, int], None]  # what, done, of how many


def silent(what: str, done: int, whole: int) -> None:
    """No progress is shown."""


@dataclass
class Batches:
    """`seconds`: how long all of it may take; `finished` is False when that was not enough."""

    seconds: float = float("inf")
    progress: Progress = silent
    finished: bool = True
    longest: float = 0.0  # seconds, of the transactions
    refused: list[str] = field(default_factory=list)
    _started: float = field(default_factory=time.monotonic)

    def run(self, what: str, rows: models.QuerySet, take: Callable[[list[int]], int]) -> int:
        """Call `take` with the ids of all rows, some at a time, each time in a transaction of its own; the sum of what it says it did.

        The rows are chosen beforehand, so `take` looks again which of them may still go."""
        ids: Sequence[int] = list(rows.order_by("pk").values_list("pk", flat=True))
        done, at, size = 0, 0, FIRST
        while at < len(ids):
            if time.monotonic() - self._started > self.seconds:
                self.finished = False
                break
            started = time.monotonic()
            try:
                with transaction.atomic():
                    did = take(list(ids[at : at + size]))
            except IntegrityError as error:  # something unknown refers to one of them: that one stays, alone
                if size > 1:
                    size = 1
                    continue
                did = 0
                self.refused.append(f"{what} {ids[at]} could not be removed: {str(error)[:300]}")
            done += did
            took = time.monotonic() - started
            at = min(at + size, len(ids))
            self.progress(what, at, len(ids))
            self.longest = max(self.longest, took)
            size = max(LEAST, min(MOST, 2 * size, int(size * TARGET_SECONDS / max(took, 0.001))))
            time.sleep(min(LONGEST_PAUSE, max(LEAST_PAUSE, took / 2)))
        return done
