"""A PostgreSQL of the tests' own, in a folder of its own, that may be killed."""

from __future__ import annotations

import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from tasks.demo.stack import PR_SET_PDEATHSIG, free_port
from tests.crashes.processes import family, send

OPTIONS = ("listen_addresses=127.0.0.1", "unix_socket_directories=", "shared_buffers=16MB", "max_connections=60")


def find_programs() -> Path | None:
    """The folder of `postgres` and `initdb`, None where there is no server installed. Debian keeps them off the PATH."""
    folders = [Path(found).resolve().parent for found in [shutil.which("initdb")] if found]
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if os.access(folder / "postgres", os.X_OK) and os.access(folder / "initdb", os.X_OK)), None)


def end_with_parent() -> None:
    """The server shuts down at once when the test run is gone, however that ended."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)


class Postgres:
    """`with Postgres(programs) as server:` listens on `server.url`. It refuses to run as root, so there it becomes the user `postgres`."""

    def __init__(self, programs: Path) -> None:
        self.programs = programs
        self.user = pwd.getpwnam("postgres").pw_uid if os.getuid() == 0 else None
        self.folder = Path(tempfile.mkdtemp(prefix="deployer-postgres-"))
        if self.user is not None:
            os.chown(self.folder, self.user, -1)
        self.port = free_port(28_000 + os.getpid() % 1000)
        self.url = f"postgres://postgres@127.0.0.1:{self.port}/postgres"
        self.server: subprocess.Popen[bytes] | None = None
        command = [programs / "initdb", "-D", self.folder / "data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
        subprocess.run(command, user=self.user, cwd=self.folder, check=True, capture_output=True, timeout=60)

    def __enter__(self) -> Postgres:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.crash()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def pid(self) -> int:
        assert self.server
        return self.server.pid

    def start(self) -> None:
        """Start, and wait until it answers."""
        options = [part for option in OPTIONS for part in ("-c", option)]
        command = [self.programs / "postgres", "-D", self.folder / "data", "-p", str(self.port), *options]
        with (self.folder / "log").open("ab") as log:
            self.server = subprocess.Popen(command, user=self.user, cwd=self.folder, stdout=log, stderr=log, preexec_fn=end_with_parent)
        end = time.monotonic() + 30
        ask = [self.programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        while subprocess.run(ask, check=False, timeout=10).returncode:
            assert time.monotonic() < end, (self.folder / "log").read_text()
            time.sleep(0.05)

    def crash(self) -> None:
        """SIGKILL to all of it, as when the machine loses power."""
        if self.server:
            send(family(self.server.pid), signal.SIGKILL)
            self.server.wait(10)
            self.server = None

    def shut_down(self) -> None:
        """In good order, without waiting for the clients: what a restart for an upgrade does."""
        if self.server:
            self.server.send_signal(signal.SIGINT)
            self.server.wait(30)
            self.server = None
