"""The doorbell: whoever puts a message into the queue ends the sleep of the clusters on this machine (`line` does so on the others).

Rows stay the truth. A ring is one datagram, lost without harm; without any, a cluster looks once a second.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import select
import socket
import tempfile
from pathlib import Path

from django.conf import settings

from tasks.worker.flag import Flag
from tasks.worker.line import Line

LONGEST_PATH = 107  # bytes that fit into a unix socket's address (sun_path)
LONGEST_NAME = 24  # "/<pid>-<8 hex digits>.sock"


def folder() -> Path:
    """Where the sockets are: `DATA_DIR/wake`, or a folder for temporary files when that path is too long for an address."""
    path = Path(settings.DATA_DIR) / "wake"
    if len(os.fsencode(path)) + LONGEST_NAME <= LONGEST_PATH:
        return path
    return Path(tempfile.gettempdir()) / f"deployer-wake-{hashlib.sha256(os.fsencode(path)).hexdigest()[:16]}"


def wake() -> None:
    """Ring every bell of this machine, and take away those whose process is gone. Never raises."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as caller:
        caller.setblocking(False)
        for path in folder().glob("*.sock"):
            try:
                caller.sendto(b"1", str(path))
            except ConnectionRefusedError:
                path.unlink(missing_ok=True)
            except OSError:  # full: it has been rung often enough
                continue


class Bell:
    """The socket on which one process waits."""

    def __init__(self) -> None:
        folder().mkdir(mode=0o700, parents=True, exist_ok=True)
        wake()
        self.path = folder() / f"{os.getpid()}-{os.urandom(4).hex()}.sock"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind(str(self.path))

    def wait(self, seconds: float, flag: Flag | None = None, line: Line | None = None) -> bool:
        """Sleep until somebody rings, here or on the line, or the flag is up, at most that long; whether that was so. Earlier rings count."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        if flag:
            poll.register(flag, select.POLLIN)
        if line and line.fileno() >= 0:
            poll.register(line, select.POLLIN)
        rung = bool(poll.poll(max(0.0, seconds) * 1000))
        if line:
            line.hear()
        with contextlib.suppress(BlockingIOError):
            while self._socket.recv(1):
                pass
        return rung

    def close(self) -> None:
        self._socket.close()
        self.path.unlink(missing_ok=True)
