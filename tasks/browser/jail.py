"""Starts Chromium with as few rights as this machine lets us take from it.

A forked child goes, where the kernel allows it, into a network namespace of its own, in which there is nothing but a loopback; opens there the one
port that Chromium will know, and hands that listening socket back. A socket stays in the namespace it was made in, so whoever accepts on it
outside is the only thing that can be reached from inside: no relay, no route, no address of this machine. Then the child becomes an unprivileged
user (so that Chromium's own sandbox works) and turns into Chromium. Where namespaces are forbidden the port is an ordinary loopback port,
and the proxy and the switches of `chromium.py` are what is left.

Called while this process has one thread. https://man7.org/linux/man-pages/man7/network_namespaces.7.html
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import resource
import signal
import socket
import stat
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

NOBODY = 65534
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
SIOCSIFFLAGS, IFF_UP, IFF_RUNNING = 0x8914, 0x1, 0x40
PR_SET_PDEATHSIG = 1
LIMITS = {
    resource.RLIMIT_CORE: 0,
    resource.RLIMIT_FSIZE: 512 * 1024 * 1024,  # bytes of one file
    resource.RLIMIT_NOFILE: 4096,
}


@dataclass(frozen=True)
class Jailed:
    """A running Chromium: the socket it believes to be its proxy, and the two ends of its debugging pipe."""

    pid: int
    listener: socket.socket
    to_browser: int
    from_browser: int
    isolation: tuple[str, ...]  # of "namespace", "nobody", "sandbox"


def start(executable: str, folder: Path, command: Callable[[int, bool], list[str]], *, namespace: bool, sandbox: bool) -> Jailed:
    """Fork, isolate, execute `command(proxy port, sandbox)`. OSError if the child could not come that far."""
    unprivileged = _unprivileged_user(executable, folder)
    if unprivileged is not None:
        os.chown(folder, unprivileged, unprivileged)
    # Chromium's sandbox needs a user that is not root: https://crbug.com/638180
    sandbox = sandbox and (os.geteuid() != 0 or unprivileged is not None)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    commands, answers = os.pipe(), os.pipe()
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        try:
            ours.close()
            _isolate(theirs, namespace)
            _become(unprivileged)
            _limit(parent)
            port = int.from_bytes(theirs.recv(2), "big")
            _execute(executable, command(port, sandbox), folder, commands[0], answers[1])
        except BaseException as error:
            with contextlib.suppress(OSError):
                theirs.sendall(str(error).encode()[:500])
        finally:
            os._exit(126)
    theirs.close()
    os.close(commands[0])
    os.close(answers[1])
    ours.settimeout(10)
    try:
        word, descriptors, _, _ = socket.recv_fds(ours, 500, 1)
        if not descriptors:
            raise OSError(f"Chromium's process could not be set up: {word.decode(errors='replace')}")
    except OSError:
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        for descriptor in (commands[1], answers[0]):
            os.close(descriptor)
        raise
    listener = socket.socket(fileno=descriptors[0])
    ours.sendall(listener.getsockname()[1].to_bytes(2, "big"))
    ours.close()
    kept_in = tuple(name for name, on in (("namespace", word == b"namespace"), ("nobody", unprivileged is not None), ("sandbox", sandbox)) if on)
    return Jailed(pid, listener, commands[1], answers[0], kept_in)


# -- in the child ----------------------------------------------------------------------------------------------------------------------


def _isolate(channel: socket.socket, namespace: bool) -> None:
    """Enter a namespace if we may, open the port there and hand it out. The word says what came of it."""
    word = "namespace" if namespace and _enter_namespace() else "open"
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.bind(("127.0.0.1", 0))
    listener.listen(128)
    socket.send_fds(channel, [word.encode()], [listener.fileno()])


def _enter_namespace() -> bool:
    if sys.platform != "linux":
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    uid, gid = os.geteuid(), os.getegid()
    if uid == 0:
        if libc.unshare(CLONE_NEWNET) != 0:
            return False
    else:
        if libc.unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0:
            return False
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
        Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        fcntl.ioctl(probe, SIOCSIFFLAGS, struct.pack("16sh", b"lo", IFF_UP | IFF_RUNNING) + bytes(14))
    return True


def _become(user: int | None) -> None:
    if user is not None:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)


def _limit(parent: int) -> None:
    for which, most in LIMITS.items():
        hard = resource.getrlimit(which)[1]
        value = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(which, (value, value))
    if sys.platform == "linux":  # after the change of user, which clears it
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(125)


def _execute(executable: str, command: list[str], folder: Path, commands: int, answers: int) -> None:
    # Chromium reads commands from descriptor 3 and writes answers to 4; every other descriptor of ours is closed.
    log = os.open(folder / "chromium.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDWR)
    wanted = [fcntl.fcntl(descriptor, fcntl.F_DUPFD, 10) for descriptor in (nothing, nothing, log, commands, answers)]
    for number, descriptor in enumerate(wanted):
        os.dup2(descriptor, number, inheritable=True)
    os.closerange(5, 1024)
    os.chdir(folder)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # it has children of its own to wait for
    home = str(folder)
    environment = {"HOME": home, "TMPDIR": home, "XDG_CONFIG_HOME": home, "XDG_CACHE_HOME": home, "LANG": "C.UTF-8", "TZ": "UTC"}
    environment |= dict.fromkeys(("DBUS_SYSTEM_BUS_ADDRESS", "DBUS_SESSION_BUS_ADDRESS"), "disabled:")  # paths are no part of the namespace
    os.execve(executable, command, {"PATH": os.environ.get("PATH", os.defpath), **environment})  # noqa: S606 - no shell is meant  # nosec B606


# -- before --------------------------------------------------------------------------------------------------------------------------


def _unprivileged_user(executable: str, folder: Path) -> int | None:
    """The user to become: nobody, if we are root, may change users, and everybody can reach both the program and the folder."""
    if os.geteuid() != 0 or not _may_change_user():
        return None
    program = Path(executable).resolve()
    way = [program, *program.parents, *folder.resolve().parents]
    return NOBODY if all(step.stat().st_mode & stat.S_IXOTH for step in way) else None


def _may_change_user() -> bool:
    """CAP_SETGID (6) and CAP_SETUID (7), which a container may have taken from root."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("CapEff:"):
                return int(line.split()[1], 16) >> 6 & 0b11 == 0b11
    return True
