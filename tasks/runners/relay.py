"""A program's output and use as messages of its first process, where they have no other way out. https://docs.kernel.org/admin-guide/cgroup-v2.html

Runs within: `inside.py` is given this text, so it stands on the standard library alone. The job came through a descriptor that stays open as long
as somebody is there to read; when it closes, and after `seconds` whatever happens, everything ends.
"""

from __future__ import annotations

import contextlib
import os
import resource
import select
import signal
import time
from collections.abc import Callable, Iterable

LOOK_SECONDS = 0.05  # between two looks at what is in use
# control groups version 2 and 1, as they are seen within
OUT_OF_MEMORY = ("/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control")
MEMORY = (("/sys/fs/cgroup/memory.stat", ("anon", "file_mapped")), ("/sys/fs/cgroup/memory/memory.stat", ("rss", "mapped_file")))
CPU = (("/sys/fs/cgroup/cpu.stat", 1e6), ("/sys/fs/cgroup/cpuacct/cpuacct.usage", 1e9))


class Relay:
    """`ends` are the program's stdout and stderr."""

    def __init__(self, source: int, tell: Callable[..., None], memory: int, seconds: float) -> None:
        self.source, self.tell, self.memory = source, tell, memory
        self.ends: list[int] = []
        self.peak = 0  # bytes that were in use at a time
        # what the group uses as long as there is nothing but this process
        self._my_seconds, self._my_memory = _group_seconds() - time.process_time(), _group_memory()
        self._names: dict[int, str] = {}
        for name in ("stdout", "stderr"):
            reading, writing = os.pipe()
            os.set_blocking(reading, False)
            self._names[reading] = name
            self.ends.append(writing)
        self._woken, waker = os.pipe()
        for descriptor in (self._woken, waker):
            os.set_blocking(descriptor, False)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        end = time.monotonic() + seconds
        signal.signal(signal.SIGALRM, lambda number, frame: give_up() if time.monotonic() >= end else None)  # it could be sent from within
        signal.setitimer(signal.ITIMER_REAL, seconds + 0.1)

    def wait_for(self, pid: int) -> int:
        """The status of that process when it has ended, whatever else ends meanwhile. Till then what it says and uses is told as it comes."""
        for end in self.ends:
            os.close(end)
        next_look = 0.0
        while True:
            ready = select.select([self.source, self._woken, *self._names], [], [], LOOK_SECONDS)[0]
            if self.source in ready and not os.read(self.source, 1):
                give_up()
            if self._woken in ready:
                os.read(self._woken, 4096)
            self._pass_on(reading for reading in ready if reading in self._names)
            if time.monotonic() >= next_look:
                self._look()
                next_look = time.monotonic() + LOOK_SECONDS
            ended = -1
            while ended:
                ended, status = os.waitpid(-1, os.WNOHANG)
                if ended == pid:
                    return status

    def pass_on_the_rest(self) -> None:
        """Once every process is gone, what still lies in the pipes."""
        with contextlib.suppress(BlockingIOError):
            while self._names:
                self._pass_on(list(self._names))

    def cpu_seconds(self) -> float:
        """Of everything but this process. The group counts the children of those that do not wait for theirs, too, which no process does."""
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        others = _others()[0] if self._my_memory is None else _group_seconds() - time.process_time() - self._my_seconds
        return max(ended.ru_utime + ended.ru_stime, others)

    def out_of_memory(self) -> bool:
        """Has the kernel ended a process here because the whole had no memory left?"""
        for path in OUT_OF_MEMORY:
            with contextlib.suppress(OSError), open(path) as file:  # noqa: PTH123 - as in inside.py
                return any(line.startswith("oom_kill ") and line.split()[1] != "0" for line in file)
        return False

    def _pass_on(self, readable: Iterable[int]) -> None:
        for reading in readable:
            if data := os.read(reading, 65536):
                self.tell({"kind": "output", "stream": self._names[reading]}, data)
            else:
                del self._names[reading]

    def _look(self) -> None:
        group = _group_memory()
        memory = _others()[1] if group is None or self._my_memory is None else group - self._my_memory
        self.peak = max(self.peak, memory)
        beyond = memory > self.memory or self.out_of_memory()
        self.tell({"kind": "use", "cpu_seconds": self.cpu_seconds(), "beyond": beyond, "peak": self.peak})


def _group_seconds() -> float:
    """Processor time of the whole container; 0 where it cannot be read."""
    for path, unit in CPU:
        with contextlib.suppress(OSError, ValueError), open(path) as file:  # noqa: PTH123
            return int(file.readline().split()[-1]) / unit
    return 0.0


def _group_memory() -> int | None:
    """Bytes that the processes of the container have for themselves or share; None where that cannot be read. A look costs no more for hundreds
    of them than for one."""
    for path, names in MEMORY:
        with contextlib.suppress(OSError, ValueError), open(path) as file:  # noqa: PTH123
            return sum(int(line.split()[1]) for line in file if line.split()[0] in names)
    return None


def _others() -> tuple[float, int]:
    """Processor time and memory of every process but this one and what each has waited for, where the group tells nothing (gVisor)."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds, memory = ended.ru_utime + ended.ru_stime, 0
    for name in os.listdir("/proc"):  # noqa: PTH208
        if name.isdigit() and int(name) != os.getpid():
            with contextlib.suppress(OSError, ValueError), open(f"/proc/{name}/stat") as file:  # noqa: PTH123
                fields = file.read().rpartition(")")[2].split()
                seconds += sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
                memory += int(fields[21]) * os.sysconf("SC_PAGE_SIZE")
    return seconds, memory


def give_up() -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(-1, signal.SIGKILL)
    os._exit(1)
