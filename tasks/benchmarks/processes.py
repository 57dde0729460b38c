"""What a process and all below it have used (Linux's /proc: https://man7.org/linux/man-pages/man5/proc.5.html)."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from tasks.browser.supervise import Tree

TICK = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """CPU time of the tree, with that of the children that have ended."""
    total = 0
    for one in Tree(pid).pids():
        with contextlib.suppress(OSError, ValueError):
            total += sum(int(ticks) for ticks in Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()[11:15])
    return total / TICK


def memory_mib(pid: int) -> float:
    """Memory of the tree; what several processes share is counted once."""
    total = 0
    for one in Tree(pid).pids():
        with contextlib.suppress(OSError, ValueError, StopIteration):
            lines = Path(f"/proc/{one}/smaps_rollup").read_text().splitlines()
            total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024
