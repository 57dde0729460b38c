"""The first process of a Cloud Run container: closes a program off from the container, watches it, and writes down what happens.

Runs under any Python 3.9 or later with nothing but the standard library: `cloud_run.py` sends it as a zip, together with the modules named below.
In: the folder that Cloud Run mounts from the bucket, with the file `job` that `inside.py` reads; and the limits. Out: numbered files in that
folder, each of whole frames (tasks/frames.py), in this order: started, output …, artefact …, ended; or closed, with the reason why nothing was run.

The program gets namespaces of its own without any network, so that neither others nor the container's identity can be reached, a root that it
cannot write to, memory for its files, a user without rights and the sandbox's filter of system calls. It sees nothing of the mounted folder. Where
one of these cannot be had the program is not run. SIGTERM (Cloud Run's cancellation): the program may clean up for two seconds.
https://man7.org/linux/man-pages/man7/namespaces.7.html, https://cloud.google.com/run/docs/about-execution-environments
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import sys
import time
from pathlib import Path
from typing import Any

from tasks import frames
from tasks.runners import cloud_walls as walls
from tasks.runners import inside
from tasks.runners.cloud_letters import Letters
from tasks.runners.usage import Usage

FLUSH_SECONDS = 1.0  # between two files of output
LOOK_SECONDS = 0.02
GRACE_SECONDS = 2.0  # from SIGTERM to SIGKILL, and for the last report
NOT_ROOT, NOT_CLOSED = 77, 78  # exit codes


class _Usage(Usage):
    """Everything in the container that came after us is the program's, but its first process."""

    def __init__(self, first: int, before: set[int]) -> None:
        super().__init__(os.getpid())
        self._not_its = before | {first}

    def pids(self) -> list[int]:
        return sorted(_processes() - self._not_its)


def _processes() -> set[int]:
    return {int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()}


def _memory_file(content: bytes) -> int:
    descriptor = os.memfd_create("job")
    with os.fdopen(os.dup(descriptor), "wb") as file:
        file.write(content)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


class Keeper:
    """One run, seen from the container."""

    def __init__(self, folder: str, limits: dict[str, Any]) -> None:
        self.limits = limits
        self.letters = Letters(folder)
        self.feed = frames.Feed()
        self.sizes = {"stdout": 0, "stderr": 0}
        self.ended: dict[str, Any] = {}
        self.started: float | None = None
        self.status = self.reason = ""  # why we ended it, if we did
        self.end_by: float | None = None
        self.last_word = False
        self.told_to_end = False

    def carry_out(self) -> int:
        """The container's exit code; 0: the end is told."""
        if os.geteuid() != 0:
            return NOT_ROOT
        try:
            (self.letters.folder / "taken").touch(exist_ok=False)
        except FileExistsError:  # the job was started twice
            return 0
        signal.signal(signal.SIGTERM, self._told)
        job = _memory_file((self.letters.folder / "job").read_bytes())
        before = _processes()
        reading = {}
        writing = {}
        for name in ("stdout", "stderr", "report", "trouble"):
            reading[name], writing[name] = os.pipe()
        try:
            walls.leave_processes()
        except OSError as error:
            return self._not_closed(str(error))
        self.pid = os.fork()
        if self.pid == 0:
            for descriptor in reading.values():
                os.close(descriptor)
            self._first_process(job, writing)
        for descriptor in (job, *writing.values()):
            os.close(descriptor)
        self.usage = _Usage(self.pid, before)
        trouble = os.read(reading["trouble"], 500).decode("utf-8", "replace")
        if trouble:
            os.waitpid(self.pid, 0)
            return self._not_closed(trouble)
        self._follow({name: reading[name] for name in ("stdout", "stderr", "report")})
        os.waitpid(self.pid, 0)
        self.letters.add(self._end())
        self.letters.send()
        return 0

    def _not_closed(self, reason: str) -> int:
        self.letters.add({"kind": "closed", "reason": reason})
        self.letters.send()
        return NOT_CLOSED

    def _told(self, number: int, frame: object) -> None:
        self.told_to_end = True

    def _first_process(self, job: int, writing: dict[str, int]) -> None:
        """Never returns. `trouble` closes without a word once the program is closed off."""
        try:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # Python has a handler for it, so the program could send it
            walls.close_off(self.letters.folder, self.limits["folder_bytes"])
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(writing["stdout"], 1)
            os.dup2(writing["stderr"], 2)
            for name in ("stdout", "stderr", "trouble"):
                os.close(writing[name])
        except BaseException as error:
            os.write(writing["trouble"], str(error).encode()[:500])
            os._exit(NOT_CLOSED)
        try:
            inside.main(job, writing["report"])
        finally:
            os._exit(0)

    def _follow(self, pipes: dict[str, int]) -> None:
        """Take everything in until all of it is closed, and end what goes beyond its limits."""
        with selectors.DefaultSelector() as selector:
            for name, descriptor in pipes.items():
                selector.register(descriptor, selectors.EVENT_READ, name)
            while selector.get_map():
                for key, _ in selector.select(LOOK_SECONDS):
                    data = os.read(key.fd, 65536)
                    if not data:
                        selector.unregister(key.fd)
                    elif key.data == "report":
                        self._heard(data)
                    else:
                        self._said(key.data, data)
                now = time.monotonic()
                if self.started is not None and not self.ended:
                    self.usage.look()
                    self._judge(now)
                if self.end_by is not None and now >= self.end_by:
                    os.kill(self.pid, signal.SIGKILL if self.last_word else signal.SIGUSR1)
                    self.last_word, self.end_by = True, now + GRACE_SECONDS
                if now - self.letters.sent >= FLUSH_SECONDS:
                    self.letters.send()

    def _heard(self, data: bytes) -> None:
        if self.end_by is not None:  # what it leaves takes as long as it takes to be written
            self.end_by = time.monotonic() + GRACE_SECONDS
        for message, content in self.feed.push(data):
            if message["kind"] == "started":
                self.started = time.monotonic()
                self.letters.add(message)
                self.letters.send()
            elif message["kind"] == "artefact":
                self.letters.add(message, content)
            elif message["kind"] == "ended":
                self.ended = message

    def _said(self, stream: str, data: bytes) -> None:
        room = self.limits["output_kb"] * 1024 - self.sizes[stream]
        self.sizes[stream] += len(data)
        if room > 0:
            self.letters.add({"kind": "output", "stream": stream}, data[:room])

    def _judge(self, now: float) -> None:
        limits = self.limits
        if self.status:
            return
        if self.told_to_end:
            self._stop("cancelled", "The container was told to end.", signal.SIGTERM)
        elif self._too_much():
            self._stop("output_limit", f"It wrote more than {limits['output_kb']} kB of output.", signal.SIGUSR1)
        elif self.usage.memory > limits["memory_mb"] * 1_000_000 and self.usage.look_closely() > limits["memory_mb"] * 1_000_000:
            self._stop("oom_killed", f"It used more than {limits['memory_mb']} MB of memory.", signal.SIGUSR1)
        elif self.usage.cpu_seconds > limits["cpu_seconds"]:
            self._stop("timed_out", f"It used more than {limits['cpu_seconds']:g} s of processor time.", signal.SIGUSR1)
        elif self.started is not None and now >= self.started + limits["wall_seconds"]:
            self._stop("timed_out", f"It ran for more than {limits['wall_seconds']:g} s.", signal.SIGUSR1)

    def _stop(self, status: str, reason: str, number: int) -> None:
        self.status, self.reason = status, reason
        self.end_by, self.last_word = time.monotonic() + GRACE_SECONDS, number == signal.SIGUSR1
        os.kill(self.pid, number)

    def _too_much(self) -> bool:
        return max(self.sizes.values()) > self.limits["output_kb"] * 1024

    def _end(self) -> dict[str, Any]:
        """The figures, and what we ended it for; how a program ended that ended by itself is judged by who reads this."""
        if not self.status and self._too_much():
            self.status, self.reason = "output_limit", f"It wrote more than {self.limits['output_kb']} kB of output."
        peak = self.usage.peak // 1024
        return {
            "wall_ms": round((time.monotonic() - self.started) * 1000) if self.started else None,
            "cpu_ms": round(self.usage.cpu_seconds * 1000),
            **self.ended,
            "kind": "ended",
            "told": bool(self.ended),
            "status": self.status,
            "reason": self.reason,
            "memory_peak_kb": max(self.ended.get("memory_peak_kb", 0), peak),
            "cut": [name for name, size in self.sizes.items() if size > self.limits["output_kb"] * 1024],
        }


if __name__ == "__main__":
    sys.exit(Keeper(sys.argv[1], json.loads(sys.argv[2])).carry_out())
