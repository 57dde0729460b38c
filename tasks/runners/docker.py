"""Programs in containers of a Docker engine, on this machine or another (DOCKER_HOST).

Each run has a container of its own from DOCKER_IMAGE, which needs Python 3.9 or later: no network, nothing writable but /work and /tmp, both in
memory and of limited size, no rights, limits by control groups, the engine's filter of system calls and ours. Its first process is `inside.py`: the
job goes to its stdin, and everything comes back from its stdout in frames that the program can neither write nor see. When that stream ends,
because a worker was killed, the first process ends everything, and the engine removes the container.
https://docs.docker.com/engine/containers/resource_constraints/, https://docs.docker.com/engine/security/
"""

from __future__ import annotations

import contextlib
import logging
import secrets
import signal
import time
import uuid
from typing import Any

import docker
from django.conf import settings
from docker.errors import APIError, NotFound
from docker.types import LogConfig, Ulimit

from tasks.frames import Broken
from tasks.runners import base, seccomp
from tasks.runners.course import FOLDER, LOOK_SECONDS, Course, source
from tasks.runners.engine import FAULTS, QUICK_SECONDS, STDERR, Stream, connect, explain

log = logging.getLogger(__name__)

LABEL = "deployer.run"  # holds the job's name
USER = "65534:65534"
CPUS = 1.0
TMP_MB = 64  # of /tmp, and of /dev/shm
OWN_MB = 32  # for the first process
LIMITS = ("MemoryLimit", "PidsLimit", "CpuCfsQuota")  # as `docker info` calls them
MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}  # as images name them: as the kernel does


class Runner(base.Runner):
    name = "docker"

    def unavailable(self) -> str:
        try:
            with contextlib.closing(connect(QUICK_SECONDS)) as api:
                return _refusal(api.info(), api.inspect_image(settings.DOCKER_IMAGE))
        except FAULTS as error:
            return explain(error)

    def run(self, job: base.Job, watch: base.Watch) -> base.Report:
        try:
            with contextlib.closing(connect()) as api:
                image = api.inspect_image(settings.DOCKER_IMAGE)
                if reason := _refusal(api.info(), image):
                    return base.Report("internal_error", reason)
                return _Run(api, image, job, watch).carry_out()
        except FAULTS as error:
            return base.Report("internal_error", explain(error))

    def discard(self, name: str) -> None:
        try:
            with contextlib.closing(connect(QUICK_SECONDS)) as api:
                _discard(api, name)
        except FAULTS as error:
            log.warning("the container %s may still be there: %s", name, explain(error))


def _refusal(engine: dict[str, Any], image: dict[str, Any]) -> str:
    """Why no program is run with that engine and image, by what they tell of themselves: a limit that it cannot hold an engine drops in silence."""
    if image["Os"] != "linux":
        return f"The image {settings.DOCKER_IMAGE} is not for Linux: set DOCKER_IMAGE to one that is."
    if lacking := [name for name in LIMITS if not engine.get(name)]:
        return f"The Docker engine cannot hold these limits: {', '.join(lacking)}. Give it control groups for them (rootless: version 2, delegated)."
    runtime, known = settings.DOCKER_RUNTIME, engine["Runtimes"]
    if runtime and "." not in runtime and runtime not in known:  # a name with dots is that of a program which the engine looks for itself
        choices = ", ".join(sorted(known))
        return f"The Docker engine has no runtime called {runtime!r}: install it there, or set DOCKER_RUNTIME to one of {choices}."
    return ""


class _Run:
    """One run, from its container's making to its report. Stands for its means, too: the first process tells what is used."""

    def __init__(self, api: docker.APIClient, image: dict[str, Any], job: base.Job, watch: base.Watch) -> None:
        self.api, self.image, self.job, self.watch = api, image, job, watch
        self.key = secrets.token_bytes(32)  # runtimes other than the usual one may let the program write where its first process does
        self.course = Course(job, watch, "The container", self.key)
        self.name = job.name or f"deployer-{uuid.uuid4().hex}"
        self.cpu_seconds, self.peak = 0.0, 0
        self._beyond = False
        self._lost = ""

    def carry_out(self) -> base.Report:
        with contextlib.ExitStack() as stack:
            stack.callback(_discard, self.api, self.name)
            self._create()
            stream = stack.enter_context(contextlib.closing(Stream(self.api, self.name)))
            self.watch.cancelled()  # making a container may take its time, and the row's lease goes on
            self.api.start(self.name)
            self.api.timeout = QUICK_SECONDS
            stream.send(self._order())
            self._follow(stream)
        by = f"docker, {settings.DOCKER_RUNTIME or 'its usual runtime'}, control groups, seccomp, resource limits"
        return self.course.report(self, by=by, image=settings.DOCKER_IMAGE, image_id=self.image["Id"], cpus=CPUS)

    # -- before ------------------------------------------------------------------------------------------------------------------------

    def _create(self) -> None:
        # https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Container/operation/ContainerCreate
        options: dict[str, Any] = {
            "entrypoint": ["python3"],
            "command": ["-I", "-S", "-c", source(), "0", "1"],
            "name": self.name,
            "labels": {LABEL: self.name},
            "hostname": "sandbox",
            "user": USER,
            "working_dir": FOLDER,
            "stdin_open": True,
            "healthcheck": {"test": ["NONE"]},
            "use_config_proxy": False,  # the way through a proxy may hold a password
            "host_config": self._host_config(),
        }
        try:
            self.api.create_container(self.image["Id"], **options)
        except APIError as error:
            if error.status_code != 409:
                raise
            _discard(self.api, self.name)  # a worker that died began this very run
            self.api.create_container(self.image["Id"], **options)

    def _host_config(self) -> dict[str, Any]:
        """The engine's side of the limits. Files have room beside the program's own memory, whose limit is watched; the kernel holds the sum."""
        limits, folder = self.job.limits, self.course.folder_bytes
        memory = folder + (limits.memory_mb + 2 * TMP_MB + OWN_MB) * 1_000_000
        mine = f"rw,exec,nosuid,nodev,uid={USER.partition(':')[0]},gid={USER.partition(':')[2]},nr_inodes=50k"
        largest = max([limits.file_mb * 1_000_000, len(self.job.stdin), *map(len, self.job.files.values())])
        bounds = {"core": 0, "cpu": round(limits.cpu_seconds) + 30, "fsize": largest, "nofile": 1024}
        config: dict[str, Any] = self.api.create_host_config(
            network_mode="none",
            ipc_mode="private",
            cgroupns="private",
            read_only=True,
            tmpfs={FOLDER: f"{mine},mode=755,size={folder}", "/tmp": f"{mine},mode=1777,size={TMP_MB * 1_000_000}"},  # noqa: S108 - inside the container  # nosec B108
            shm_size=TMP_MB * 1_000_000,
            mem_limit=memory,
            memswap_limit=memory,
            pids_limit=limits.processes + 1,  # the first process counts
            nano_cpus=round(CPUS * 1_000_000_000),
            ulimits=[Ulimit(name=name, soft=value, hard=value) for name, value in bounds.items()],
            cap_drop=["ALL"],
            security_opt=["no-new-privileges:true"],
            log_config=LogConfig(type="none"),
            auto_remove=True,
            runtime=settings.DOCKER_RUNTIME or None,
        )
        return config

    def _order(self) -> bytes:
        limits = self.job.limits
        relay = {
            "text": source("relay.py"),
            "memory": limits.memory_mb * 1_000_000,
            "seconds": limits.wall_seconds + 30,  # when all ends though nobody says so
        }
        env = dict(entry.split("=", 1) for entry in (self.image.get("Config") or {}).get("Env") or [] if "=" in entry)
        rules = seccomp.program(MACHINES.get(self.image["Architecture"], "unknown"))
        return self.course.order({}, env, relay=relay, key=self.key.hex(), **({"filter": rules.hex()} if rules else {}))

    # -- while it runs -----------------------------------------------------------------------------------------------------------------

    def _follow(self, stream: Stream) -> None:
        """Take everything in until it has told how it ended."""
        while not self.course.ended and not self._lost:
            parts = stream.read(LOOK_SECONDS)
            if parts is None:
                break
            for number, data in parts:
                if number == STDERR:
                    self.course.words = (self.course.words + data)[-500:]
                else:
                    self._take_in(data)
            self.course.go_on(self)
        if not self.course.ended:
            self.course.fault = self._lost or self._gone()

    def _take_in(self, data: bytes) -> None:
        try:
            for message in self.course.heard(data):
                self.cpu_seconds, self.peak, self._beyond = message["cpu_seconds"], message["peak"], message["beyond"]
        except Broken:
            self._lost = "The program broke into the report of its run."

    def _gone(self) -> str:
        """Has the engine itself gone?"""
        try:
            self.api.ping()
        except FAULTS as error:
            return f"The Docker engine was lost while it ran. {explain(error)}"
        return ""

    def look(self) -> None:
        return

    def beyond(self, memory: int) -> bool:
        return self._beyond

    def signal(self, number: int) -> None:
        try:
            self.api.kill(self.name, number)
        except APIError as error:
            if error.status_code not in {404, 409}:  # it has just ended
                self._lost = f"The container could not be ended. {explain(error)}"
        except FAULTS as error:
            if number == signal.SIGKILL:  # anything milder is followed by another try
                self._lost = f"The container could not be ended. {explain(error)}"


def _discard(api: docker.APIClient, name: str) -> None:
    """Back when it is gone; the engine may be at it already. Never raises: it ends by itself with its stream, and is then removed by the engine."""
    end = time.monotonic() + QUICK_SECONDS
    while True:
        try:
            api.remove_container(name, force=True, v=True)
            return
        except NotFound:
            return
        except FAULTS as error:
            if not isinstance(error, APIError) or time.monotonic() >= end:
                log.warning("the container %s may still be there: docker rm -f %s. %s", name, name, explain(error))
                return
            time.sleep(0.05)
