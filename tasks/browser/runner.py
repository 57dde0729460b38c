"""`python -m tasks.browser.runner`: one visit to one page, in a process of its own.

In: one frame on standard input (what to look at), then one frame per file. Out: frames on standard output, as soon as something is known. Then it
waits to be killed, which is how every visit ends. No Django here but the settings object that the address guard reads; no secret in the environment.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
from pathlib import Path
from typing import Any, BinaryIO

from tasks import frames
from tasks.browser import chromium, jail

PR_SET_CHILD_SUBREAPER = 36
NICENESS = 5  # accepting, publishing and notifying go before looking
# Whether Chromium's own sandbox is on; tried in turn, since only trying tells whether the kernel grants what it needs.
ATTEMPTS = ({"namespace": True, "sandbox": True}, {"namespace": True, "sandbox": False}, {"namespace": False, "sandbox": False})


class Errand:
    """What to look at, and where to say what was seen."""

    def __init__(self, source: BinaryIO, out: BinaryIO) -> None:
        self.order, _ = frames.read(source)
        self.files = [frames.read(source) for _ in range(self.order["files"])]
        self._out = out

    def emit(self, event: str, *, blob: bytes = b"", **values: Any) -> None:
        self._out.write(frames.pack({"event": event, **values}, blob))
        self._out.flush()


def main() -> None:
    parent = os.getppid()
    out = os.fdopen(os.dup(1), "wb", 0)
    os.dup2(2, 1)
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        libc.prctl(jail.PR_SET_PDEATHSIG, signal.SIGKILL)
        libc.prctl(PR_SET_CHILD_SUBREAPER, 1)  # whatever Chromium leaves behind stays findable under this process,
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # and what has ended is cleared away at once
    os.nice(NICENESS)
    errand = Errand(sys.stdin.buffer, out)
    if os.getppid() != parent:
        return
    reason = ""
    for number, attempt in enumerate(ATTEMPTS):
        folder = Path(errand.order["folder"]) / f"profile-{number}"
        folder.mkdir(mode=0o700)
        try:
            namespace = attempt["namespace"] and errand.order["namespace"]
            jailed = jail.start(errand.order["chromium"], folder, _command(errand, folder), namespace=namespace, sandbox=attempt["sandbox"])
        except OSError as error:
            reason = str(error)
            continue
        if _look(errand, jailed):
            break
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(jailed.pid, signal.SIGKILL)
            os.waitpid(jailed.pid, 0)
        jailed.listener.close()
        reason = _last_words(folder)
    else:
        errand.emit("unavailable", reason=f"Chromium ({errand.order['chromium']}) does not start: {reason or 'it says nothing'}")
    errand.emit("done")
    while os.getppid() == parent:
        signal.sigtimedwait([], 1)


def _look(errand: Errand, jailed: jail.Jailed) -> bool:
    from tasks.browser import visit  # these imports take as long as Chromium's start, and so go on beside it

    return visit.run(errand, jailed)


def _command(errand: Errand, folder: Path) -> Any:
    executable = errand.order["chromium"]
    return lambda port, sandbox: chromium.arguments(executable, profile=str(folder), proxy_port=port, sandbox=sandbox)


def _last_words(folder: Path) -> str:
    try:
        lines = (folder / "chromium.log").read_text(errors="replace").splitlines()
    except OSError:
        return ""
    told = [line for line in lines if "FATAL" in line or "error while loading" in line] or lines
    return told[-1][:300] if told else ""


if __name__ == "__main__":
    main()
