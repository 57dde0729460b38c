"""What the processes of a sandbox use, seen from outside. https://man7.org/linux/man-pages/man5/proc.5.html"""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
CLOSELY = 5  # every so many looks, where forked processes share memory


class Usage:
    """Below `root` stands one chain of processes that build the sandbox, then its first process, then the program with all that it starts."""

    def __init__(self, root: int) -> None:
        self.root = root
        self.first = 0  # the sandbox's first process, as the machine numbers it
        self.memory = 0  # bytes in use at the last look
        self.peak = 0
        self._looks = 0
        self._handle: int | None = None
        self._cpu: dict[int, float] = {}

    @property
    def cpu_seconds(self) -> float:
        """Of all processes that were seen, the ended ones too."""
        return sum(self._cpu.values())

    def look(self) -> None:
        """Memory counts what each process has for itself, and what they share of files once."""
        self.memory = files = 0
        for pid in self.pids():
            try:
                pages = Path(f"/proc/{pid}/statm").read_text().split()
                used = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            except (OSError, ValueError):
                continue
            self.memory += (int(pages[1]) - int(pages[2])) * _PAGE
            files = max(files, int(pages[2]) * _PAGE)
            self._cpu[pid] = sum(map(int, used[11:13])) / _TICK
        self.memory += files
        self._looks += 1
        if len(self._cpu) == 1:
            self.peak = max(self.peak, self.memory)
        elif self.memory > self.peak and self._looks % CLOSELY == 0:
            self.look_closely()

    def look_closely(self) -> int:
        """Bytes in use with pages that forked processes share counted once: slower, so only asked when the quick look gives cause."""
        total = 0
        for pid in self.pids():
            with contextlib.suppress(OSError, ValueError, IndexError):
                rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
                total += int(rollup.partition("\nPss:")[2].split()[0]) * 1024
        self.peak = max(self.peak, total)
        return total

    def beyond(self, memory: int) -> bool:
        """Is more than that in use?"""
        return self.memory > memory and self.look_closely() > memory

    def pids(self) -> list[int]:
        """The program and everything below it."""
        first = self._first()
        found, queue = [], _children(first) if first else []
        while queue:
            pid = queue.pop()
            found.append(pid)
            queue += _children(pid)
        return found

    def signal(self, number: int) -> None:
        """Send it to the sandbox's first process, with whose end everything in it ends. Never to another that got its number later."""
        self._first()
        if self._handle is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._handle, number)

    def close(self) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def _first(self) -> int:
        if not self.first:
            for child in _children(self.root):
                with contextlib.suppress(ProcessLookupError):
                    self._handle, self.first = os.pidfd_open(child), child
        return self.first


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += [int(child) for child in (task / "children").read_text().split()]
    return found
