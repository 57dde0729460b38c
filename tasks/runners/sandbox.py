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
from functools import cache
from pathlib import Path

from tasks.runners import base, seccomp
from tasks.runners.course import FOLDER, GRACE_SECONDS, LOOK_SECONDS, PATH, Course, source
from tasks.runners.usage import Usage

FIRST_USER = 1_000_000  # of the numbers that runs take; far from any that a system gives to people or services
PYTHONS = ("/usr/local/bin/python3", "/usr/bin/python3")


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
        self.course = Course(job, watch, "The sandbox")

    def carry_out(self) -> base.Report:
        limits = self.course.limits
        # what is used is watched; RLIMIT_AS bounds what can be taken between two looks
        bounds = {"RLIMIT_NPROC": limits.processes, "RLIMIT_AS": max(4 * limits.memory_mb, 2048) * 1_000_000}
        with contextlib.ExitStack() as stack:
            report, writing = os.pipe()
            job, rules = _memory_file(self.course.order(bounds, {})), _memory_file(seccomp.program() or b"")
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
        return self.course.report(usage, by="bubblewrap, seccomp, resource limits")

    def _command(self, job: int, report: int, rules: int) -> list[str]:
        size = str(self.course.folder_bytes)
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
        command += ["--proc", "/proc", "--dev", "/dev", "--size", "64000000", "--tmpfs", "/tmp", "--size", size, "--tmpfs", FOLDER]  # noqa: S108 - inside the sandbox  # nosec B108
        command += ["--remount-ro", "/", "--chdir", FOLDER, "--seccomp", str(rules), "--"]
        return [*command, _python(), "-I", "-S", "-c", source(), str(job), str(report)]

    def _follow(self, process: subprocess.Popen[bytes], report: int, usage: Usage) -> None:
        """Take everything in until all of it is closed."""
        assert process.stdout and process.stderr  # noqa: S101 - for the type checker: asked for  # nosec B101
        with selectors.DefaultSelector() as selector:
            for file, name in ((process.stdout, "stdout"), (process.stderr, "stderr"), (report, "report")):
                selector.register(file, selectors.EVENT_READ, name)
            while selector.get_map():
                for key, _ in selector.select(LOOK_SECONDS):
                    data = os.read(key.fd, 65536)
                    if not data:
                        selector.unregister(key.fileobj)
                    elif key.data == "report":
                        self.course.heard(data)
                    else:
                        self.course.said(key.data, data)
                self.course.go_on(usage)


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
