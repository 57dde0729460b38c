"""The same worker on PostgreSQL, and what only a server can do to it."""

import time

import pytest

from tests.worker.box import Box, until

pytestmark = pytest.mark.worker


def test_cut_connections_are_survived(postgres_box: Box) -> None:
    box = postgres_box
    worker = box.start()
    group = worker.group()
    for number in range(3):
        assert box.call("cut_connections") >= 1
        box.note(f"job-{number}", 0.1)
        box.until_noted(f"job-{number}", 6)
    time.sleep(1.2)
    assert worker.group() == group, "no process of the cluster had to be replaced"
    until(lambda: box.call("queue") == [], 5, "every message acknowledged")
    assert worker.end(5) == 0


def test_a_question_that_the_database_does_not_answer_does_not_delay_the_stop(postgres_box: Box) -> None:
    box = postgres_box
    worker = box.start()
    box.tell("hold_rounds", str(box.notes_path), 12)
    box.until_noted("locked", 5)
    time.sleep(1.5)  # the supervisor now waits for the table
    start = time.monotonic()
    assert worker.end(4) == 0
    assert time.monotonic() - start < 9
    box.answer()


def test_two_workers_never_do_the_same_job_twice(postgres_box: Box) -> None:
    box = postgres_box
    box.start()
    box.start()
    for number in range(40):
        box.note(f"job-{number}", 0.05)
    until(lambda: len(box.labels()) >= 40, 20, "forty jobs")
    assert len(set(box.labels())) == len(box.labels()) == 40
