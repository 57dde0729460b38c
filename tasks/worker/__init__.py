"""`manage.py worker`: a supervisor that keeps one django-q2 cluster at work and never loses a round.

    supervisor ── dispatcher: due rows into the queue, dead leases back        (database, each second)
        │      └─ watchdog: no progress, no mercy
        └── cluster (own process group; django-q2's sentinel) ── pusher, monitor, N workers

`flag`, `packets` and `timer` stand in for the parts of django-q2 that a killed process could leave locked; `processes` ties each process to its
parent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tasks.worker.flag import Flag

stop_flag: Flag | None = None  # set by the cluster in its own processes


def stopping() -> bool:
    """True when this worker was told to stop: a job that can pause gives its lease back now. Costs one system call; always False elsewhere."""
    return stop_flag is not None and stop_flag.is_set()
