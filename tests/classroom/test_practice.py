"""Practice: sent, reported and tried again as its rules say, within its limits, and never part of a class."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ

from tasks.classroom import issue, letters, practice, sending, tries
from tasks.classroom.issue import Order
from tasks.classroom.practice import next_round, start, stop
from tasks.classroom.sealing import unseal
from tasks.classroom.submissions import import_csv
from tasks.errors import Conflict
from tasks.management.reports import chosen
from tasks.models import IssuedTask, RepoReport, Submission
from tasks.retention import classroom, erasure
from tasks.retention.issued import freed_submissions, quiet_issued, unused_submissions
from tests.classroom.students import BRIEF, Students, use_brief
from tests.emulators.base import Reply
from tests.factories import make_submission

pytestmark = pytest.mark.django_db

ANN = "Ann@example.org"
SECRET = "s3cret of ann"


@pytest.fixture
def students(monkeypatch: pytest.MonkeyPatch) -> Iterator[Students]:
    use_brief(monkeypatch)
    with Students() as running:
        yield running


def begin(students: Students, email: str = ANN) -> IssuedTask:
    return start(email, BRIEF, students.endpoint(), SECRET)


def send() -> IssuedTask:
    sending.send(IssuedTask.objects.all())
    return IssuedTask.objects.latest("pk")


def report(row: IssuedTask) -> dict[str, str]:
    """What the service posts to /notify; its answer."""
    body = {
        "email": ANN.lower(),
        "task": row.task,
        "round": row.round,
        "nonce": row.nonce,
        "repo_url": "https://x.org/r",
        "pages_url": "https://x.org/p",
    }
    answer = Client().post("/notify", {**body, "commit_sha": "a" * 40}, content_type="application/json")
    return {"code": str(answer.status_code), **answer.json()}


def ended(row: IssuedTask) -> None:
    RepoReport.objects.filter(issued=row).update(state="done")


def test_a_practice_is_sent_with_its_secret_reported_and_left_to_the_evaluation(students: Students) -> None:
    row = begin(students)
    assert OrmQ.objects.get().task["func"] == sending.JOB
    sent = send()
    body = students.bodies[0]
    assert (sent.status, body["email"], body["secret"], body["round"]) == ("accepted", ANN, SECRET, 1)
    assert body["evaluation_url"] == "http://testserver/notify"
    assert body["brief"].endswith("round 1.")
    assert report(row)["code"] == "200"
    assert RepoReport.objects.get(issued=row).state == "queued"
    assert row.submission.is_practice
    assert SECRET not in row.submission.sealed_secret


def test_it_has_numbers_of_its_own_in_the_hour_in_which_the_class_gets_the_same_brief(students: Students) -> None:
    make_submission(email=ANN, endpoint=students.endpoint())
    row = begin(students)
    issue.plan(Order(BRIEF))
    assert IssuedTask.objects.get(submission__is_practice=False).task != row.task


def test_round_2_of_the_same_task_follows_the_report_and_only_once(students: Students) -> None:
    row = begin(students)
    with pytest.raises(Conflict, match="not reported yet"):
        next_round(row)
    send()
    report(row)
    ended(row)
    second = next_round(row)
    assert (second.task, second.round, second.first, second.seed) == (row.task, 2, row, row.seed)
    with pytest.raises(Conflict, match="sent already"):
        next_round(row)
    IssuedTask.objects.filter(pk=second.pk).update(status="given_up")
    assert next_round(row).round == 2
    issued = issue_of_the_class(students)
    with pytest.raises(Conflict, match="the class's"):
        next_round(issued)


def issue_of_the_class(students: Students) -> IssuedTask:
    make_submission(email="bob@example.org", endpoint=students.endpoint())
    issue.plan(Order(BRIEF))
    return IssuedTask.objects.get(submission__email="bob@example.org")


def test_what_is_refused_is_tried_three_times_within_minutes_and_not_for_a_day(students: Students) -> None:
    students.answer = lambda request: Reply(500, b"boom")
    row = begin(students)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        waits = []
        while (sent := send()).status == "waiting":
            waits.append((sent.next_try_at - timezone.now()).total_seconds())
            clock.move_to(sent.next_try_at)
        assert (sent.status, sent.tries, sum(waits)) == ("given_up", tries.PRACTICE_TRIES, 120)
    assert row.history.count() == len(students.requests) == 3


@pytest.mark.parametrize(("asked", "status"), [("20", "waiting"), ("3600", "given_up")])
def test_a_pause_that_the_service_asks_for_is_kept_if_it_is_short(students: Students, asked: str, status: str) -> None:
    students.answer = lambda request: Reply(503, b"", {"Retry-After": asked})
    begin(students)
    assert send().status == status


def test_one_is_under_way_at_a_time_until_it_is_evaluated_stopped_or_nothing_comes(students: Students) -> None:
    row = begin(students)
    with pytest.raises(Conflict, match="still under way"):
        start(ANN.upper(), BRIEF, "https://other.example.org/ready", "another")
    student = Submission.every.get(is_practice=True)
    assert (student.endpoint, unseal(student.sealed_secret, ANN)) == (students.endpoint(), SECRET), "what is under way keeps its service"
    begin(students, "bob@example.org")
    send()
    report(row)
    with pytest.raises(Conflict, match="still under way"):
        begin(students)
    ended(row)
    second = start(ANN, BRIEF, "https://other.example.org/ready", "another")
    student.refresh_from_db()
    assert (student.endpoint, unseal(student.sealed_secret, ANN)) == ("https://other.example.org/ready", "another")
    assert (stop(second), stop(second), stop(row)) == (True, False, False)
    assert Submission.every.filter(email__iexact=ANN).count() == 1

    third = begin(students)
    IssuedTask.objects.filter(pk=third.pk).update(status="accepted", deadline_at=timezone.now() + timedelta(minutes=1))
    assert practice.under_way().filter(pk=third.pk).exists()
    IssuedTask.objects.filter(pk=third.pk).update(deadline_at=timezone.now() - timedelta(minutes=1))
    assert not practice.under_way().filter(pk=third.pk).exists()


def test_a_person_gets_so_many_a_day(students: Students) -> None:
    for _ in range(practice.A_DAY):
        stop(begin(students))
    with pytest.raises(Conflict, match="in the last 24 hours"):
        begin(students)
    IssuedTask.objects.filter(pk__in=IssuedTask.objects.values("pk")[:1]).update(created_at=timezone.now() - timedelta(hours=25))
    begin(students)


@pytest.mark.parametrize(
    ("email", "brief", "endpoint", "secret", "words"),
    [
        (ANN, BRIEF, "http://10.0.0.1/ready", "s", "Nothing can be sent"),
        (ANN, BRIEF, "http://[::1]/ready", "s", "Nothing can be sent"),
        (ANN, BRIEF, "ftp://x.org/ready", "s", "does not begin with"),
        (ANN, BRIEF, "https://x.org/ready", "  ", "The secret is empty"),
        ("nobody", BRIEF, "https://x.org/ready", "s", "name@example.org"),
        (ANN, "no-such", "https://x.org/ready", "s", "There is no brief"),
    ],
)
def test_what_cannot_be_sent_is_refused_before_anything_is_stored(email: str, brief: str, endpoint: str, secret: str, words: str) -> None:
    with pytest.raises(Conflict, match=words):
        start(email, brief if brief == "no-such" else "sales-total", endpoint, secret)
    assert (Submission.every.count(), IssuedTask.objects.count(), OrmQ.objects.count()) == (0, 0, 0)


# -- apart from the class ------------------------------------------------------------------------------------------------------------------


def test_the_class_neither_counts_it_nor_issues_to_it_nor_imports_over_it(students: Students) -> None:
    make_submission(email="bob@example.org", endpoint=students.endpoint())
    row = begin(students)
    send()
    report(row)
    for round_ in (1, 2):
        planned = issue.preview(Order(BRIEF, round_))
        assert (planned.new, planned.waiting, planned.accepted, planned.not_reported) == (2 - round_, 0, 0, 0)
    with pytest.raises(Conflict, match=r"No submission of ann@example\.org"):
        issue.preview(Order(BRIEF, emails=(ANN,)))
    done = import_csv(f"email,endpoint,secret\n{ANN},https://new.example.org/ready,of the class\n")
    assert (done.new, done.changed) == (1, 0)
    assert unseal(Submission.every.get(is_practice=True).sealed_secret, ANN) == SECRET
    out = StringIO()
    call_command("submissions", "list", "--json", stdout=out)
    assert sorted((line["email"], line["issued"]) for line in json.loads(out.getvalue())) == [(ANN, 0), ("bob@example.org", 0)]


def test_it_is_evaluated_with_the_class_but_not_evaluated_again_with_it(students: Students) -> None:
    report_of_the_class = RepoReport.objects.create(issued=issue_of_the_class(students), repo_url="r", commit_sha="c", pages_url="p")
    row = begin(students)
    send()
    report(row)
    options = {"brief": [], "round_number": None, "email": [], "errors": False, "again": False}
    assert len(chosen(options)) == 2
    RepoReport.objects.update(state="error")
    for given in ("errors", "again"):
        assert chosen({**options, given: True}) == [report_of_the_class.pk]


def test_it_grows_old_and_is_erased_like_everything_of_a_person(students: Students) -> None:
    begin(students)
    send()
    stop(IssuedTask.objects.get())
    later = timezone.now() + timedelta(minutes=1)
    assert quiet_issued(later).count() == freed_submissions(later).count() == 1
    assert +Counter(classroom.counted(Submission.every.all())) == {"tasks.IssuedTask": 1, "tasks.IssueTry": 1}
    assert erasure.look(ANN).rows["tasks.IssuedTask"] == 1
    IssuedTask.objects.all().delete()
    assert unused_submissions(later).count() == 1


def test_it_is_due_with_the_class_and_the_secret_stands_nowhere_in_the_database(students: Students) -> None:
    issue_of_the_class(students)
    begin(students)
    assert letters.due().count() == 2
    send()
    with connection.cursor() as cursor:
        for table in ("tasks_submission", "tasks_issuedtask", "tasks_issuetry", "django_q_ormq"):
            cursor.execute(f"SELECT * FROM {table}")
            assert SECRET not in str(cursor.fetchall())
