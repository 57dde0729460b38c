"""Runs in their rows: asked for, carried out in order, watched while they run, cancelled, taken back from a dead worker."""

from __future__ import annotations

import os
import threading
import time
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from django_q.models import OrmQ

from tasks import runs
from tasks.errors import RunRefused
from tasks.models import ContainerRun
from tasks.runners import get_runner

REFUSED = get_runner("sandbox").unavailable()
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(bool(REFUSED) and os.environ.get("REQUIRE_SERVICES") != "1", reason=REFUSED),
]


def submit(program: str, **options: object) -> ContainerRun:
    return runs.submit(files={"main.py": program.encode()}, **options)  # type: ignore[arg-type]


def carried_out(program: str, **options: object) -> ContainerRun:
    run = submit(program, **options)
    runs.run_next()
    run.refresh_from_db()
    return run


def test_a_run_goes_from_queued_to_its_end_and_keeps_what_it_left() -> None:
    run = submit("open('out/made.txt', 'w').write('made'); print('héllo'); import sys; print('oops', file=sys.stderr)", stdin="", agent="eva")
    assert (run.status, run.command) == ("queued", ["python3", "main.py"])
    assert OrmQ.objects.count() == 1

    runs.run_next()

    run.refresh_from_db()
    assert (run.status, run.reason, run.exit_code) == ("succeeded", "", 0)
    assert (run.stdout, run.stderr) == ("héllo\n", "oops\n")
    assert run.started_at is not None
    assert run.finished_at is not None
    assert None not in (run.wall_ms, run.cpu_ms, run.memory_peak_kb)
    (artefact,) = run.artefacts.all()
    assert (artefact.path, bytes(artefact.content), artefact.size) == ("made.txt", b"made", 4)
    assert (run.lease_owner, run.lease_until) == ("", None)


def test_output_is_in_the_row_while_the_program_runs() -> None:
    run = submit("import time; print('first'); time.sleep(4); print('second')")
    seen: list[tuple[str, str]] = []

    def look() -> None:
        end = time.monotonic() + 20
        while time.monotonic() < end:
            row = ContainerRun.objects.get(pk=run.pk)
            if row.stdout or not row.is_open:
                seen.append((row.status, row.stdout))
                break
            time.sleep(0.1)
        connection.close()

    watcher = threading.Thread(target=look)
    watcher.start()
    runs.run_next()
    watcher.join()
    assert seen == [("running", "first\n")]


def test_output_that_no_database_takes_is_stored_as_text() -> None:
    run = carried_out("import sys; sys.stdout.buffer.write(b'a\\0b\\xffc\\xed\\xa0\\x80')")
    assert run.status == "succeeded"
    assert run.stdout.startswith("a\ufffdb\ufffdc")
    assert "\0" not in run.stdout


def test_runs_are_carried_out_in_the_order_in_which_they_were_asked_for() -> None:
    asked = [submit(f"print({number})").pk for number in range(4)]
    for _ in asked:
        runs.run_next()
    assert list(ContainerRun.objects.order_by("finished_at").values_list("pk", flat=True)) == asked


def test_no_more_than_half_of_the_workers_run_programs(settings) -> None:
    settings.WORKERS = 2
    submit("")
    second = submit("")
    first = runs.claim()
    assert first is not None
    assert runs.claim() is None

    runs.carry_out(first)

    assert runs.claim() == second


def test_one_that_waits_is_cancelled_at_once_and_one_that_runs_is_ended() -> None:
    waiting = submit("print('never')")
    runs.cancel(waiting)
    waiting.refresh_from_db()
    assert (waiting.status, waiting.stdout) == ("cancelled", "")

    running = submit("import time; print('up'); time.sleep(60)")

    def cancel() -> None:
        end = time.monotonic() + 20
        while time.monotonic() < end and not ContainerRun.objects.get(pk=running.pk).stdout:
            time.sleep(0.05)
        runs.cancel(running)
        connection.close()

    thread = threading.Thread(target=cancel)
    thread.start()
    runs.run_next()
    thread.join()
    running.refresh_from_db()
    assert (running.status, running.reason) == ("cancelled", "It was cancelled.")


def test_what_a_dead_worker_ran_ends_and_says_so() -> None:
    submit("print(1)")
    run = runs.claim()
    assert run is not None
    runs.take_back()
    assert ContainerRun.objects.get(pk=run.pk).status == "preparing"

    ContainerRun.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    runs.take_back()

    row = ContainerRun.objects.get(pk=run.pk)
    assert (row.status, row.reason) == ("internal_error", runs.DIED)
    runs.carry_out(run)  # the worker was not dead after all: what it has to say comes too late
    row.refresh_from_db()
    assert (row.status, row.stdout) == ("internal_error", "")


def test_a_lost_message_is_sent_again() -> None:
    submit("")
    OrmQ.objects.all().delete()
    runs.take_back()
    assert OrmQ.objects.count() == 0
    ContainerRun.objects.update(enqueued_at=timezone.now() - timedelta(seconds=20))
    runs.take_back()
    runs.take_back()
    assert OrmQ.objects.count() == 1


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"files": {"a.py": b"", "b.py": b""}}, "Say what to run"),
        ({"files": {"../main.py": b""}}, "no path below"),
        ({"files": {"/etc/main.py": b""}}, "no path below"),
        ({"files": {"a/../../main.py": b""}}, "no path below"),
        ({"files": {"main.py": b""}, "limits": {"colour": 1}}, "There is no limit called 'colour'"),
        ({"files": {"main.py": b""}, "limits": {"wall_seconds": 100_000}}, "at most 240"),
        ({"files": {"main.py": b""}, "limits": {"processes": True}}, "must be above 0"),
        ({"files": {"main.py": b""}, "limits": {"memory_mb": 0.5}}, "at least 1"),
    ],
)
def test_what_cannot_be_run_is_refused_with_the_cure(asked, says) -> None:
    with pytest.raises(RunRefused, match=says):
        runs.submit(**asked)
    assert not ContainerRun.objects.exists()


def test_a_runner_that_cannot_run_is_an_error_of_ours_with_its_reason(settings) -> None:
    settings.RUNNER = "nowhere"
    run = carried_out("print(1)")
    assert run.status == "internal_error"
    assert "nowhere" in run.reason


def test_claims_at_the_same_moment_take_no_more_than_half_of_the_workers_and_no_run_twice(settings) -> None:
    settings.WORKERS = 6
    for _ in range(8):
        submit("")
    taken: list[ContainerRun | None] = []

    def take() -> None:
        taken.append(runs.claim())
        connection.close()

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    held = [run.pk for run in taken if run]
    assert len(held) == 3
    assert sorted(held) == list(ContainerRun.objects.order_by("pk").values_list("pk", flat=True)[:3])
