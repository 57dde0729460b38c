"""A data folder, a database and the worker processes on them, as an operator would start them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from tests import migrated

T = TypeVar("T")

SLACK = 4.0
"""The limits in these tests are what the service needs when it has the machine for itself; a busy machine may take this many times as long."""

ROOT = Path(__file__).resolve().parent.parent.parent


def until(condition: Callable[[], T], seconds: float, what: str | Callable[[], str]) -> T:
    """The first true value of the condition; AssertionError when there is none in time."""
    end = time.monotonic() + seconds * SLACK
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"not within {seconds * SLACK} s: {what if isinstance(what, str) else what()}"
        time.sleep(0.02)


def stat(pid: int) -> tuple[str, str, int] | None:
    """Name, state and group of a process, None when it is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    head, _, tail = text.rpartition(")")
    return head.partition("(")[2], tail.split()[0], int(tail.split()[2])


def alive(pid: int) -> bool:
    found = stat(pid)
    return found is not None and found[1] not in "ZX"


class Supervisor:
    """A running `manage.py worker`."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process = process
        self.log = log

    def group(self, name: str = "") -> list[int]:
        """The living processes of its cluster, of one kind: cluster, pusher, monitor, worker."""
        cluster = [int(pid) for pid in Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()]
        pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
        rows = [(pid, stat(pid)) for pid in pids]
        return sorted(pid for pid, row in rows if row and row[1] not in "ZX" and row[2] in cluster and row[0].startswith(f"queue-{name}"))

    def whole(self, workers: int = 2) -> bool:
        return len(self.group("worker")) == workers and len(self.group()) == workers + 3

    def kill(self, pid: int, number: int = signal.SIGKILL) -> None:
        assert stat(pid)[2] in self.group("cluster"), "a process that is not ours"
        os.kill(pid, number)

    def end(self, seconds: float = 10) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds * SLACK)

    def text(self) -> str:
        return self.log.read_text()


class Box:
    def __init__(self, folder: Path, database_url: str = "") -> None:
        self.folder = folder
        self.notes_path = folder / "notes"
        self.env = os.environ | {"DATA_DIR": str(folder / "data"), "DJANGO_SETTINGS_MODULE": "tests.worker.settings", "DATABASE_URL": database_url}
        self.env.pop("TEST_DATABASE_URL", None)
        self._supervisors: list[Supervisor] = []
        self._shared: Supervisor | None = None
        if not database_url:
            migrated.copy_to(folder / "data")
        subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=self.env, check=True, timeout=60)
        self._control = subprocess.Popen(
            [sys.executable, "-m", "tests.worker.control"], cwd=ROOT, env=self.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.call("ready")

    def call(self, name: str, *args: Any, **options: Any) -> Any:
        """A function of tests/worker/control.py."""
        self.tell(name, *args, **options)
        return self.answer()

    def tell(self, name: str, *args: Any, **options: Any) -> None:
        assert self._control.stdin
        self._control.stdin.write(json.dumps([name, args, options]) + "\n")
        self._control.stdin.flush()

    def answer(self) -> Any:
        assert self._control.stdout
        return json.loads(self._control.stdout.readline())

    def start(self, workers: int = 2, machine: str = "", **env: str) -> Supervisor:
        """A worker of the test's own, after its first pulse. A shared one is ended. `machine`: as on another host of that name, with which it shares
        the database and nothing else."""
        if self._shared:
            self.clear(all=True)
        if machine:
            env |= {"TEST_HOSTNAME": machine, "DATA_DIR": str(self.folder / machine)}
        log = self.folder / f"worker-{len(self._supervisors)}.log"
        known = {row["pid"] for row in self.call("workers") if row["progress_at"]}
        with log.open("wb") as file:
            command = [sys.executable, "manage.py", "worker", "--processes", str(workers)]
            process = subprocess.Popen(command, cwd=ROOT, env=self.env | env, stdout=file, stderr=subprocess.STDOUT)
        supervisor = Supervisor(process, log)
        self._supervisors.append(supervisor)
        until(lambda: {row["pid"] for row in self.call("workers") if row["progress_at"]} - known, 20, "a first pulse")
        return supervisor

    def worker(self) -> Supervisor:
        """A worker with two processes, if possible the one of the test before. Not for tests that have it run rounds: it would go on with them."""
        if self._shared is None:
            self._shared = self.start()
        return self._shared

    def note(self, label: str, seconds: float = 0.0) -> float:
        """Enqueue a job that notes the label after so many seconds; the time at which it was enqueued."""
        return float(self.call("enqueue", "note", str(self.notes_path), label, seconds))

    def notes(self) -> list[tuple[str, int, float]]:
        if not self.notes_path.exists():
            return []
        rows = [line.split() for line in self.notes_path.read_text().splitlines()]
        return [(label, int(pid), float(when)) for label, pid, when in rows]

    def labels(self) -> list[str]:
        return [label for label, _, _ in self.notes()]

    def until_noted(self, label: str, seconds: float) -> tuple[str, int, float]:
        return until(lambda: next((row for row in self.notes() if row[0] == label), None), seconds, f"the job {label}")

    def clear(self, all: bool = False) -> None:
        """Kill what a test left running (a shared worker in good order may stay), and empty the tables."""
        if self._shared and (all or self._shared.process.poll() is not None or not self._shared.whole()):
            self._shared = None
        for supervisor in self._supervisors:
            if supervisor is not self._shared and supervisor.process.poll() is None:
                group = supervisor.group()
                supervisor.process.kill()
                supervisor.process.wait()
                until(lambda group=group: not any(map(alive, group)), 5, "the end of the cluster")
        self.notes_path.unlink(missing_ok=True)
        self.call("clear", self._shared and self._shared.process.pid)

    def close(self) -> None:
        self.clear(all=True)
        assert self._control.stdin
        self._control.stdin.close()
        self._control.wait(5)
        assert self._control.stdout
        self._control.stdout.close()
