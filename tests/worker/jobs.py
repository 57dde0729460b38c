"""What the tests have the cluster do. A job notes what happened as one line of a file: label, pid, time."""

from __future__ import annotations

import os
import time

from django.db import connection

from tasks.lease import Lease
from tasks.worker import stopping


def note(path: str, label: str, seconds: float = 0.0) -> None:
    time.sleep(seconds)
    line = f"{label} {os.getpid()} {time.time()}\n"
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, line.encode())
    os.close(file)


def hold(path: str, round_id: int, polite: bool) -> None:
    """Take the round's lease and keep it for long: a polite job gives it back when the worker stops."""
    lease = Lease.claim(round_id)
    if lease is None:
        note(path, "refused")
        return
    with lease.heartbeat():
        note(path, "held")
        end = time.monotonic() + 60
        while time.monotonic() < end and not (polite and stopping()):
            time.sleep(0.05)
    lease.release()
    note(path, "released")


def commits(path: str) -> None:
    """Note how SQLite commits here: 1 (NORMAL) or 2 (FULL)."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous")
        note(path, f"synchronous={cursor.fetchone()[0]}")
