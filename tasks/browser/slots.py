"""How many browsers run on this machine at once: one for each core. One more would only make all of them late, and each takes some 250 MB.

A place is a lock on a file, so the kernel frees it when its process dies, however that dies.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from django.conf import settings

PAUSE = 0.1  # seconds between looks for a free place
NONE = -1.0
BUSY = "Not looked at: every browser of this machine was busy, and there was no time to wait for one."


def places() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def patience(seconds: float, *, standing_back: bool) -> float:
    """How long to wait for a place. Who stands back does not wait, and takes no browser at all from a machine that works: a look costs as much
    as two rounds without one."""
    if not standing_back:
        return seconds
    return 0.0 if os.getloadavg()[0] < places() / 2 else NONE


@contextmanager
def take(seconds: float, what: str = "browsers", most: int | None = None) -> Iterator[bool]:
    """Hold one of the places; False when none came free within that time. With 0 seconds it is tried once, with less (`NONE`) not at all.

    `what` else may not run too often at once on this machine: `most` times, at most once for each core."""
    end = time.monotonic() + seconds
    with ExitStack() as held:
        while not (got := seconds >= 0 and _try(held, what, most or places())) and time.monotonic() < end:
            time.sleep(PAUSE)
        yield got


def _try(held: ExitStack, what: str, most: int) -> bool:
    folder = Path(settings.DATA_DIR) / what
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(min(most, places())):
        file = (folder / f"{number}.lock").open("w")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
        else:
            held.enter_context(file)
            return True
    return False
