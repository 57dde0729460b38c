"""The course of one run: takes in what its first process says, ends what goes beyond its limits, and makes the report.

The same for every runner whose first process is `inside.py`. A runner brings the bytes here as they come, calls `go_on` between them, and lends
`Means` to look at what the program uses and to reach that first process.
"""

from __future__ import annotations

import signal
import time
from functools import cache
from pathlib import Path
from typing import Any, Literal, Protocol

from tasks import frames
from tasks.runners import base

LOOK_SECONDS = 0.02  # between two looks at what is in use
GRACE_SECONDS = 2.0  # from SIGTERM to SIGKILL after a cancellation, and for the last report
START_SECONDS = 5.0  # for building what it runs in
HANDOVER_SECONDS = 10.0  # for the files of `out/`, after the program's end
FOLDER = "/work"
PATH = "/usr/local/bin:/usr/bin:/bin"


class Means(Protocol):
    """What the program and everything that it started use, and the way to its first process."""

    @property
    def cpu_seconds(self) -> float: ...

    @property
    def peak(self) -> int:
        """The most memory that was in use at a time, in bytes."""

    def look(self) -> None:
        """Bring the figures up to date."""

    def beyond(self, memory: int) -> bool:
        """Does it use more than that many bytes?"""

    def signal(self, number: int) -> None:
        """SIGTERM: pass it on. SIGUSR1: end everything, tell the figures. SIGKILL: the first process itself, and with it all."""


class Course:
    def __init__(self, job: base.Job, watch: base.Watch, place: str, key: bytes = b"") -> None:
        """With a key only what bears its seal is believed to be from the first process (`frames.Broken` otherwise)."""
        self.job, self.watch, self.limits = job, watch, job.limits
        self.place = place  # what it runs in, as a sentence about it begins
        self.fault = ""  # why the runner has lost hold of it
        self.words = b""  # of what it runs in, not of the program: why there is no report
        self.ended: dict[str, Any] = {}
        self._feed = frames.Feed(key)
        self._sizes = {"stdout": 0, "stderr": 0}
        self._artefacts: dict[str, bytes] = {}
        self._started: float | None = None
        self._over = False  # the program has ended; its files are coming
        self._limit = 0.0  # when it has to be built, has to end, has to have handed over
        self._status: base.Status | None = None  # why we ended it, if we did
        self._reason = ""
        self._end_by: float | None = None  # when what was asked to end is killed
        self._last_word = False  # it was told to end everything now
        self._next_question = 0.0

    # -- before ------------------------------------------------------------------------------------------------------------------------

    def order(self, rlimits: dict[str, int], env: dict[str, str], **more: object) -> bytes:
        """Everything that `inside.py` is to know: the program, its files, its limits, and what only this runner adds to them. Time runs now."""
        self._limit = time.monotonic() + self.limits.wall_seconds + START_SECONDS
        return packed(self.job, rlimits, env, **more)

    @property
    def folder_bytes(self) -> int:
        """How large its working folder may become."""
        return sum(map(len, self.job.files.values())) + (self.limits.artefacts_mb + 64) * 1_000_000

    # -- while it runs -----------------------------------------------------------------------------------------------------------------

    def heard(self, data: bytes) -> list[dict[str, Any]]:
        """The next bytes of the first process; what it says that is only this runner's to understand."""
        others = []
        for message, content in self._feed.push(data):
            kind = message["kind"]
            if kind == "started":
                self._started = time.monotonic()
                self._limit = self._started + self.limits.wall_seconds
                self.watch.running()
            elif kind == "output":
                self.said(message["stream"], content)
            elif kind == "over":
                self._over, self._limit = True, time.monotonic() + HANDOVER_SECONDS
                self._end_by = self._end_by and self._limit
            elif kind == "artefact":
                self._artefacts[message["path"]] = content
            elif kind == "ended":
                self.ended = message
            else:
                others.append(message)
        return others

    def said(self, stream: Literal["stdout", "stderr"], data: bytes) -> None:
        """The next bytes of the program's output; before its start they are words of what builds the place."""
        if self._started is None:
            self.words = (self.words + data)[:500]
        room = self.limits.output_kb * 1024 - self._sizes[stream]
        self._sizes[stream] += len(data)
        if room > 0:
            self.watch.output(stream, data[:room])

    def go_on(self, means: Means) -> None:
        """Look, judge, ask whether it is still wanted, and kill what was asked to end and has not. To be called every LOOK_SECONDS."""
        now = time.monotonic()
        if self._started is not None and not self._over:
            means.look()
            self._judge(means, now)
        elif now >= self._limit and self._status is None and not self.ended:
            late = "did not hand over its files in time" if self._over else "could not be built in time"
            self._end("internal_error", f"{self.place} {late}.", means, signal.SIGKILL)
        if self._status is None and not self.ended and now >= self._next_question:
            self._next_question = now + 0.1
            if self.watch.cancelled():
                self._end("cancelled", "It was cancelled.", means, signal.SIGTERM)
        if self._end_by is not None and now >= self._end_by:
            means.signal(signal.SIGKILL if self._last_word else signal.SIGUSR1)
            self._last_word, self._end_by = True, now + GRACE_SECONDS

    def _judge(self, means: Means, now: float) -> None:
        if self._status is not None:
            return
        limits = self.limits
        if max(self._sizes.values()) > limits.output_kb * 1024:
            self._end("output_limit", f"It wrote more than {limits.output_kb} kB of output.", means, signal.SIGUSR1)
        elif means.beyond(limits.memory_mb * 1_000_000):
            self._end("oom_killed", f"It used more than {limits.memory_mb} MB of memory.", means, signal.SIGUSR1)
        elif means.cpu_seconds > limits.cpu_seconds:
            self._end("timed_out", f"It used more than {limits.cpu_seconds:g} s of processor time.", means, signal.SIGUSR1)
        elif now >= self._limit:
            self._end("timed_out", f"It ran for more than {limits.wall_seconds:g} s.", means, signal.SIGUSR1)

    def _end(self, status: base.Status, reason: str, means: Means, number: int) -> None:
        self._status, self._reason = status, reason
        self._end_by = time.monotonic() + GRACE_SECONDS
        self._last_word = number == signal.SIGUSR1
        means.signal(number)

    # -- after -------------------------------------------------------------------------------------------------------------------------

    def report(self, means: Means, **applied: object) -> base.Report:
        """How it ended; `applied` says by what the limits were set."""
        ended, limits = self.ended, self.limits
        cut = {name: size > limits.output_kb * 1024 for name, size in self._sizes.items()}
        status, reason = self._status, self._reason
        if status is None and any(cut.values()):
            status, reason = "output_limit", f"It wrote more than {limits.output_kb} kB of output."
        if self.fault and not ended:
            status, reason = "internal_error", self.fault
        elif status is None and not ended:
            words = self.words.decode("utf-8", "replace").strip().splitlines()
            what = f"{self.place} ended before its report." if self._started else f"{self.place} could not be built."
            status, reason = "internal_error", " ".join([what, *words[-1:]])
        elif status is None:
            status, reason = verdict(ended, self.job)
        return base.Report(
            status=status,
            reason=reason,
            exit_code=ended.get("exit_code"),
            signal=ended.get("signal"),
            wall_ms=ended.get("wall_ms", round((time.monotonic() - self._started) * 1000) if self._started else None),
            cpu_ms=ended.get("cpu_ms", round(means.cpu_seconds * 1000)),
            memory_peak_kb=max(ended.get("memory_peak_kb", 0), means.peak // 1024),
            stdout_truncated=cut["stdout"],
            stderr_truncated=cut["stderr"],
            artefacts=self._artefacts,
            left_out=ended.get("left_out", {}),
            applied={**vars(limits), **applied, "network": "off"},
        )


def packed(job: base.Job, rlimits: dict[str, int], env: dict[str, str], **more: object) -> bytes:
    """What `inside.py` reads: the program, its limits and what only this runner adds, then the files."""
    limits = job.limits
    always = {"HOME": FOLDER, "LANG": "C.UTF-8", "TMPDIR": "/tmp", "PYTHONUNBUFFERED": "1"}  # noqa: S108 - inside the container  # nosec B108
    order = {
        "command": list(job.command),
        "env": {"PATH": PATH, **env, **always, **job.env},
        "files": len(job.files),
        "out": base.OUT,
        "artefacts": limits.artefacts_mb * 1_000_000,
        "rlimits": {
            "RLIMIT_CORE": 0,
            "RLIMIT_CPU": round(limits.cpu_seconds) + 1,  # of one process; the sum is watched
            "RLIMIT_FSIZE": limits.file_mb * 1_000_000,
            "RLIMIT_NOFILE": 512,
            **rlimits,
        },
        **more,
    }
    return b"".join([frames.pack(order, job.stdin), *(frames.pack({"path": path}, content) for path, content in job.files.items())])


def verdict(ended: dict[str, Any], job: base.Job) -> tuple[base.Status, str]:
    """How a program ended that nobody ended, by its first process's last word: status and reason."""
    limits, code, number = job.limits, ended.get("exit_code"), ended.get("signal")
    if ended.get("refused"):
        return "failed", f"{job.command[0]} could not be started: {ended['refused']}."
    if ended.get("out_of_memory"):
        return "oom_killed", f"It used more than {limits.memory_mb} MB of memory."
    if number == signal.SIGXCPU:
        return "timed_out", f"It used more than {limits.cpu_seconds:g} s of processor time."
    if code == 0:
        return "succeeded", ""
    return "failed", f"It ended with code {code}." if number is None else f"It was ended by {_name_of(number)}."


@cache
def source(name: str = "inside.py") -> str:
    """The text of a module of this folder, to be given to a Python within."""
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def _name_of(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
