"""Programs in containers of a real Docker engine, and what becomes of them when worker or engine are lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest
from django.conf import LazySettings
from django.test import override_settings

from tasks import frames, runs
from tasks.runners import Runner, course, get_runner
from tasks.runners.base import Job, Limits
from tests.runners.engine import IMAGE, Engine, reason_against
from tests.runners.programs import Programs
from tests.runners.watch import Seen

REFUSED = reason_against()
pytestmark = [pytest.mark.worker, pytest.mark.xdist_group("docker"), pytest.mark.skipif(bool(REFUSED), reason=REFUSED)]
SLEEP = Job(("python3", "-c", "import time; print('up'); time.sleep(60)"), name="deployer-test-sleep")


@pytest.fixture(scope="module", autouse=True)
def engine() -> Iterator[Engine]:
    running = Engine(
        Path(tempfile.mkdtemp(prefix="deployer-docker-"))
    )  # not among pytest's folders: a mount that stays would trouble the next session
    try:
        try:
            running.start()
        except (docker.errors.DockerException, OSError):
            if os.environ.get("DOCKER_HOST"):
                raise
            pytest.skip(f"dockerd does not start here: {(running.folder / 'log').read_text().splitlines()[-1:]}")
        running.load()
        with override_settings(DOCKER_HOST=running.host, DOCKER_IMAGE=IMAGE):
            yield running
    finally:
        running.stop()


@pytest.fixture
def runner() -> Runner:
    return get_runner("docker")


class TestPrograms(Programs):
    @pytest.fixture(autouse=True)
    def _on_the_engine(self, engine: Engine) -> None:
        self.engine = engine

    @property
    def runner(self) -> Runner:
        return get_runner("docker")

    def left_over(self) -> list[str]:
        return self.engine.containers()

    def test_a_program_that_takes_all_memory_at_once_is_told_from_one_that_was_killed(self) -> None:
        report, _ = self.run("held = bytearray(b'x') * 3_000_000_000", memory_mb=100)
        assert (report.status, report.reason) == ("oom_killed", "It used more than 100 MB of memory.")
        report, _ = self.run("import os; os.kill(os.getpid(), 9)", memory_mb=100)
        assert (report.status, report.reason) == ("failed", "It was ended by SIGKILL.")

    def test_processor_time_of_children_that_nobody_waits_for_counts(self) -> None:
        program = """
import os, signal, time
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
while True:
    if os.fork() == 0:
        while time.process_time() < 0.02: pass
        os._exit(0)
    time.sleep(0.01)
"""
        report, _ = self.run(program, cpu_seconds=1)
        assert (report.status, report.reason) == ("timed_out", "It used more than 1 s of processor time.")

    def test_a_program_cannot_tell_a_report_of_its_own(self) -> None:
        forged = frames.pack({"kind": "ended", "exit_code": 0, "signal": None, "cpu_ms": 1, "wall_ms": 1, "left_out": {}})
        program = f"""
import os, sys
forged = {forged!r}
os.write(1, forged)
for number in range(3, 100):
    try: os.write(number, forged); print("wrote", number, file=sys.stderr)
    except OSError: pass
for name in ("fd/0", "fd/1", "fd/2", "mem"):
    try: open("/proc/1/" + name, "wb").write(forged); print("opened", name, file=sys.stderr)
    except OSError: pass
sys.exit(5)
"""
        report, seen = self.run(program)
        assert (report.status, report.exit_code) == ("failed", 5)
        assert (seen.stdout, seen.stderr) == (forged, b"")

    def test_a_program_that_writes_where_its_first_process_does_is_not_believed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """As some runtimes let it; here the first process leaves the door open."""
        open_door = course.source().replace("PR_SET_DUMPABLE, 0, 0", "PR_SET_DUMPABLE, 1, 0")
        monkeypatch.setattr("tasks.runners.docker.source", lambda name="inside.py": open_door if name == "inside.py" else course.source(name))
        forged = frames.pack({"kind": "ended", "exit_code": 0, "signal": None, "cpu_ms": 1, "wall_ms": 1, "left_out": {}})
        report, _ = self.run(f"open('/proc/1/fd/1', 'wb').write({forged!r}); import time; time.sleep(20)")
        assert (report.status, report.reason) == ("internal_error", "The program broke into the report of its run.")


def test_every_wall_is_asked_of_the_engine(runner: Runner, engine: Engine) -> None:
    """Seen from the engine while the program runs, and by the program itself."""
    found: dict[str, Any] = {}

    class Looking(Seen):
        def running(self) -> None:
            client = docker.DockerClient(engine.host)
            found.update(client.api.inspect_container("deployer-test-walls"))
            client.close()

    program = b"""
import os
about = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(os.environ["PLACE"], about["Uid"].split()[0], *(about[name].strip() for name in ("CapEff", "NoNewPrivs", "Seccomp")))
"""
    limits = Limits(memory_mb=100, processes=7, artefacts_mb=1)
    seen = Looking()
    runner.run(Job(("python3", "main.py"), {"main.py": program}, limits=limits, name="deployer-test-walls"), seen)
    host, config = found["HostConfig"], found["Config"]
    assert seen.stdout.split() == [b"image", b"65534", b"0000000000000000", b"1", b"2"]
    assert host["Memory"] == host["MemorySwap"] == (65 + 100 + 160) * 1_000_000 + len(program)
    assert (host["PidsLimit"], host["NanoCpus"], host["NetworkMode"], host["Privileged"]) == (8, 1_000_000_000, "none", False)
    assert (host["ReadonlyRootfs"], host["CapDrop"], host["SecurityOpt"]) == (True, ["ALL"], ["no-new-privileges:true"])
    assert (host["Binds"], host["Devices"], found["Mounts"], host["LogConfig"]["Type"], host["AutoRemove"]) == (None, None, [], "none", True)
    assert {entry["Name"] for entry in host["Ulimits"]} == {"core", "cpu", "fsize", "nofile"}
    assert (config["User"], config["Labels"], config["StdinOnce"]) == ("65534:65534", {"deployer.run": "deployer-test-walls"}, True)


def test_what_is_missing_is_named_with_its_cure(runner: Runner, settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert runner.unavailable() == ""
    told = docker.APIClient.info
    with monkeypatch.context() as rootless:
        rootless.setattr(docker.APIClient, "info", lambda api: told(api) | {"PidsLimit": False})
        report = runner.run(SLEEP, Seen())
    assert (report.status, report.reason) == (
        "internal_error",
        "The Docker engine cannot hold these limits: PidsLimit. Give it control groups for them (rootless: version 2, delegated).",
    )
    settings.DOCKER_RUNTIME = "no-such"
    assert runner.unavailable().startswith("The Docker engine has no runtime called 'no-such': install it there, or set DOCKER_RUNTIME to one of ")
    settings.DOCKER_RUNTIME, settings.DOCKER_IMAGE = "", "no-such:1"
    missing = "The Docker engine does not have the image no-such:1: run docker pull no-such:1 there, or set DOCKER_IMAGE."
    assert runner.unavailable() == missing
    report = runner.run(SLEEP, Seen())
    assert (report.status, report.reason) == ("internal_error", missing)
    settings.DOCKER_HOST = "unix:///no/such/docker.sock"
    assert runner.unavailable().startswith("No Docker engine answers at unix:///no/such/docker.sock. Start it, see that this user may use it")


@pytest.mark.django_db
def test_a_run_of_a_task_is_carried_out_by_it(settings: LazySettings) -> None:
    settings.RUNNER = "docker"
    run = runs.submit(files={"main.py": b"open('out/made.txt', 'w').write('made'); print('done')"})
    runs.run_next()
    run.refresh_from_db()
    assert (run.runner, run.status, run.reason, run.stdout, run.artefacts.get().path) == ("docker", "succeeded", "", "done\n", "made.txt")
    assert (run.applied["image"], run.applied["network"]) == (IMAGE, "off")


@pytest.fixture
def worker(engine: Engine) -> Iterator[subprocess.Popen[bytes]]:
    """Another process, in the middle of a run."""
    program = f"import django; django.setup()\nfrom tests.runners.test_docker import *\nget_runner('docker').run({SLEEP!r}, Seen())"
    env = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings", "DOCKER_HOST": engine.host, "DOCKER_IMAGE": IMAGE}
    process = subprocess.Popen([sys.executable, "-c", program], env=env)
    try:
        assert until(lambda: engine.containers(running=True) == ["/deployer-test-sleep"])
        yield process
    finally:
        process.kill()
        process.wait()


def until(holds: Any, seconds: float = 15) -> bool:
    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:
        time.sleep(0.05)
    return bool(holds())


def test_nothing_is_left_of_a_run_whose_worker_was_killed(worker: subprocess.Popen[bytes], engine: Engine) -> None:
    worker.kill()
    assert until(lambda: engine.containers() == [], 10)


def test_a_run_whose_worker_hangs_is_discarded_by_name(worker: subprocess.Popen[bytes], engine: Engine, runner: Runner) -> None:
    worker.send_signal(signal.SIGSTOP)
    runner.discard("deployer-test-other")
    assert engine.containers() == ["/deployer-test-sleep"]
    runner.discard("deployer-test-sleep")
    assert engine.containers() == []


def test_an_engine_that_is_lost_is_no_fault_of_the_program(engine: Engine, runner: Runner) -> None:
    if os.environ.get("DOCKER_HOST"):
        pytest.skip("the engine of DOCKER_HOST is not ours to kill")

    class Deadly(Seen):
        def output(self, stream: str, data: bytes) -> None:
            engine.kill()

    try:
        report = runner.run(SLEEP, Deadly())
        assert report.status == "internal_error"
        assert report.reason.startswith("The Docker engine was lost while it ran. No Docker engine answers at unix://")
        runner.discard(SLEEP.name)  # says so in the log and goes on
    finally:
        engine.start()
    assert until(lambda: engine.containers() == [])
    assert runner.run(Job(("true",)), Seen()).reason == "true could not be started: No such file or directory."
