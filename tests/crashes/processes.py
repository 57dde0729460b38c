"""Processes as the kernel shows them, and signals to them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from tests.worker.box import stat


def family(*roots: int) -> set[int]:
    """These processes and everything below them, from a table of all parents."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    found = set(roots)
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def named(pids: Iterable[int], name: str) -> list[int]:
    """Those whose name in `ps` begins so."""
    return sorted(pid for pid in pids if (row := stat(pid)) and row[1] not in "ZX" and row[0].startswith(name))


def send(pids: Iterable[int], number: int) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue
