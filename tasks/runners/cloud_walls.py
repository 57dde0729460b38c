"""Closes a process of a Cloud Run container off from everything there that is not for the program. Runs inside, with the standard library only.

https://man7.org/linux/man-pages/man7/namespaces.7.html, https://cloud.google.com/run/docs/about-execution-environments (jobs have the second one: a
machine of their own with a whole Linux).
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
from pathlib import Path

from tasks.runners import seccomp

USER = 1_000_000 + int.from_bytes(os.urandom(3), "big")  # nobody else's: processes are counted by user
FOLDER = "/work"
TEMPORARY, SHARED = ("/tmp",), ("/dev/shm",)  # of the program's own # noqa: S108  # nosec B108

_NEWNS, _NEWUTS, _NEWIPC, _NEWPID, _NEWNET = 0x00020000, 0x04000000, 0x08000000, 0x20000000, 0x40000000
_RDONLY, _NOSUID, _NODEV, _NOEXEC, _REMOUNT, _BIND, _REC, _PRIVATE = 1, 2, 4, 8, 32, 4096, 16384, 1 << 18
_DETACH = 2
_SET_PDEATHSIG, _SET_SECCOMP, _SET_NO_NEW_PRIVS, _FILTER = 1, 22, 38, 2


def leave_processes() -> None:
    """The next child of this process is the first one of a process namespace of its own."""
    _check("a process namespace", _libc().unshare(_NEWPID))


def close_off(folder: Path, size: int) -> None:
    """Leave everything of the container behind that is not for the program; `OSError` names the first thing that cannot be had."""
    calls = _libc()
    _check("namespaces of its own", calls.unshare(_NEWNS | _NEWUTS | _NEWIPC | _NEWNET))
    _check("private mounts", calls.mount(b"none", b"/", None, _REC | _PRIVATE, None))
    _check("the bucket out of sight", calls.umount2(bytes(folder), _DETACH))
    owned = f"uid={USER},gid={USER}"
    _mount("tmpfs", FOLDER, f"size={size},mode=0755,{owned}", _NOSUID | _NODEV)
    for where in (*TEMPORARY, *(path for path in SHARED if Path(path).is_dir())):
        _mount("tmpfs", where, f"size=64000000,mode=1777,{owned}", _NOSUID | _NODEV)
    _mount("proc", "/proc", "", _NOSUID | _NODEV | _NOEXEC)
    _check("a root that cannot be written to", calls.mount(None, b"/", None, _REMOUNT | _BIND | _RDONLY, None))
    socket.sethostname("sandbox")
    Path("/proc/self/oom_score_adj").write_text("1000")  # should memory run out, it is the program that ends
    os.nice(19)  # who watches shares the processor with the program and must come through
    os.chdir(FOLDER)
    os.setgroups([])
    os.setresgid(USER, USER, USER)
    os.setresuid(USER, USER, USER)
    _check("an end with the container", calls.prctl(_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0))
    _filter_calls()
    reached = [name for _, name in socket.if_nameindex() if name != "lo"]
    if reached or (folder / "job").exists():
        raise OSError(f"it still reaches {', '.join(reached) or folder}")


def _mount(kind: str, where: str, options: str, flags: int) -> None:
    Path(where).mkdir(parents=True, exist_ok=True)
    _check(f"a {kind} of its own at {where}", _libc().mount(kind.encode(), where.encode(), kind.encode(), flags, options.encode()))


class _Program(ctypes.Structure):
    """struct sock_fprog: https://docs.kernel.org/userspace-api/seccomp_filter.html"""

    _fields_ = [("length", ctypes.c_ushort), ("code", ctypes.c_char_p)]


def _filter_calls() -> None:
    code = seccomp.program()
    if code is None:
        raise OSError("a filter of system calls for this kind of processor")
    calls, rules = _libc(), _Program(len(code) // 8, code)
    _check("no new rights", calls.prctl(_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    _check("a filter of system calls", calls.prctl(_SET_SECCOMP, _FILTER, ctypes.byref(rules), 0, 0))


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _check(what: str, result: int) -> None:
    if result:
        raise OSError(f"{what} ({os.strerror(ctypes.get_errno())})")
