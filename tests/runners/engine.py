"""A Docker engine for the tests: the one of DOCKER_HOST, or one of our own in a folder, with an image made of this machine's Python."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import subprocess
import tarfile
import time
from pathlib import Path

import docker

IMAGE = "deployer-test-python:1"
PYTHON = shutil.which("python3", path="/usr/local/bin:/usr/bin") or ""
LEFT_OUT = {"test", "tests", "site-packages", "dist-packages", "idlelib", "tkinter", "ensurepip", "lib2to3", "pydoc_data", "distutils", "turtledemo"}


def reason_against() -> str:
    """Why there can be no engine here; empty when there can."""
    if os.environ.get("DOCKER_HOST"):
        return ""
    if os.geteuid() != 0:
        return "DOCKER_HOST names no Docker engine, and only root can start one."
    return "" if shutil.which("dockerd") else "DOCKER_HOST names no Docker engine, and there is no dockerd: apt install docker.io."


class Engine:
    """Without a network of its own: no rule of the machine's firewall is touched."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.host = os.environ.get("DOCKER_HOST") or f"unix://{folder}/docker.sock"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        if not os.environ.get("DOCKER_HOST"):
            names = {"--data-root": "data", "--exec-root": "exec", "--pidfile": "pid"}
            folders = [part for option, name in names.items() for part in (option, str(self.folder / name))]
            with (self.folder / "log").open("ab") as log:
                command = [
                    "setpriv",
                    "--pdeathsig",
                    "TERM",
                    "dockerd",
                    "--iptables=false",
                    "--ip6tables=false",
                    "--bridge=none",
                    "--host",
                    self.host,
                    *folders,
                ]
                self._process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        self._wait()

    def load(self) -> None:
        """Give it the image."""
        with contextlib.closing(docker.DockerClient(self.host)) as client:
            repository, tag = IMAGE.split(":")
            client.api.import_image_from_data(image(), repository=repository, tag=tag, changes=["ENV KIND=of-the-image PLACE=image"])

    def kill(self) -> None:
        """As when it crashes; only for one of our own."""
        assert self._process
        self._process.kill()
        self._process.wait()
        # its containerd dies with it; where nobody takes note of that, the next one would believe the number in this file
        (self.folder / "exec" / "containerd" / "containerd.pid").unlink(missing_ok=True)

    def stop(self) -> None:
        """Of one of our own nothing stays, not even what it mounted when it was killed."""
        if self._process:
            self._process.terminate()
            self._process.wait(20)
        else:
            with contextlib.closing(docker.DockerClient(self.host)) as client:
                client.api.remove_image(IMAGE)
        for line in reversed(Path("/proc/self/mounts").read_text().splitlines()):
            if (place := line.split()[1]).startswith(f"{self.folder}/"):
                subprocess.run(["umount", "--lazy", place], check=False)
        shutil.rmtree(self.folder)

    def containers(self, *, running: bool = False) -> list[str]:
        """The names of ours; those that were made but not started yet among them, unless only running ones are wanted."""
        with contextlib.closing(docker.DockerClient(self.host)) as client:
            return [container["Names"][0] for container in client.api.containers(all=not running, filters={"label": "deployer.run"})]

    def _wait(self) -> None:
        end = time.monotonic() + 30
        while True:
            try:
                with contextlib.closing(docker.DockerClient(self.host)) as client:
                    client.ping()
                return
            except (docker.errors.DockerException, OSError):
                if time.monotonic() > end or (self._process and self._process.poll() is not None):
                    raise
                time.sleep(0.1)


def image() -> bytes:
    """A tar of a Python and what it needs."""
    ask = "import sys, sysconfig; print(sysconfig.get_path('stdlib')); print(sys.version_info[1])"
    library = Path(subprocess.run([PYTHON, "-c", ask], capture_output=True, text=True, check=True).stdout.splitlines()[0])
    objects = subprocess.run(["ldd", PYTHON, *map(str, library.glob("lib-dynload/*.so"))], capture_output=True, text=True, check=True).stdout
    needed = {word for line in objects.splitlines() for word in line.split() if word.startswith("/") and not word.endswith(":")}
    kept = io.BytesIO()
    with tarfile.open(fileobj=kept, mode="w", dereference=True) as tar:
        tar.add(PYTHON, "usr/bin/python3")
        for path in sorted(needed):
            tar.add(path, path.lstrip("/"))
        tar.add(
            library,
            str(library).lstrip("/"),
            filter=lambda entry: None if LEFT_OUT & set(Path(entry.name).parts) or "/config-" in entry.name else entry,
        )
    return kept.getvalue()
