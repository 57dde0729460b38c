"""Runs the runner: starts it, takes in what it says, watches its memory, and ends it and everything below it."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, BinaryIO

from tasks import frames
from tasks.browser.report import Collected

ROOT = Path(__file__).resolve().parents[2]
MEMORY_LIMIT = 1_500_000_000  # bytes of all processes of one visit
MAX_KILLED = 8  # pages of one visit ended for their memory before the browser is
SAMPLE_SECONDS = 0.15
KILL_SECONDS = 3.0  # to clear away what was killed
_TICK = os.sysconf("SC_CLK_TCK")


@dataclass
class Tree:
    """The processes below one, by Linux's /proc; elsewhere nothing is seen, and only the process group is ended.
    https://man7.org/linux/man-pages/man5/proc.5.html"""

    root: int
    peak: int = 0  # bytes
    _cpu: dict[int, float] = field(default_factory=dict)  # seconds by process, the ended ones too
    _renderers: dict[int, int] = field(default_factory=dict)  # bytes by process

    @property
    def cpu_seconds(self) -> float:
        return sum(self._cpu.values())

    def pids(self) -> list[int]:
        found, queue = [], [self.root]
        while queue:
            pid = queue.pop()
            found.append(pid)
            with contextlib.suppress(OSError):
                for task in Path(f"/proc/{pid}/task").iterdir():
                    queue += [int(child) for child in (task / "children").read_text().split()]
        return found

    def sample(self) -> int:
        """Bytes in use now: what each process has for itself, and the largest share of program files once."""
        total, files = 0, 0
        self._renderers.clear()
        for pid in self.pids():
            try:
                status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
                command = Path(f"/proc/{pid}/cmdline").read_bytes()
                used = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            except (OSError, ValueError):
                continue
            self._cpu[pid] = (int(used[11]) + int(used[12])) / _TICK
            own = _bytes(status, "RssAnon") + _bytes(status, "RssShmem")
            total += own
            if b"--type=renderer" in command:
                self._renderers[pid] = own
            files = max(files, _bytes(status, "RssFile"))
        self.peak = max(self.peak, total + files)
        return total + files

    def kill_page(self) -> bool:
        """End the largest of the processes that hold pages; False if there is none. The browser calls that a crash and goes on."""
        if not self._renderers:
            return False
        with contextlib.suppress(OSError):
            os.kill(max(self._renderers, key=self._renderers.__getitem__), signal.SIGKILL)
        return True

    def kill(self) -> None:
        """End all of them. The root goes last: while it lives, whatever its children leave behind comes to it and is cleared away by it, also in a
        container whose first process does not do that."""
        end = time.monotonic() + KILL_SECONDS
        while (below := self.pids()[1:]) and time.monotonic() < end:
            for pid in below:
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.01)
        with contextlib.suppress(OSError):
            os.killpg(self.root, signal.SIGKILL)


def _bytes(status: dict[str, str], name: str) -> int:
    return int(status.get(name, "0 kB").split()[0]) * 1024


def watch(errand: IO[bytes], folder: Path, collected: Collected, seconds: float) -> tuple[str, bool, Tree]:
    """Let a runner do the errand for at most that long. What it says goes into `collected`; the answer is why it was ended early (empty if it was
    not), whether that was our fault, and what it used."""
    environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(folder), "LANG": "C.UTF-8"}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))  # the same packages, however this process came by them
    deadline = time.monotonic() + seconds
    with (folder / "runner.log").open("w+b") as log:
        runner = subprocess.Popen(  # our own arguments # nosec B603
            [sys.executable, "-m", "tasks.browser.runner"],
            stdin=errand,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd=ROOT,
            env=environment,
            start_new_session=True,
        )
        tree = Tree(runner.pid)
        try:
            stopped = _listen(runner, tree, collected, deadline)
            tree.sample()
        finally:
            tree.kill()
            runner.wait()
            if runner.stdout:
                runner.stdout.close()
        if stopped == _BROKEN:
            return f"{_BROKEN} {_last_line(log)}".strip(), True, tree
    return stopped, False, tree


_BROKEN = "The browser's process ended by itself."


def _listen(runner: subprocess.Popen[bytes], tree: Tree, collected: Collected, deadline: float) -> str:
    feed = frames.Feed()
    pipe = runner.stdout
    assert pipe is not None  # noqa: S101 - for the type checker: asked for above  # nosec B101
    next_sample, killed = 0.0, 0
    while not collected.done:
        now = time.monotonic()
        if now >= deadline:
            return "The time for looking at the page was over."
        if now >= next_sample:
            if tree.sample() > MEMORY_LIMIT:
                killed += 1
                if killed > MAX_KILLED or not tree.kill_page():
                    return f"The page took more than {MEMORY_LIMIT // 1_000_000:,} MB of memory."
            next_sample = time.monotonic() + SAMPLE_SECONDS
        ready, _, _ = select.select([pipe], [], [], min(SAMPLE_SECONDS, deadline - now))
        if not ready:
            continue
        data = os.read(pipe.fileno(), 1024 * 1024)
        if not data:
            return _BROKEN
        try:
            for event, blob in feed.push(data):
                collected.take(event, blob)
        except frames.Broken:
            return _BROKEN
    return ""


def _last_line(log: BinaryIO) -> str:
    log.seek(0)
    lines = log.read(100_000).decode(errors="replace").strip().splitlines()
    return lines[-1][:300] if lines else ""
