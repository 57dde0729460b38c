"""What the kernel is asked to do for our processes: end them with their parent, and show a name in `ps`."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from pathlib import Path

LINUX = sys.platform == "linux"
PR_SET_PDEATHSIG, PR_SET_NAME = 1, 15  # https://man7.org/linux/man-pages/man2/prctl.2.html

_parent = 0
_name = ""


def die_with_parent(parent: int) -> None:
    """SIGKILL for this process when its parent is gone, also if that was before the call. Linux; nothing elsewhere."""
    if LINUX:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)


def show_name(name: str) -> None:
    """The name in `ps -o comm` (15 bytes)."""
    if LINUX:
        ctypes.CDLL(None).prctl(PR_SET_NAME, name.encode()[:15])


def name_next(name: str) -> None:
    """The name that the next process forked by this one shows."""
    global _name
    _name = name


def tie_children() -> None:
    """From now on every process forked here, and by its children, ends with its parent. Cannot be undone: call it in a process of your own."""
    os.register_at_fork(before=_remember, after_in_child=_follow)


def _remember() -> None:
    global _parent
    _parent = os.getpid()


def _follow() -> None:
    die_with_parent(_parent)
    if _name:
        show_name(_name)


def is_alive(pid: int, group: int) -> bool:
    """Whether the process runs and belongs to the process group. One that is dead and not yet waited for is not alive."""
    try:
        if not LINUX:
            return os.getpgid(pid) == group
        state, _, pgrp = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:3]
    except (OSError, ValueError):
        return False
    return state not in "ZX" and int(pgrp) == group
