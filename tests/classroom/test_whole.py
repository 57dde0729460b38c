"""A class run whole: what is counted, what is waited for, and that the workers are needed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tasks.classroom import briefs, issue, sending, whole
from tasks.classroom.issue import Order
from tasks.classroom.whole import Standing
from tasks.errors import Conflict
from tasks.models import IssuedTask, RepoReport, Worker
from tests.classroom.students import BRIEF, Students, use_brief
from tests.factories import make_issued, make_submission

pytestmark = pytest.mark.django_db


@pytest.fixture
def students(monkeypatch: pytest.MonkeyPatch) -> Iterator[Students]:
    use_brief(monkeypatch)
    monkeypatch.setattr(briefs, "variants", lambda name: [[""], [""]])
    with Students() as running:
        yield running


@pytest.fixture
def worker() -> Worker:
    return Worker.objects.create(name="box:1:0", host="box", pid=1)


def issued(status: str, **fields: Any) -> IssuedTask:
    accepted = {"accepted_at": timezone.now()} if status == "accepted" else {}
    return make_issued(status=status, brief_id=BRIEF, **accepted, **fields)


def reported(row: IssuedTask, state: str, **fields: Any) -> None:
    number = RepoReport.objects.count()
    RepoReport.objects.create(issued=row, repo_url="https://x.org/r", commit_sha=f"{number:040}", pages_url="https://x.org/p", state=state, **fields)


def standing(patience: float = 600.0) -> Standing:
    return whole.standing(Order(BRIEF).rows(), 1, patience)


def test_every_student_is_counted_in_one_place_and_the_counts_add_up() -> None:
    for status in ("pending", "waiting", "given_up", "uncertain", "accepted"):
        issued(status)
    for states in (["queued"], ["running", "done"], ["done", "error"], ["error"]):
        row = issued("accepted")
        for state in states:
            reported(row, state, is_late=states == ["error"])
    found = standing()
    assert found == Standing(
        round=1, issued=9, accepted=5, unsettled=2, refused=2, reported=4, late=1, silent=1, awaited=1, evaluated=1, evaluating=2, troubled=1
    )
    assert found.adds_up
    assert not Standing(round=1, issued=2, accepted=1).adds_up


def test_a_report_is_waited_for_no_longer_than_the_patience() -> None:
    row = issued("accepted")
    IssuedTask.objects.filter(pk=row.pk).update(accepted_at=timezone.now() - timedelta(seconds=100))
    assert (standing(90).awaited, standing(90).silent) == (0, 1)
    assert standing(110).awaited == 1


def test_a_student_who_was_issued_the_round_again_counts_once_with_the_newer_task() -> None:
    student = make_submission()
    reported(issued("accepted", submission=student), "done")
    issued("given_up", submission=student)
    assert (standing().issued, standing().refused, standing().reported) == (1, 1, 0)


def test_both_rounds_are_sent_and_who_reports_nothing_is_neither_waited_for_nor_forgotten(students: Students, worker: Worker) -> None:
    """The services answer and never report; one of them has reported round 1 before, so that one gets round 2."""
    for _ in range(3):
        make_submission(endpoint=students.endpoint())
    early = Order(BRIEF)
    issue.plan(early)
    sending.send(early.rows())
    reported(early.rows().first(), "done")
    seen: list[Standing] = []
    course = whole.run(BRIEF, patience=0.0, watch=seen.append)
    assert [(one.round, one.issued, one.accepted, one.silent, one.evaluated) for one in course.standings] == [(1, 3, 3, 2, 1), (2, 1, 1, 1, 0)]
    assert all(one.adds_up for one in seen)
    assert list(course.seconds) == [f"round {number} {phase}" for number in (1, 2) for phase in ("sent", "reported", "evaluated")]


def test_without_a_worker_nothing_is_begun(students: Students) -> None:
    make_submission(endpoint=students.endpoint())
    with pytest.raises(Conflict, match=r"manage\.py worker"):
        whole.run(BRIEF)
    assert not IssuedTask.objects.exists()


def test_a_worker_that_goes_away_ends_the_waiting(students: Students, worker: Worker) -> None:
    make_submission(endpoint=students.endpoint())

    def gone(now: Standing) -> None:
        Worker.objects.update(stopped_at=timezone.now())

    with pytest.raises(Conflict, match="goes on where it stopped"):
        whole.run(BRIEF, watch=gone)
    assert IssuedTask.objects.get().status == "accepted"
