"""One container of the emulated Cloud Run: a real process with root's rights in namespaces of its own, a folder of the bucket mounted in it.

The walls around it are bubblewrap's, so that nothing of it reaches the machine; the machine's own Python and programs are its image. It is told to
end, given ten seconds, and killed as Cloud Run does; beyond its memory it is killed at once.
https://cloud.google.com/run/docs/container-contract
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

from tasks.runners.usage import Usage

GRACE_SECONDS = 10.0


class Container:
    """`run` blocks to its end; `exit_code` or `term_signal` and `message` tell how that was."""

    def __init__(self, command: list[str], mounts: dict[str, Path], memory: int, seconds: float, env: dict[str, str]) -> None:
        self.command, self.mounts, self.memory, self.seconds, self.env = command, mounts, memory, seconds, env
        self.user, self.rights = 0, "ALL"  # whom it starts as, with what capabilities
        self.exit_code: int | None = None
        self.term_signal: int | None = None
        self.message = ""
        self.output = b""
        self._told = threading.Event()
        self._kill = threading.Event()

    def tell(self) -> None:
        """SIGTERM, and SIGKILL ten seconds later."""
        self._told.set()

    def kill(self) -> None:
        self._kill.set()

    def run(self) -> None:
        with subprocess.Popen(self._walled(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd="/") as process:
            usage = Usage(process.pid)
            started, told_at = time.monotonic(), 0.0
            while process.poll() is None:
                usage.look()
                now = time.monotonic()
                if self._told.is_set() and not told_at:
                    told_at = now
                    usage.signal(signal.SIGTERM)
                killed = self._kill.is_set() or (told_at and now > told_at + GRACE_SECONDS)
                if usage.memory > self.memory:
                    self.message = f"Memory limit of {self.memory >> 20} MiB exceeded with {usage.memory >> 20} MiB used."
                elif now > started + self.seconds:
                    self.message = "The configured timeout was reached."
                if killed or self.message:
                    usage.signal(signal.SIGKILL)
                    process.wait(5)
                    self.term_signal = int(signal.SIGKILL)
                self._told.wait(0.02) if not told_at else time.sleep(0.02)
            assert process.stdout
            self.output = process.stdout.read()
            usage.close()
            if self.term_signal is None:
                self.exit_code = process.returncode

    def _walled(self) -> list[str]:
        command = ["bwrap", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--die-with-parent", "--as-pid-1", "--new-session", "--clearenv"]
        command += ["--ro-bind", "/usr", "/usr", "--cap-drop", "ALL", "--cap-add", self.rights]
        for folder in ("/bin", "/lib", "/lib64", "/sbin"):
            path = Path(folder)
            command += ["--symlink", str(path.readlink()), folder] if path.is_symlink() else ["--ro-bind-try", folder, folder]
        for name in ("/etc/alternatives", "/etc/ld.so.cache"):
            command += ["--ro-bind-try", name, name]
        command += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]
        for where, folder in self.mounts.items():
            command += ["--bind", str(folder), where]
        for name, value in {"PATH": "/usr/local/bin:/usr/bin:/bin", **self.env}.items():
            command += ["--setenv", name, value]
        python = next(path for path in ("/usr/local/bin/python3", "/usr/bin/python3") if Path(path).exists())
        as_user = ["setpriv", "--reuid", str(self.user), "--clear-groups", "--inh-caps=-all"] if self.user else []
        return [*command, "--", *as_user, *[python if word == "python3" else word for word in self.command]]


def missing() -> str:
    """Why no container can be had here; empty when it can."""
    if not shutil.which("bwrap") or os.geteuid() != 0:
        return "the emulated container needs bubblewrap and root"
    return ""
