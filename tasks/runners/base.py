"""What a runner gets and gives.

Plain data on both sides: rows are `tasks.runs`' part, so a runner can be tried without a database. A runner never raises for anything that the
program does, and never runs a program without the protection that it promises: where the machine refuses it, `unavailable()` says why.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar, Literal, Protocol

Status = Literal["succeeded", "failed", "timed_out", "oom_killed", "output_limit", "cancelled", "internal_error"]
OUT = "out"  # what the program writes into this folder of its working folder is kept


@dataclass(frozen=True)
class Limits:
    """What one run may use. Network access is never among it."""

    wall_seconds: float = 30.0
    cpu_seconds: float = 20.0
    memory_mb: int = 512
    processes: int = 64
    file_mb: int = 10  # the largest file that it may write
    output_kb: int = 256  # of stdout and of stderr, each; more ends the run as `output_limit`
    artefacts_mb: int = 20  # of all files in `out/` together


# A run must end, and be written down, before its job's time is over (JOB_TIMEOUT_SECONDS): a worker that is ended then takes it along.
MOST = Limits(wall_seconds=240.0, cpu_seconds=240.0, memory_mb=2048, processes=256, file_mb=100, output_kb=4096, artefacts_mb=100)


@dataclass(frozen=True)
class Job:
    """One program to run: its files (path to bytes) are its working folder, `command` starts it there."""

    command: tuple[str, ...]
    files: dict[str, bytes] = field(default_factory=dict)
    stdin: bytes = b""
    env: dict[str, str] = field(default_factory=dict)
    limits: Limits = Limits()
    name: str = ""  # unique among all runs, so that a runner outside can find it again


@dataclass(frozen=True)
class Report:
    """How it ended. Figures are those of the program and everything it started, not of what watched it."""

    status: Status
    reason: str = ""  # one sentence for a person, empty when it simply succeeded
    exit_code: int | None = None
    signal: int | None = None
    wall_ms: int | None = None
    cpu_ms: int | None = None
    memory_peak_kb: int | None = None
    stdout_truncated: bool = False
    stderr_truncated: bool = False
    artefacts: dict[str, bytes] = field(default_factory=dict)  # path below `out/` to content
    left_out: dict[str, str] = field(default_factory=dict)  # path below `out/` to why it was not kept
    applied: dict[str, object] = field(default_factory=dict)  # the limits as they were set, and by what


class Watch(Protocol):
    """Told what happens while it runs; asked whether to go on. Called from one thread, at least every half second while the program runs."""

    def running(self) -> None:
        """The program has been started."""

    def output(self, stream: Literal["stdout", "stderr"], data: bytes) -> None:
        """Bytes as they come, up to the limit of the job."""

    def cancelled(self) -> bool:
        """True: end the program, SIGTERM first, SIGKILL two seconds later."""


class Runner(ABC):
    name: ClassVar[str]

    @abstractmethod
    def unavailable(self) -> str:
        """Why it cannot run anything here, naming the cure; empty when it can. Cheap enough to ask before every run."""

    def forget(self) -> None:
        """Whatever `unavailable` remembers is asked anew at its next call; a runner that remembers nothing has nothing to do."""
        return

    @abstractmethod
    def run(self, job: Job, watch: Watch) -> Report:
        """Run it to its end. Blocks for at most the wall limit and a few seconds. Nothing of it is left when this returns."""

    def discard(self, name: str) -> None:
        """End and remove what a dead worker left of the job of that name. A runner whose programs die with the worker has nothing to do."""
        return
