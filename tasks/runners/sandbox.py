"""Programs in a sandbox on this machine: bubblewrap's namespaces, a user of its own, limits, and a filter of system calls.

The program sees the system's programs and libraries, read only, an empty /tmp and its files in /work, both in memory and of limited size; no
network, no other process, nothing of the service. What it may use is watched from outside, where it cannot reach: memory and processor time of
everything it started, output, wall time. `inside.py` is the first process within; it tells how it ended and hands over the files of `out/`.
Limits by process count hold for a user, so each run gets a user number of its own where the service runs as root; without root they are counted
within the sandbox. https://github.com/containers/bubblewrap, https://man7.org/linux/man-pages/man2/setrlimit.2.html
"""

from __future__ import annotations

import contextlib
import os
import selectors
import shutil
import signal
import subprocess
import sys
import time
from functools import cache
from pathlib import Path
from typing import Any

from tasks import frames
from tasks.runners import base, seccomp
from tasks.runners.usage import Usage

FIRST_USER = 1_000_000  # of the numbers that runs take; far from any that a system gives to people or services
LOOK_SECONDS = 0.02  # between two looks at what is in use
GRACE_SECONDS = 2.0  # from SIGTERM to SIGKILL after a cancellation, and for the last report
PYTHONS = ("/usr/local/bin/python3", "/usr/bin/python3")
PATH = "/usr/local/bin:/usr/bin:/bin"
INSIDE = Path(__file__).with_name("inside.py")
FOLDER = "/work"


class Runner(base.Runner):
    name = "sandbox"

    def unavailable(self) -> str:
        return _refusal()

    def forget(self) -> None:
        _refusal.cache_clear()

    def run(self, job: base.Job, watch: base.Watch) -> base.Report:
        if reason := _refusal():
            return base.Report("internal_error", reason)
        return _Run(job, watch).carry_out()


@cache
def _refusal() -> str:
    """Tried once with everything that a run gets."""
    if sys.platform != "linux":
        return "The sandbox needs Linux; use RUNNER=docker or RUNNER=cloud_run here."
    if not shutil.which("bwrap"):
        return "bubblewrap is not installed: apt install bubblewrap, or use another RUNNER."
    if not _python():
        return f"The sandbox needs Python at {' or '.join(PYTHONS)}: apt install python3."
    if seccomp.program() is None:
        return "The sandbox has no filter of system calls for this kind of processor; use RUNNER=docker."
    if os.geteuid() == 0 and not shutil.which("setpriv"):
        return "The sandbox needs setpriv to leave root: apt install util-linux."
    job = base.Job(("/bin/true",), limits=base.Limits(wall_seconds=5, processes=8))
    report = _Run(job, _Nobody()).carry_out()
    if report.status == "succeeded":
        return ""
    cure = (
        "see that unprivileged user namespaces are allowed (Ubuntu: an AppArmor profile for bwrap, or kernel.apparmor_restrict_unprivileged_userns=0)"
    )
    return f"This machine does not let bubblewrap build a sandbox; {cure}. It said: {report.reason}"[:500]


def _python() -> str:
    return next((path for path in PYTHONS if Path(path).exists()), "")


class _Nobody:
    """Watches the trial."""

    def running(self) -> None:
        return

    def output(self, stream: str, data: bytes) -> None:
        return

    def cancelled(self) -> bool:
        return False


class _Run:
    """One run, from its start to its report."""

    def __init__(self, job: base.Job, watch: base.Watch) -> None:
        self.job, self.watch, self.limits = job, watch, job.limits
        self.feed = frames.Feed()
        self.sizes = {"stdout": 0, "stderr": 0}
        self.artefacts: dict[str, bytes] = {}
        self.ended: dict[str, Any] = {}
        self.started: float | None = None
        self.status: base.Status | None = None  # why we ended it, if we did
        self.reason = ""
        self.end_by: float | None = None  # when what was asked to end is killed
        self.last_word = False  # it was told to end everything now
        self.words = b""  # of bubblewrap itself, before the program starts

    def carry_out(self) -> base.Report:
        with contextlib.ExitStack() as stack:
            report, writing = os.pipe()
            job, rules = _memory_file(self._packed()), _memory_file(seccomp.program() or b"")
            theirs = (job, rules, writing)
            process = subprocess.Popen(  # noqa: S603 - running what strangers wrote is what a sandbox is for  # nosec B603
                self._command(job, writing, rules),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=theirs,
                start_new_session=True,
                env={"PATH": PATH},
                cwd="/",
            )
            for descriptor in theirs:
                os.close(descriptor)
            stack.callback(os.close, report)
            usage = Usage(process.pid)
            stack.callback(_finish, process, usage)
            self._follow(process, report, usage)
        return self._report()

    # -- before ------------------------------------------------------------------------------------------------------------------------

    def _packed(self) -> bytes:
        limits = self.limits
        order = {
            "command": list(self.job.command),
            "env": {"PATH": PATH, "HOME": FOLDER, "LANG": "C.UTF-8", "TMPDIR": "/tmp", "PYTHONUNBUFFERED": "1", **self.job.env},  # noqa: S108 - inside the sandbox  # nosec B108
            "files": len(self.job.files),
            "out": base.OUT,
            "artefacts": limits.artefacts_mb * 1_000_000,
            "rlimits": {
                "RLIMIT_CORE": 0,
                "RLIMIT_CPU": round(limits.cpu_seconds) + 1,  # of one process; the sum is watched from outside
                "RLIMIT_FSIZE": limits.file_mb * 1_000_000,
                "RLIMIT_NOFILE": 512,
                "RLIMIT_NPROC": limits.processes,
                "RLIMIT_AS": max(4 * limits.memory_mb, 2048) * 1_000_000,  # what is used is watched; this bounds what can be taken between two looks
            },
        }
        parts = [frames.pack(order, self.job.stdin)]
        return b"".join(parts + [frames.pack({"path": path}, content) for path, content in self.job.files.items()])

    def _command(self, job: int, report: int, rules: int) -> list[str]:
        size = sum(map(len, self.job.files.values())) + (self.limits.artefacts_mb + 64) * 1_000_000
        user = str(FIRST_USER + os.getpid())
        leave_root = ["setpriv", "--reuid", user, "--regid", user, "--clear-groups", "--no-new-privs", "--"] if os.geteuid() == 0 else []
        command = [*leave_root, "bwrap", "--unshare-all", "--unshare-user", "--disable-userns", "--die-with-parent", "--as-pid-1", "--new-session"]
        command += ["--clearenv", "--cap-drop", "ALL", "--uid", "65534", "--gid", "65534", "--hostname", "sandbox", "--ro-bind", "/usr", "/usr"]
        for folder in ("/bin", "/lib", "/lib64", "/sbin"):
            path = Path(folder)
            if path.is_symlink():
                command += ["--symlink", str(path.readlink()), folder]
            elif path.exists():
                command += ["--ro-bind", folder, folder]
        for name in ("/etc/alternatives", "/etc/ld.so.cache", "/etc/localtime"):
            command += ["--ro-bind-try", name, name]
        command += ["--proc", "/proc", "--dev", "/dev", "--size", "64000000", "--tmpfs", "/tmp", "--size", str(size), "--tmpfs", FOLDER]  # noqa: S108 - inside the sandbox  # nosec B108
        command += ["--remount-ro", "/", "--chdir", FOLDER, "--seccomp", str(rules), "--"]
        return [*command, _python(), "-I", "-S", "-c", _source(), str(job), str(report)]

    # -- while it runs -----------------------------------------------------------------------------------------------------------------

    def _follow(self, process: subprocess.Popen[bytes], report: int, usage: Usage) -> None:
        """Take everything in until all of it is closed, and end what goes beyond its limits."""
        assert process.stdout and process.stderr  # noqa: S101 - for the type checker: asked for  # nosec B101
        with selectors.DefaultSelector() as selector:
            for file, name in ((process.stdout, "stdout"), (process.stderr, "stderr"), (report, "report")):
                selector.register(file, selectors.EVENT_READ, name)
            limit = time.monotonic() + self.limits.wall_seconds + 5  # for building the sandbox
            next_question = 0.0
            while selector.get_map():
                for key, _ in selector.select(LOOK_SECONDS):
                    data = os.read(key.fd, 65536)
                    if not data:
                        selector.unregister(key.fileobj)
                    elif key.data == "report":
                        limit = self._heard(data, limit)
                    else:
                        self._said(key.data, data)
                now = time.monotonic()
                if self.started is not None and not self.ended:
                    usage.look()
                    self._judge(usage, now, limit)
                    if self.status is None and now >= next_question:
                        next_question = now + 0.1
                        if self.watch.cancelled():
                            self._end("cancelled", "It was cancelled.", usage, signal.SIGTERM)
                elif self.started is None and now >= limit:
                    self._end("internal_error", "The sandbox could not be built in time.", usage, signal.SIGKILL)
                if self.end_by is not None and now >= self.end_by:
                    usage.signal(signal.SIGKILL if self.last_word else signal.SIGUSR1)
                    self.last_word, self.end_by = True, now + GRACE_SECONDS
        self.usage = usage

    def _heard(self, data: bytes, limit: float) -> float:
        for message, content in self.feed.push(data):
            if message["kind"] == "started":
                self.started = time.monotonic()
                limit = self.started + self.limits.wall_seconds
                self.watch.running()
            elif message["kind"] == "artefact":
                self.artefacts[message["path"]] = content
            else:
                self.ended = message
        return limit

    def _said(self, stream: str, data: bytes) -> None:
        if self.started is None:
            self.words = (self.words + data)[:500]
        room = self.limits.output_kb * 1024 - self.sizes[stream]
        self.sizes[stream] += len(data)
        if room > 0:
            self.watch.output(stream, data[:room])  # type: ignore[arg-type]

    def _judge(self, usage: Usage, now: float, limit: float) -> None:
        if self.status is not None:
            return
        limits = self.limits
        if max(self.sizes.values()) > limits.output_kb * 1024:
            self._end("output_limit", f"It wrote more than {limits.output_kb} kB of output.", usage, signal.SIGUSR1)
        elif usage.memory > limits.memory_mb * 1_000_000 and usage.look_closely() > limits.memory_mb * 1_000_000:
            self._end("oom_killed", f"It used more than {limits.memory_mb} MB of memory.", usage, signal.SIGUSR1)
        elif usage.cpu_seconds > limits.cpu_seconds:
            self._end("timed_out", f"It used more than {limits.cpu_seconds:g} s of processor time.", usage, signal.SIGUSR1)
        elif now >= limit:
            self._end("timed_out", f"It ran for more than {limits.wall_seconds:g} s.", usage, signal.SIGUSR1)

    def _end(self, status: base.Status, reason: str, usage: Usage, number: int) -> None:
        self.status, self.reason = status, reason
        self.end_by = time.monotonic() + GRACE_SECONDS
        self.last_word = number == signal.SIGUSR1
        usage.signal(number)

    # -- after -------------------------------------------------------------------------------------------------------------------------

    def _report(self) -> base.Report:
        ended, limits = self.ended, self.limits
        cut = {name: size > limits.output_kb * 1024 for name, size in self.sizes.items()}
        status, reason = self.status, self.reason
        code, number = ended.get("exit_code"), ended.get("signal")
        if status is None and any(cut.values()):
            status, reason = "output_limit", f"It wrote more than {limits.output_kb} kB of output."
        if status is None and not ended:
            words = self.words.decode("utf-8", "replace").strip().splitlines()
            what = "The sandbox ended before its report." if self.started else "The sandbox could not be built."
            status, reason = "internal_error", " ".join([what, *words[-1:]])
        elif status is None and ended.get("refused"):
            status, reason = "failed", f"{self.job.command[0]} could not be started: {ended['refused']}."
        elif status is None and number == signal.SIGXCPU:
            status, reason = "timed_out", f"It used more than {limits.cpu_seconds:g} s of processor time."
        elif status is None:
            status = "succeeded" if code == 0 else "failed"
            reason = "" if code == 0 else f"It ended with code {code}." if number is None else f"It was ended by {_name_of(number)}."
        return base.Report(
            status=status,
            reason=reason,
            exit_code=code,
            signal=number,
            wall_ms=ended.get("wall_ms", round((time.monotonic() - self.started) * 1000) if self.started else None),
            cpu_ms=ended.get("cpu_ms", round(self.usage.cpu_seconds * 1000)),
            memory_peak_kb=max(ended.get("memory_peak_kb", 0), self.usage.peak // 1024),
            stdout_truncated=cut["stdout"],
            stderr_truncated=cut["stderr"],
            artefacts=self.artefacts,
            left_out=ended.get("left_out", {}),
            applied={**vars(limits), "by": "bubblewrap, seccomp, resource limits", "network": "off"},
        )


@cache
def _source() -> str:
    return INSIDE.read_text(encoding="utf-8")


def _memory_file(content: bytes) -> int:
    descriptor = os.memfd_create("deployer-run")
    with os.fdopen(os.dup(descriptor), "wb") as file:
        file.write(content)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _finish(process: subprocess.Popen[bytes], usage: Usage) -> None:
    """With the first process everything in the sandbox ends; bubblewrap goes once it has seen that."""
    usage.signal(signal.SIGKILL)
    try:
        process.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    usage.close()
    for file in (process.stdout, process.stderr):
        if file:
            file.close()


def _name_of(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
