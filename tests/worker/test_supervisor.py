"""`manage.py worker` as an operator sees it: real processes on a real SQLite file."""

import os
import signal
import statistics
import time

import pytest
from django.db import OperationalError, connection

from tasks.worker import pulse, supervisor
from tests.worker.box import Box, alive, until

pytestmark = pytest.mark.worker


def test_an_idle_worker_starts_a_job_within_milliseconds(box: Box) -> None:
    box.worker()
    waits = []
    for number in range(25):
        sent = box.note(f"job-{number}")
        waits.append(box.until_noted(f"job-{number}", 5)[2] - sent)
        time.sleep(0.03)
    assert statistics.median(waits) < 0.3


def test_a_database_that_is_locked_for_long_is_survived(box: Box) -> None:
    worker = box.worker()
    restarts = box.call("workers")[0]["restarts"]
    box.tell("hold_database", str(box.notes_path), 8)
    box.until_noted("locked", 5)
    until(lambda: "trying again each second" in worker.text(), 6, f"a line that says so\n{worker.text()}")
    box.answer()
    until(lambda: "The database is back" in worker.text(), 6, f"a line that says so\n{worker.text()}")
    box.note("afterwards")
    box.until_noted("afterwards", 5)
    assert box.call("workers")[0]["restarts"] == restarts


@pytest.mark.django_db
def test_only_the_web_waits_for_the_disk_at_a_commit(box: Box) -> None:
    box.worker()
    box.call("enqueue", "commits", str(box.notes_path))
    box.until_noted("synchronous=1", 5)
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            assert cursor.execute("PRAGMA synchronous").fetchone()[0] == 2


def test_a_lease_of_a_worker_that_vanished_is_taken_back_within_two_seconds(box: Box) -> None:
    box.start()
    round_id = box.call("make_round", lease_until=600)
    waiting = box.call("make_round", lease_until=0.5)
    until(lambda: not box.call("round_row", waiting)["lease_owner"].startswith("elsewhere"), 2.5, "the end of the old lease")
    assert box.call("round_row", round_id)["lease_owner"].startswith("elsewhere")


def test_a_lost_message_is_sent_again(box: Box) -> None:
    box.start()
    sent = time.time() - 16
    round_id = box.call("make_round", enqueued_at=-16)
    until(lambda: box.call("round_row", round_id)["enqueued_at"] != pytest.approx(sent, abs=2), 2.5, "another message")


def test_a_running_worker_shows_its_row(box: Box) -> None:
    worker = box.start(workers=3)
    [first] = box.call("workers")
    assert first["name"].split(":")[1] == str(worker.process.pid)
    assert (first["processes"], first["restarts"], first["stopped_at"]) == (3, 0, None)
    until(lambda: box.call("workers")[0]["seen_at"] > first["seen_at"], 4, "a later heartbeat")
    assert worker.whole(workers=3)


def test_an_idle_worker_stops_at_once_and_cleanly(box: Box) -> None:
    worker = box.start()
    group = worker.group()
    assert worker.end(3) == 0
    assert not any(map(alive, group))
    assert box.call("workers")[0]["stopped_at"]
    assert "ERROR" not in worker.text()


def test_a_polite_job_gives_its_round_back_when_the_worker_stops(box: Box) -> None:
    worker = box.start()
    round_id = box.call("make_round", enqueued_at=0)
    box.call("enqueue", "hold", str(box.notes_path), round_id, True, timeout=60)
    box.until_noted("held", 5)
    assert box.call("round_row", round_id)["lease_owner"].startswith(box.call("workers")[0]["name"] + ":")
    assert worker.end(5) == 0
    assert box.labels() == ["held", "released"]
    row = box.call("round_row", round_id)
    assert (row["status"], row["lease_owner"], row["enqueued_at"]) == ("queued", "", None)


def test_a_stubborn_job_is_ended_after_the_grace_and_its_round_given_back(box: Box) -> None:
    assert supervisor.STOP_SECONDS == 20
    worker = box.start(DEPLOYER_STOP_SECONDS="3")
    round_id = box.call("make_round", enqueued_at=0)
    box.call("enqueue", "hold", str(box.notes_path), round_id, False, timeout=60)
    box.until_noted("held", 5)
    group, start = worker.group(), time.monotonic()
    assert worker.end(5) == 0
    assert 2.9 < time.monotonic() - start < 15
    assert not any(map(alive, group))
    row = box.call("round_row", round_id)
    assert (row["status"], row["lease_owner"], row["enqueued_at"]) == ("queued", "", None)


def test_a_second_signal_ends_it_at_once(box: Box) -> None:
    worker = box.start()
    box.call("enqueue", "hold", str(box.notes_path), box.call("make_round", enqueued_at=0), False, timeout=60)
    box.until_noted("held", 5)
    worker.process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    assert worker.process.poll() is None
    assert worker.end(3) == 0


def test_a_database_that_is_locked_does_not_delay_the_stop(box: Box) -> None:
    worker = box.start()
    box.tell("hold_database", str(box.notes_path), 6)
    box.until_noted("locked", 5)
    assert worker.end(5.5) == 0
    box.answer()


def test_a_cluster_without_progress_is_started_again(box: Box) -> None:
    assert pulse.PROGRESS_SECONDS == 45
    worker = box.start(DEPLOYER_PROGRESS_SECONDS="4")
    stopped = worker.group()
    for pid in stopped:
        worker.kill(pid, signal.SIGSTOP)
    box.note("afterwards")
    box.until_noted("afterwards", 15)
    assert not any(map(alive, stopped))
    until(lambda: box.call("workers")[0]["restarts"], 3, "the restart in the row")


def test_a_cluster_whose_workers_are_all_busy_is_left_alone(box: Box) -> None:
    worker = box.start(DEPLOYER_PROGRESS_SECONDS="4")
    for _ in range(2):
        box.call("enqueue", "hold", str(box.notes_path), box.call("make_round", enqueued_at=0), True, timeout=60)
    until(lambda: box.labels() == ["held", "held"], 10, "two busy workers")
    busy = worker.group()
    time.sleep(5.5)
    assert worker.group() == busy


def test_two_workers_on_one_machine_share_the_work(box: Box) -> None:
    first, second = box.start(), box.start()
    for number in range(20):
        box.note(f"job-{number}", 0.1)
    until(lambda: len(box.labels()) >= 20, 20, "twenty jobs")
    assert sorted(box.labels()) == sorted(f"job-{number}" for number in range(20))
    pids = {pid for _, pid, _ in box.notes()}
    assert pids & set(first.group("worker"))
    assert pids & set(second.group("worker"))
    assert second.end() == 0
    box.note("afterwards")
    box.until_noted("afterwards", 5)


def test_a_database_that_says_nothing_is_left_after_a_while() -> None:
    pid = os.fork()  # an interval timer of our own, not the test runner's
    if pid == 0:
        one = supervisor.Supervisor(1)
        signal.signal(signal.SIGALRM, one._on_silence)
        try:
            with one._patience(0.05):
                time.sleep(5)
        except OperationalError:
            os._exit(7)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
