"""How many cases a run tries, and the count of what it tried.

The ordinary test run plays a few dozen cases, the same ones every time. `FUZZ=5000` (`make fuzz`) spreads that many new ones over the targets.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hypothesis import HealthCheck, Phase, settings

CASES = int(os.environ.get("FUZZ") or 0)
QUICK = 40


def cases(share: float, quick: int = QUICK) -> settings:
    """The settings of a property that gets this share of a big run, or `quick` cases of an ordinary one."""
    return settings(
        max_examples=max(1, round(CASES * share)) if CASES else quick,
        derandomize=not CASES,
        deadline=None,  # a busy machine must not fail a test
        database=None,
        print_blob=True,
        phases=(Phase.explicit, Phase.generate, Phase.shrink),
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much, HealthCheck.large_base_example],
    )


class Tally:
    """The figures of one test."""

    def __init__(self, target: str) -> None:
        self.figures: dict[str, Any] = {
            "target": target, "cases": 0, "statuses": {}, "server_errors": 0, "seconds": 0.0, "slowest": 0.0, "slowest_case": "",
        }  # fmt: skip

    @contextmanager
    def case(self, name: str) -> Iterator[None]:
        """One case, timed."""
        self.figures["cases"] += 1
        start = time.perf_counter()
        try:
            yield
        finally:
            seconds = time.perf_counter() - start
            self.figures["seconds"] += seconds
            if seconds > self.figures["slowest"]:
                self.figures |= {"slowest": seconds, "slowest_case": name}

    def answer(self, status: int, unwell: bool = False) -> None:
        """One answer. Everything from 500 on is a fault, but for the 503 of a `/health` that is asked while no worker runs (`unwell`)."""
        statuses = self.figures["statuses"]
        statuses[str(status)] = statuses.get(str(status), 0) + 1
        self.figures["server_errors"] += status >= 500 and not unwell
