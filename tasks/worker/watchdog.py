"""When a cluster that seems to live is to be restarted: pure values, the caller brings the clock (`time.monotonic`)."""

from __future__ import annotations

from datetime import datetime

LONGEST_PAUSE = 30.0  # seconds between starts of a cluster that dies at once
STEADY_SECONDS = 30.0  # a cluster that lived so long starts again without a pause


class Watchdog:
    """Measures the time without progress on our own clock, so that neither a jump of the wall clock nor a database that was away counts."""

    def __init__(self, limit: float) -> None:
        """`limit`: seconds without progress after which the cluster is stuck."""
        self.limit = limit
        self._seen: datetime | None = None
        self._since = 0.0

    def reset(self, now: float) -> None:
        """Start counting anew: the cluster was just started, or nobody could look."""
        self._since = now

    def look(self, now: float, progress_at: datetime | None, held: int, workers: int) -> bool:
        """Whether the cluster is stuck: no progress for too long though not all workers hold a round or a run (those have no time for a pulse)."""
        if progress_at != self._seen or held >= workers:
            self._seen = progress_at
            self._since = now
        return now - self._since > self.limit


class Pause:
    """How long to wait before the next start: not at all after a long life, 1, 2, 4 … 30 s while the cluster keeps dying at once."""

    def __init__(self) -> None:
        self._failures = 0

    def after(self, lived: float) -> float:
        """Seconds to wait now that the cluster ended after `lived` seconds."""
        self._failures = 0 if lived >= STEADY_SECONDS else self._failures + 1
        return 0.0 if not self._failures else min(LONGEST_PAUSE, 2.0 ** (self._failures - 1))
