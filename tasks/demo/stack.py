"""Web and worker as child processes, on a data folder of their own and with no key of the machine in their environment."""

from __future__ import annotations

import ctypes
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings

KEYS = ("GEMINI_API_KEY", "GITHUB_TOKEN", "OPENAI_API_KEY", "OPENAI_BASE_URL", "DATABASE_URL", "REDIS_URL", "LOG_FILE")
PR_SET_PDEATHSIG = 1


class StackError(Exception):
    """The service did not start; the message names the log to look at."""


FIRST_PORT = 8000


def free_port(first: int) -> int:
    """The first port from `first` on that nobody listens on."""
    for port in range(first, first + 200):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("0.0.0.0", port))  # noqa: S104 - only to see whether it is free  # nosec B104
            except OSError:
                continue
            return port
    raise StackError(f"No free port between {first} and {first + 200}.")


def _end_with_parent() -> Callable[[], None]:
    """For a child to call between fork and exec."""
    prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

    def ask() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it ended before it was asked for
            os._exit(1)

    return ask


class Stack:
    """`with Stack(folder) as stack:` serves on `stack.url`; everything is stopped at the end."""

    def __init__(self, folder: Path, *, port: int = 0, workers: int = 2, env: dict[str, str] | None = None) -> None:
        """`workers` 0 starts the web server alone; `env` overrides the children's settings."""
        self.folder = folder.resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = port or free_port(FIRST_PORT)
        self.url = f"http://127.0.0.1:{self.port}"
        self.secret = self.keep("student-secret")
        self.env = {name: value for name, value in os.environ.items() if name not in KEYS} | {
            "DJANGO_SETTINGS_MODULE": "deployer.settings",
            "ENV_FILE": os.devnull,
            "DATA_DIR": str(self.folder),
            "SECRET_KEY": self.keep("secret-key"),
            "STUDENT_SECRET": self.secret,
            "DEMO_API_KEY": self.keep("api-key"),
            "GENERATOR": "offline",
            "REPO_HOST": "local",
            "ALLOWED_PRIVATE_HOSTS": "127.0.0.1",
            "PUBLIC_URL": self.url,
            "PORT": str(self.port),
            "WORKERS": str(workers or 1),
            "DEBUG": "off",
            **(env or {}),
        }
        self.workers = workers
        self._sign = "/health" if workers else "/"  # answers as soon as everything is there
        self.children: list[subprocess.Popen[bytes]] = []
        self._commands: dict[subprocess.Popen[bytes], tuple[str, ...]] = {}  # with the child's name before it

    def keep(self, name: str) -> str:
        """A random value that stays the same in this folder."""
        path = self.folder / name
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(secrets.token_urlsafe(40))
        return path.read_text().strip()

    def __enter__(self) -> Stack:
        self.manage("migrate", "--noinput", "--verbosity", "0")
        try:
            address = ("--host", "127.0.0.1", "--port", str(self.port))
            threads = ("--workers", "1", "--blocking-threads", "16", "--respawn-failed-workers", "--no-ws")
            self.spawn("web", "-m", "granian", "--interface", "wsgi", *address, *threads, "--log-level", "warning", "deployer.wsgi:application")
            if self.workers:
                self.spawn("worker", "manage.py", "worker")
            self.wait_ready(self._sign)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def manage(self, *args: str, **env: str) -> str:
        """Run a management command on this stack's data; its standard output."""
        done = subprocess.run(  # noqa: S603 - our own arguments  # nosec B603
            [sys.executable, "manage.py", *args], cwd=settings.BASE_DIR, env=self.env | env, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise StackError(f"manage.py {args[0]} failed: {done.stderr.strip()[-2000:]}")
        return done.stdout

    def spawn(self, name: str, *args: str) -> subprocess.Popen[bytes]:
        """Start one child; it ends with this process however that ends (Linux)."""
        log = (self.folder / f"{name}.log").open("ab")
        child = subprocess.Popen(  # noqa: S603 - our own arguments  # nosec B603
            [sys.executable, *args],
            cwd=settings.BASE_DIR,
            env=self.env,
            stdout=log,
            stderr=log,
            preexec_fn=_end_with_parent() if sys.platform == "linux" else None,
        )
        log.close()
        self.children.append(child)
        self._commands[child] = (name, *args)
        return child

    def renew(self) -> list[str]:
        """Start again what has ended by itself or was killed, and wait until it is there: a line for each, or `StackError`."""
        told = []
        for place, child in enumerate(self.children):
            if child.poll() is not None:
                name, *args = self._commands.pop(child)
                self.children[place] = self.spawn(name, *args)
                self.children.pop()
                told.append(f"{name} ended with {child.returncode} and was started again.")
        if told:
            self.wait_ready(self._sign)
        return told

    def wait_ready(self, path: str, seconds: float = 40.0) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for child in self.children:
                if child.poll() is not None:
                    raise StackError(f"A process ended with {child.returncode}; look at {self.folder}/web.log and worker.log.")
            try:
                self.get(path)
                return
            except (urllib.error.URLError, OSError, ValueError):
                pass
            time.sleep(0.05)
        raise StackError(f"The service did not become healthy in {seconds:.0f} s; look at {self.folder}/web.log and worker.log.")

    def stop(self) -> None:
        for child in reversed(self.children):
            if child.poll() is None:
                child.send_signal(signal.SIGTERM)
        for child in reversed(self.children):
            try:
                child.wait(timeout=25)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        self.children = []

    # -- talking to it -----------------------------------------------------------------------------------------------------------------

    def get(self, path: str) -> dict[str, Any]:
        request = urllib.request.Request(self.url + path, headers={"X-API-KEY": self.env["DEMO_API_KEY"]})  # noqa: S310
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - the demo's own address  # nosec B310
            return json.loads(answer.read())

    def post(self, body: dict[str, Any]) -> dict[str, Any]:
        data = json.dumps(body | {"secret": self.secret}).encode()
        request = urllib.request.Request(f"{self.url}/ready", data=data, headers={"Content-Type": "application/json"})  # noqa: S310
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - the demo's own address  # nosec B310
            return json.loads(answer.read())
