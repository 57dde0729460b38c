"""The first process of a sandbox: writes the job's files, starts its program, collects everything that the program leaves, tells how it ended.

Runs by itself under any Python 3.9 or later, with nothing but the standard library: it is given to the interpreter as text (`python -c`). As the
first process of a process namespace it cannot be killed from inside, every orphan comes to it, and with its end everything else ends; so its
count of processor time is complete. The program cannot look into it (not dumpable) and does not hold its report's descriptor.

SIGTERM is passed on to the program. SIGUSR1: end everything now, and still tell the figures. Where nothing but the job's and the report's
descriptor leads out, the job brings the text of `relay.py`, and the program's output and use are sent with the report.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import signal
import stat
import struct
import sys
import time

HEAD = struct.Struct(">II")  # as in tasks/frames.py
PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 4, 22, 38
SECCOMP_MODE_FILTER = 2
MOST_FILES = 200
sealing: dict = {}  # type: ignore[type-arg]


def main(job_fd: int, report_fd: int) -> None:
    ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    os.set_inheritable(report_fd, False)
    source = os.fdopen(job_fd, "rb")
    job, stdin = read(source)
    for _ in range(job["files"]):
        entry, content = read(source)
        write(entry["path"], content)
    if "key" in job:
        from hashlib import blake2b  # takes a while to load

        sealing.update(key=bytes.fromhex(job["key"]), count=0, hash=blake2b)
    relay = relay_of(job["relay"], source, report_fd) if "relay" in job else None
    if not relay:
        source.close()
    os.makedirs(job["out"], exist_ok=True)
    state = {"main": 0, "end": False, "started": 0.0}

    def passed_on(number: int, frame: object) -> None:
        if state["main"]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(state["main"]), number)

    def ended(number: int, frame: object) -> None:
        state["end"] = True
        kill_all()

    signal.signal(signal.SIGTERM, passed_on)
    signal.signal(signal.SIGUSR1, ended)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Python has a handler for it, so this one could be sent from within
    errors, written = os.pipe()
    state["started"] = time.monotonic()
    state["main"] = pid = os.fork()
    if pid == 0:
        start(job, stdin, written, relay.ends if relay else [])
    os.close(written)
    tell(report_fd, {"kind": "started"})
    status = relay.wait_for(pid) if relay else wait_for(pid)
    wall = time.monotonic() - float(state["started"])
    kill_all()
    with contextlib.suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    with os.fdopen(errors, "rb") as pipe:
        refused = pipe.read(300).decode("utf-8", "replace")
    if relay:
        relay.pass_on_the_rest()
    tell(report_fd, {"kind": "over"})
    left_out = keep(report_fd, job["out"], job["artefacts"])
    report = {
        "kind": "ended",
        "exit_code": os.WEXITSTATUS(status) if os.WIFEXITED(status) else None,
        "signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else None,
        "wall_ms": round(wall * 1000),
        "cpu_ms": round((relay.cpu_seconds() if relay else used.ru_utime + used.ru_stime) * 1000),
        "memory_peak_kb": max(used.ru_maxrss, relay.peak // 1024 if relay else 0),
        "out_of_memory": bool(relay and relay.out_of_memory()),
        "refused": refused,
        "left_out": left_out,
    }
    tell(report_fd, report)


def read(source):  # type: ignore[no-untyped-def]
    sizes = HEAD.unpack(source.read(HEAD.size))
    return json.loads(source.read(sizes[0])), source.read(sizes[1])


def write(path: str, content: bytes) -> None:
    folder = os.path.dirname(path)
    if folder:
        os.makedirs(folder, exist_ok=True)
    with open(path, "wb") as file:
        file.write(content)
    os.chmod(path, 0o755 if content.startswith(b"#!") else 0o644)


def tell(report_fd: int, message: dict, content: bytes = b"") -> None:  # type: ignore[type-arg]
    text, mark = json.dumps(message).encode(), b""
    if sealing:
        seal = sealing["hash"](b"%d %d " % (sealing["count"], len(text)) + text, key=sealing["key"], digest_size=16)  # as in tasks/frames.py
        seal.update(content)
        sealing["count"] += 1
        mark = seal.digest()
    for part in (HEAD.pack(len(text), len(content) + len(mark)) + text, content, mark):  # apart: a copy of a large file would take its size again
        data = memoryview(part)
        while data:
            data = data[os.write(report_fd, data) :]


def start(job: dict, stdin: bytes, errors: int, outputs: list) -> None:  # type: ignore[type-arg]
    """In the child: limits, then the program. What goes wrong before is told through `errors`, which closes with the program's start."""
    try:
        for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        os.setsid()
        if stdin:
            name = os.path.join("/tmp", ".stdin")  # the folder of a sandbox of its own # nosec B108
            write(name, stdin)
            descriptor = os.open(name, os.O_RDONLY)
            os.unlink(name)
        else:
            descriptor = os.open(os.devnull, os.O_RDONLY)
        os.dup2(descriptor, 0)
        for place, end in enumerate(outputs, 1):
            os.dup2(end, place)
        if outputs:
            os.nice(19)  # who watches shares its processors with this and must come through; nobody else does
        os.closerange(3, errors)
        os.closerange(errors + 1, 1024)
        for name, value in job["rlimits"].items():
            which = getattr(resource, name)
            hard = resource.getrlimit(which)[1]
            value = value if hard == resource.RLIM_INFINITY else min(value, hard)
            resource.setrlimit(which, (value, value))
        ctypes.CDLL(None).prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        if "filter" in job:
            deny(bytes.fromhex(job["filter"]))
        os.execvpe(job["command"][0], job["command"], job["env"])  # running what strangers wrote is what a sandbox is for # nosec B606
    except BaseException as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        os.write(errors, reason.encode()[:300])
    finally:
        os._exit(127)


def deny(rules: bytes) -> None:
    """A filter of system calls for this process and all that it starts (struct sock_fprog)."""
    code = ctypes.create_string_buffer(rules, len(rules))
    program = struct.pack("@HP", len(rules) // 8, ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program, 0, 0):
        raise OSError(ctypes.get_errno(), "the filter of system calls was refused")


def relay_of(how: dict, source, report_fd: int):  # type: ignore[no-untyped-def, type-arg]
    scope: dict = {"__name__": "relay"}  # type: ignore[type-arg]
    exec(how["text"], scope)  # from where this text comes from, too # nosec B102
    return scope["Relay"](source.fileno(), lambda message, content=b"": tell(report_fd, message, content), how["memory"], how["seconds"])


def wait_for(pid: int) -> int:
    """The program's own status; whatever else ends meanwhile is cleared away."""
    while True:
        ended, status = os.waitpid(-1, 0)
        if ended == pid:
            return status


def kill_all() -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(-1, signal.SIGKILL)


def keep(report_fd: int, out: str, most: int) -> dict:  # type: ignore[type-arg]
    """Send every plain file below `out`, never what a link points to; why the others are left out."""
    left_out: dict = {}  # type: ignore[type-arg]
    total = count = 0
    if os.path.islink(out):
        return {out: "It is a link."}
    for folder, folders, names in os.walk(out):
        folders[:] = sorted(name for name in folders if not os.path.islink(os.path.join(folder, name)))
        for name in sorted(names):
            path = os.path.join(folder, name)
            shown = os.path.relpath(path, out).encode("utf-8", "replace").decode()[:300]
            if len(left_out) >= MOST_FILES:
                return left_out
            try:
                descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            except OSError:
                left_out[shown] = "It is a link or cannot be read."
                continue
            with os.fdopen(descriptor, "rb") as file:
                about = os.fstat(descriptor)
                if not stat.S_ISREG(about.st_mode):
                    left_out[shown] = "It is not a plain file."
                elif count >= MOST_FILES or total + about.st_size > most:
                    left_out[shown] = "There is more than may be kept."
                else:
                    content = file.read(about.st_size)
                    total, count = total + len(content), count + 1
                    tell(report_fd, {"kind": "artefact", "path": shown}, content)
    return left_out


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
