"""Programs on Cloud Run, against an emulated one whose containers really run: how they end, what is kept, and that nothing is left."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from tasks import runs
from tasks.models import ContainerRun
from tasks.runners import cloud_api, cloud_clearing, cloud_course, cloud_jobs, cloud_order, cloud_run, get_runner
from tasks.runners.base import Job, Limits, Report
from tests.emulators.cloud_container import missing
from tests.emulators.cloud_executions import stamp
from tests.emulators.cloud_run import CloudRunEmulator
from tests.runners.watch import Seen

REFUSED = missing()
pytestmark = pytest.mark.skipif(bool(REFUSED) and (os.environ.get("REQUIRE_SERVICES") != "1" or os.geteuid() != 0), reason=REFUSED)
RUNNER = get_runner("cloud_run")
NAME = "deployer-0123456789abcdef0123456789abcdef"


@pytest.fixture
def cloud(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[CloudRunEmulator]:
    with CloudRunEmulator(tmp_path) as emulator:
        settings.CLOUD_RUN_PROJECT, settings.CLOUD_RUN_REGION, settings.CLOUD_RUN_BUCKET = "p", "europe-west1", "runs"
        settings.CLOUD_RUN_SERVICE_ACCOUNT = "runs@p.iam.gserviceaccount.com"
        settings.CLOUD_RUN_API_ENDPOINT = settings.CLOUD_STORAGE_API_ENDPOINT = emulator.url
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(emulator.key_file))
        monkeypatch.setattr(cloud_course, "POLL_SECONDS", 0.05)
        monkeypatch.setattr(cloud_course, "STATE_SECONDS", 0.2)
        monkeypatch.setattr(cloud_course, "ASK_SECONDS", 0.05)
        for module in (cloud_api, cloud_course):
            monkeypatch.setattr(module, "PAUSES", (0.05, 0.1, 0.3, 1.0))
        monkeypatch.setattr(cloud_clearing, "END_PAUSES", (0.05, 0.1, 0.3, 1.0, 4.0))
        monkeypatch.setattr(cloud_clearing, "_swept", 0.0)
        cloud_api.credentials.cache_clear()
        cloud_run._proof.clear()
        yield emulator
        for thread in threading.enumerate():
            if thread.name == "cloud_run: clearing":
                thread.join(20)
        assert (list(emulator.jobs), emulator.bucket.names()) == ([], []), "something of the run is still there"
        assert all(execution.over for execution in emulator.executions.values())


def run(program: str, *, command: tuple[str, ...] = ("python3", "main.py"), watch: Seen | None = None, **options: Any) -> tuple[Report, Seen]:
    seen = watch or Seen()
    job = {name: options.pop(name) for name in ("stdin", "env") if name in options}
    files = {"main.py": program.encode(), **options.pop("files", {})}
    limits = Limits(**{"wall_seconds": 20.0, **options})
    return RUNNER.run(Job(command, files, limits=limits, name=NAME, **job), seen), seen


# -- how programs end ----------------------------------------------------------------------------------------------------------------------


def test_a_program_runs_with_its_files_and_input_and_what_it_leaves_and_says_comes_back(cloud: CloudRunEmulator) -> None:
    program = """
import os, pathlib, resource, subprocess, sys, time
began = time.monotonic()
print(sys.stdin.read(), pathlib.Path('sub/data.txt').read_text(), os.environ['KIND'], os.getcwd())
print('err', file=sys.stderr)
pathlib.Path('out/deep').mkdir(); pathlib.Path('out/deep/a.txt').write_text('kept'); os.symlink('/etc/passwd', 'out/link')
held = bytearray(b"x" * 120_000_000)
while time.process_time() < 0.4: pass
subprocess.run([sys.executable, "-c", "import time\\nwhile time.process_time() < 0.3: pass"])
time.sleep(1.2)
own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
print(own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime, own.ru_maxrss, time.monotonic() - began)
"""
    assert RUNNER.unavailable() == ""
    report, seen = run(program, files={"sub/data.txt": b"data"}, stdin=b"words", env={"KIND": "test"})
    ended = time.monotonic()

    assert (report.status, report.reason, report.exit_code, report.signal) == ("succeeded", "", 0, None), seen.stderr
    first, figures = seen.stdout.decode().splitlines()
    assert (first, seen.stderr) == ("words data test /work", b"err\n")
    assert seen.first_output is not None
    assert ended - seen.first_output > 0.8  # while it ran
    assert (report.artefacts, list(report.left_out)) == ({"deep/a.txt": b"kept"}, ["link"])
    cpu, memory, wall = map(float, figures.split())
    assert report.cpu_ms == pytest.approx(cpu * 1000, rel=0.1, abs=20)
    assert report.memory_peak_kb == pytest.approx(memory, rel=0.1)
    assert report.wall_ms == pytest.approx(wall * 1000, rel=0.1, abs=60)
    assert (report.applied["network"], report.applied["execution"]) == ("off", f"{NAME}-00000")


@pytest.mark.parametrize(
    ("program", "options", "status", "reason"),
    [
        ("import sys; sys.exit(3)", {}, "failed", "It ended with code 3."),
        ("import os; os.kill(os.getpid(), 11)", {}, "failed", "It was ended by SIGSEGV."),
        ("", {"command": ("no-such-program",)}, "failed", "no-such-program could not be started: No such file or directory."),
        ("import time; time.sleep(600)", {"wall_seconds": 1}, "timed_out", "It ran for more than 1 s."),
        ("import os; os.fork()\nwhile True: pass", {"cpu_seconds": 1}, "timed_out", "It used more than 1 s of processor time."),
        ("held = []\nwhile True: held.append(bytearray(b'x' * 10**6))", {"memory_mb": 150}, "oom_killed", "It used more than 150 MB of memory."),
        ("while True: print('x' * 1000)", {"output_kb": 64}, "output_limit", "It wrote more than 64 kB of output."),
        ("open('big', 'wb').write(bytes(5_000_000))", {"file_mb": 1}, "failed", "It ended with code 1."),
    ],
    ids=["code", "signal", "missing", "wall", "processor", "memory", "output", "file"],
)
def test_how_a_program_ends_is_told(cloud: CloudRunEmulator, program: str, options: dict[str, Any], status: str, reason: str) -> None:
    report, seen = run(program, **options)
    assert (report.status, report.reason) == (status, reason)
    assert None not in (report.wall_ms, report.cpu_ms, report.memory_peak_kb)
    if status == "output_limit":
        assert (report.stdout_truncated, report.stderr_truncated, len(seen.stdout)) == (True, False, 64 * 1024)


def test_a_program_reaches_neither_network_nor_container_nor_bucket(cloud: CloudRunEmulator) -> None:
    program = f"""
import ctypes, os, pathlib, socket
def attempt(name, action):
    try: print(name, "DONE", action())
    except Exception as error: print(name, type(error).__name__)
attempt("metadata", lambda: socket.create_connection(("169.254.169.254", 80), 2))
attempt("service", lambda: socket.create_connection(("127.0.0.1", {cloud.url.rpartition(":")[2]}), 2))
attempt("bucket", lambda: os.listdir("/job")[0])
attempt("root", lambda: pathlib.Path("/x").write_text("x"))
attempt("environ", lambda: pathlib.Path("/proc/1/environ").read_bytes())
attempt("descriptors", lambda: os.listdir("/proc/1/fd"))
attempt("user", lambda: os.setuid(0))
attempt("kill", lambda: os.kill(1, 9) or os.kill(1, 2) or len(os.listdir("/proc/1/fd")))
print(os.getuid() > 10**6, [name for _, name in socket.if_nameindex()], ctypes.CDLL(None).unshare(0x10000000), "CLOUD_RUN_JOB" in os.environ)
for _ in range(200):
    if os.fork() == 0: os.setsid(); import time; time.sleep(600)
"""
    report, seen = run(program, processes=20)
    *attempts, rest = seen.stdout.decode().splitlines()
    assert [line for line in attempts if "DONE" in line] == []
    assert (len(attempts), rest) == (8, "True ['lo'] -1 False")
    assert (report.status, b"Resource temporarily unavailable" in seen.stderr) == ("failed", True)


def test_a_cancelled_run_may_clean_up_and_one_that_has_not_begun_never_begins(cloud: CloudRunEmulator) -> None:
    polite = "import signal, sys, time\nsignal.signal(15, lambda *_: (print('bye'), sys.exit(0)))\nprint('up')\ntime.sleep(60)"
    report, seen = run(polite, watch=Seen(cancel_when=b"up"))
    assert (report.status, report.reason, seen.stdout) == ("cancelled", "It was cancelled.", b"up\nbye\n")
    deaf = "import signal, time\nsignal.signal(15, signal.SIG_IGN)\nprint('up')\ntime.sleep(60)"
    report, _ = run(deaf, watch=Seen(cancel_when=b"up"))
    assert (report.status, report.signal) == ("cancelled", 9)

    cloud.cold_start = 30
    unwanted = Seen()
    unwanted.cancelled = lambda: len(cloud.made) == 3  # type: ignore[method-assign]
    report, seen = run("print(1)", watch=unwanted)
    assert (report.status, seen.started, seen.stdout) == ("cancelled", None, b"")


# -- when the service does not do as it should -----------------------------------------------------------------------------------------------


def test_lost_answers_and_busy_services_make_neither_a_second_job_nor_a_second_execution(cloud: CloudRunEmulator) -> None:
    cloud.fault("POST", "/jobs$", "done-but-reset")
    cloud.fault("POST", ":run$", "done-but-reset")
    cloud.fault("POST", "/upload/", status=503)
    cloud.fault("GET", f"/jobs/{NAME}$", status=429)
    cloud.fault("GET", "%2F000001$", "reset")
    cloud.fault("GET", "%2F000002$", status=500, times=2)
    cloud.fault("DELETE", "/jobs/", "done-but-reset")
    cloud.making_seconds = 0.5
    cloud.tokens.clear()  # one that Google took back before its time
    report, seen = run("print('once')")
    assert (report.status, seen.stdout) == ("succeeded", b"once\n")
    assert (len(cloud.made), cloud.asked("POST", "/jobs"), cloud.asked("POST", ":run")) == (1, 2, 1)


def test_a_service_that_is_gone_is_an_error_of_ours_and_not_of_the_program(cloud: CloudRunEmulator) -> None:
    def silence() -> None:
        end = time.monotonic() + 20
        while not cloud.made and time.monotonic() < end:
            time.sleep(0.01)
        cloud.fault("*", ".*", "reset", times=500)

    silencer = threading.Thread(target=silence)
    silencer.start()
    report, _ = run("import time; time.sleep(1)")
    silencer.join()
    cloud.faults.clear()
    assert (report.status, report.exit_code) == ("internal_error", None)
    assert "could not be asked: 127.0.0.1 broke off" in report.reason

    RUNNER.discard(NAME)  # what it could not clear away itself


def test_what_a_dead_worker_left_is_ended_and_removed(cloud: CloudRunEmulator) -> None:
    with cloud_course.ThreadPoolExecutor(1) as pool:
        course = cloud_course.Course(Job(("python3", "-c", "import time; time.sleep(600)"), name=NAME), Seen())
        course.pool = pool
        course._order()
    execution = cloud.executions[course.execution]
    end = time.monotonic() + 20
    while f"{NAME}/000001" not in cloud.bucket.names() and time.monotonic() < end:
        time.sleep(0.02)
    assert not execution.over

    RUNNER.discard(NAME)
    RUNNER.discard(NAME)  # twice does no harm


@pytest.mark.django_db(transaction=True)
def test_a_row_gets_output_as_it_comes_and_its_end_and_a_dead_workers_run_is_ended(cloud: CloudRunEmulator, settings: Any) -> None:
    settings.RUNNER = "cloud_run"
    program = b"import time\nprint('first', flush=True); time.sleep(2.2); print('h\xc3\xa9llo'); open('out/a.txt', 'w').write('kept')"
    run = runs.submit(files={"main.py": program})
    seen: list[tuple[str, str]] = []

    def look() -> None:
        while not seen:
            row = ContainerRun.objects.get(pk=run.pk)
            if row.stdout or not row.is_open:
                seen.append((row.status, row.stdout))
            time.sleep(0.05)
        connection.close()

    watcher = threading.Thread(target=look)
    watcher.start()
    runs.run_next()
    watcher.join()
    run.refresh_from_db()
    assert seen == [("running", "first\n")]
    assert (run.status, run.runner, run.stdout, run.artefacts.get().path) == ("succeeded", "cloud_run", "first\nh\u00e9llo\n", "a.txt")

    runs.submit(files={"main.py": b"import time; time.sleep(600)"})
    dead = runs.claim()
    assert dead is not None
    with cloud_course.ThreadPoolExecutor(1) as pool:
        course = cloud_course.Course(runs.job_of(dead), Seen())
        course.pool = pool
        course._order()
    ContainerRun.objects.filter(pk=dead.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    runs.take_back()
    dead.refresh_from_db()
    assert (dead.status, dead.reason) == ("internal_error", runs.DIED)


def test_jobs_that_could_not_be_cleared_away_in_their_time_go_with_a_later_run(cloud: CloudRunEmulator) -> None:
    for name in ("deployer-old", "deployer-young", "of-somebody-else"):
        cloud_jobs.create_job(name, cloud_order.body_of(name, Limits(), 0) | ({"labels": {}} if name == "of-somebody-else" else {}))
        cloud.jobs[f"projects/p/locations/europe-west1/jobs/{name}"]["createTime"] = "2026-01-02T03:04:05.678901234Z"
    cloud.jobs["projects/p/locations/europe-west1/jobs/deployer-young"]["createTime"] = stamp()
    run("print(1)")
    end = time.monotonic() + 20
    while len(cloud.jobs) > 2 and time.monotonic() < end:
        time.sleep(0.02)
    assert [name.rpartition("/")[2] for name in cloud.jobs] == ["deployer-young", "of-somebody-else"]
    cloud.jobs.clear()


@pytest.mark.parametrize(
    ("right", "ready"),
    [
        ("run.jobs.create", False),
        ("iam.serviceAccounts.actAs", False),
        ("storage.objects.create", False),
        ("run.jobs.run", True),
        ("run.executions.get", True),
    ],
)
def test_a_right_that_is_missing_is_named(cloud: CloudRunEmulator, right: str, ready: bool) -> None:
    cloud.denied.add(right)
    reason = RUNNER.unavailable()
    assert bool(reason) is not ready
    assert ready or right in reason
    report, _ = run("import time; time.sleep(1)")
    assert (report.status, right in report.reason or "roles/storage.objectUser" in report.reason) == ("internal_error", True)
    assert RUNNER.unavailable() == reason  # asked once a minute
    assert sum("validateOnly" in request.query for request in cloud.requests) == 1


def test_a_container_that_tells_nothing_is_judged_by_what_cloud_run_tells(cloud: CloudRunEmulator, monkeypatch: pytest.MonkeyPatch) -> None:
    said = "The container ended without its report. Cloud Run says: "
    for supervisor, status, reason in (
        (b"raise SystemExit('a fault of ours')", "internal_error", said + "The container exited with an error: exit(1)."),
        (
            b"import os\nif os.fork(): os.wait()\nheld = [bytearray(b'x' * 10**6) for _ in range(3000)]",
            "oom_killed",
            "It used more memory than the container has.",
        ),
    ):
        monkeypatch.setattr(cloud_course, "supervisor", lambda supervisor=supervisor: supervisor)
        report, _ = run("print(1)", memory_mb=50, artefacts_mb=1)
        assert (report.status, report.reason) == (status, reason)


def test_where_the_container_cannot_be_closed_off_nothing_is_run(cloud: CloudRunEmulator) -> None:
    cloud.image_user = 65534
    report, seen = run("print(1)")
    assert (report.status, seen.stdout, "CLOUD_RUN_IMAGE must start as root" in report.reason) == ("internal_error", b"", True)
    cloud.image_user, cloud.rights = 0, "CAP_SETUID"
    report, seen = run("print(1)")
    assert (report.status, seen.stdout, seen.started) == ("internal_error", b"", None)
    assert report.reason.endswith("which lacks a process namespace (Operation not permitted).")


def test_what_cloud_run_cannot_do_is_an_error_of_ours(cloud: CloudRunEmulator, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud.fault("GET", r"/executions/[^/:]+$", status=404)
    report, _ = run("import time; time.sleep(1)")
    assert (report.status, report.reason) == ("internal_error", "Cloud Run answered 404. on purpose")
    cloud.cold_start = 30
    monkeypatch.setattr(cloud_course, "START_SECONDS", 0.7)
    report, seen = run("print(1)")
    assert (report.status, report.reason, seen.started) == ("internal_error", "Cloud Run did not start the container within 0.7 s.", None)
    settings.CLOUD_RUN_IMAGE = "nowhere/nothing"
    report, _ = run("print(1)")
    assert (report.status, report.reason) == ("internal_error", "Cloud Run cannot use the job: Image 'nowhere/nothing' not found.")


def test_what_is_not_set_is_named_and_so_are_missing_credentials(cloud: CloudRunEmulator, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/key.json")
    assert "name a key file in GOOGLE_APPLICATION_CREDENTIALS" in RUNNER.unavailable()
    settings.CLOUD_RUN_BUCKET = settings.CLOUD_RUN_REGION = ""
    assert RUNNER.unavailable() == "RUNNER=cloud_run needs CLOUD_RUN_REGION, CLOUD_RUN_BUCKET: the README tells how to set up Cloud Run."
    assert run("print(1)")[0].status == "internal_error"
