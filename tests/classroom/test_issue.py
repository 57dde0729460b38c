"""A round for the class: who gets it, once, with which body; what is tried again, and what a killed sender leaves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.utils import timezone
from django.utils.module_loading import import_string
from django_q.models import OrmQ

from tasks.classroom import issue, letters, sending, tries
from tasks.classroom.issue import Order
from tasks.classroom.lanes import Lanes
from tasks.classroom.sealing import seal
from tasks.classroom.uuid7 import uuid7
from tasks.models import IssuedTask, IssueTry, RepoReport, Submission
from tests.classroom.students import BRIEF, Students, use_brief
from tests.emulators.base import Reply
from tests.factories import make_issued, make_submission

pytestmark = pytest.mark.django_db


@pytest.fixture
def students(monkeypatch: pytest.MonkeyPatch) -> Iterator[Students]:
    use_brief(monkeypatch)
    with Students() as running:
        yield running


def join(students: Students, count: int = 1, **fields: Any) -> list[Submission]:
    return [make_submission(endpoint=students.endpoint(), **fields) for _ in range(count)]


def issue_round(*args: str) -> tuple[dict[str, Any], int]:
    """(what it prints with --json, exit code)"""
    out = StringIO()
    try:
        call_command("issue_round", BRIEF, "--json", *args, stdout=out, stderr=StringIO())
    except SystemExit as end:
        return json.loads(out.getvalue()), int(end.code or 0)
    return json.loads(out.getvalue()), 0


def report(row: IssuedTask) -> RepoReport:
    return RepoReport.objects.create(issued=row, repo_url="https://x.org/r", commit_sha="a" * 40, pages_url="https://x.org/p")


def test_each_active_student_is_sent_one_task_of_their_own_with_their_own_secret_and_never_twice(students: Students) -> None:
    make_submission(endpoint=students.endpoint(), is_active=False)
    ann, bob = join(students, 1, email="Ann@example.org", secret="ann's secret")[0], join(students)[0]
    said, code = issue_round("--evaluation-url", "https://eval.example.org/notify")
    assert (code, said["planned"]["new"], said["sent"]) == (0, 2, {"accepted": 2})
    rows = {row.submission_id: row for row in IssuedTask.objects.all()}
    assert set(rows) == {ann.pk, bob.pk}
    body = next(body for body in students.bodies if body["email"] == "Ann@example.org")
    row = rows[ann.pk]
    assert body == {
        "email": "Ann@example.org", "secret": "ann's secret", "task": row.task, "round": 1, "nonce": row.nonce, "brief": row.brief,
        "checks": [{"js": "true"}], "evaluation_url": "https://eval.example.org/notify", "attachments": row.attachments,
    }  # fmt: skip
    assert row.task.startswith("sum-of-sales-")
    assert row.nonce[14] == "7"
    assert (row.status, row.status_code, row.tries, row.endpoint) == ("accepted", 200, 1, students.endpoint())
    assert row.sent_at and row.deadline_at == row.sent_at + timedelta(seconds=600)
    assert issue_round()[0]["planned"]["accepted"] == 2
    assert len(students.requests) == 2
    said, _ = issue_round("--again", "--email", "ann@EXAMPLE.org")
    assert said["sent"] == {"accepted": 1}
    assert len({body["nonce"] for body in students.bodies}) == 3


def test_a_dry_run_says_what_would_be_sent_and_makes_nothing_and_a_limit_holds_over_runs(students: Students) -> None:
    join(students, 5)
    assert issue_round("--dry-run", "--limit", "3")[0]["planned"]["new"] == 3
    assert (IssuedTask.objects.count(), students.requests) == (0, [])
    assert issue_round("--limit", "2")[0]["sent"] == {"accepted": 2}
    assert issue_round("--limit", "2")[0]["sent"] == {"accepted": 2}
    assert issue_round()[0]["sent"] == {"accepted": 1}


@pytest.mark.parametrize(
    ("args", "cure"),
    [
        (["no-such"], "use one of sum-of-sales"),
        ([BRIEF, "--round", "3"], "no round 3"),
        ([BRIEF, "--hours", "0"], "hours must be more than 0"),
        ([BRIEF, "--evaluation-url", "eval.example.org"], "evaluation URL cannot be used"),
        ([BRIEF, "--limit", "0"], "limit must be 1"),
        ([BRIEF, "--concurrency", "0"], "--concurrency must be 1 to 100"),
        ([BRIEF, "--email", "nobody@example.org"], "No submission of nobody@example.org"),
    ],
)
def test_wrong_usage_is_exit_code_2_with_the_cure(students: Students, args: list[str], cure: str) -> None:
    with pytest.raises(CommandError, match=cure) as raised:
        call_command("issue_round", *args, stdout=StringIO())
    assert raised.value.returncode == 2


def test_round_two_goes_to_whoever_reported_round_one_with_the_same_task_and_only_its_own_attachments(students: Students) -> None:
    join(students, 3)
    issue_round()
    reported = list(IssuedTask.objects.order_by("pk")[:2])
    for row in reported:
        report(row)
    said, _ = issue_round("--round", "2")
    assert (said["planned"]["not_reported"], said["sent"]) == (1, {"accepted": 2})
    for row in IssuedTask.objects.filter(round=2).select_related("first"):
        assert row.first in reported
        assert (row.task, row.seed, row.variant) == (row.first.task, row.first.seed, 12)
        assert row.nonce != row.first.nonce
        assert [item["name"] for item in row.attachments] == ["round2.csv"]
    assert issue_round("--round", "2")[0]["sent"] == {}


def test_what_is_not_200_is_tried_three_times_more_over_the_hours_by_the_workers_and_then_given_up(students: Students) -> None:
    join(students)
    students.enqueue(Reply(500), Reply(201), Reply(307, headers={"Location": students.endpoint()}), Reply(404))
    begin = datetime(2026, 10, 3, 12, 0, tzinfo=UTC)
    with time_machine.travel(begin, tick=False) as clock:
        said, code = issue_round("--hours", "24")
        assert (said["sent"], code) == ({"waiting": 1}, 1)
        for hours in (1, 8, 24):
            row = IssuedTask.objects.get()
            assert row.next_try_at == begin + timedelta(hours=hours)
            assert not sending.enqueue_when_due()
            clock.move_to(row.next_try_at)
            assert sending.enqueue_when_due()
            sending.run_slice()
    row = IssuedTask.objects.get()
    assert (row.status, row.tries, row.status_code, row.next_try_at) == ("given_up", 4, 404, None)
    assert row.error == "The service answered 404; only 200 counts."
    assert [made.status_code for made in IssueTry.objects.order_by("pk")] == [500, 201, 307, 404]
    assert len({body["nonce"] for body in students.bodies}) == 1


def test_what_was_given_up_is_taken_up_by_the_next_run_with_its_nonce_and_the_new_address(students: Students) -> None:
    student = make_submission(endpoint="http://10.1.2.3/ready")
    said, code = issue_round()
    row = IssuedTask.objects.get()
    assert (said["sent"], code, row.status) == ({"given_up": 1}, 1, "given_up")
    assert "ALLOWED_PRIVATE_HOSTS" in row.error or "not public" in row.error
    Submission.objects.filter(pk=student.pk).update(endpoint=students.endpoint())
    said, code = issue_round()
    assert (said["planned"]["taken_up"], said["sent"], code) == (1, {"accepted": 1}, 0)
    assert students.bodies[0]["nonce"] == row.nonce


def test_a_host_that_asks_for_a_pause_gets_it_for_all_of_its_students(students: Students) -> None:
    join(students, 4)
    students.enqueue(Reply(429, headers={"Retry-After": "7200"}), Reply(429, headers={"Retry-After": "7200"}))
    said, _ = issue_round("--hours", "3", "--concurrency", "1")
    assert (said["sent"], said["put_off"]) == ({"waiting": 1}, 3)
    for row in IssuedTask.objects.all():
        assert row.next_try_at and row.next_try_at > timezone.now() + timedelta(seconds=7100)


@pytest.mark.parametrize("secret", ["a long & 'odd' secret", "abc"])
def test_the_students_secret_is_in_no_row_whatever_the_service_echoes(students: Students, secret: str) -> None:
    join(students, secret=secret)
    echoes = [secret, secret.upper(), json.dumps(secret), secret.encode().hex(), secret.replace("&", "&amp;").replace("'", "&#x27;")]
    students.enqueue(Reply(200, " ".join(echoes).encode() * 3))
    issue_round()
    kept = IssueTry.objects.get()
    assert "redacted" in kept.answer
    held = str([list(model.objects.values()) for model in (IssuedTask, IssueTry)]) + "".join(row.payload for row in OrmQ.objects.all())
    assert [form for form in echoes if form.lower() in held.lower()] == []


def test_a_secret_that_cannot_be_unsealed_is_told_and_stops_nobody_else(students: Students) -> None:
    join(students, 1, sealed_secret=seal("x", "somebody@else.org"))
    join(students)
    issue_round()
    assert sorted(IssuedTask.objects.values_list("status", flat=True)) == ["accepted", "given_up"]
    assert "import the submissions anew" in IssuedTask.objects.get(status="given_up").error


def test_what_a_killed_sender_had_under_way_is_uncertain_and_sent_again_only_when_asked_for(students: Students) -> None:
    join(students, 2)
    issue.plan(Order(BRIEF))
    with time_machine.travel(timezone.now() - timedelta(seconds=letters.LOST_SECONDS + 1)):
        IssuedTask.objects.update(next_try_at=timezone.now())
        lost, other = [letters.claim(row.pk) for row in IssuedTask.objects.order_by("pk")]
    assert lost and other and letters.claim(lost.issued_id) is None
    report(IssuedTask.objects.get(pk=other.issued_id))
    said, _ = issue_round()
    assert (said["sent"], len(students.requests)) == ({}, 0)
    assert [row.status for row in IssuedTask.objects.order_by("pk")] == ["uncertain", "accepted"]
    assert "stopped before the answer came" in IssueTry.objects.order_by("pk")[0].error
    assert issue_round()[0]["planned"]["uncertain"] == 1
    row = IssuedTask.objects.get(status="uncertain")
    assert issue_round("--again-uncertain")[0]["sent"] == {"accepted": 1}
    assert [body["nonce"] for body in students.bodies] == [row.nonce]


def test_a_late_answer_of_a_try_that_was_taken_for_lost_is_stored_and_that_of_an_earlier_series_changes_nothing(students: Students) -> None:
    row = make_issued(join(students)[0])
    letter = letters.claim(row.pk)
    assert letter
    IssuedTask.objects.update(status="uncertain")
    assert letters.settle(letter, letters.post(letter)) == "accepted"
    IssuedTask.objects.update(status="sending", tries=7)
    letters.settle(letter, letters.Answer(500, "", "no", 0.1))
    assert IssuedTask.objects.get().status == "sending"


def test_a_slice_leaves_the_field_to_whoever_sends_already(students: Students) -> None:
    first, second = (make_issued(student) for student in join(students, 2))
    assert letters.claim(first.pk)
    sending.run_slice()
    assert IssuedTask.objects.get(pk=second.pk).status == "pending"


def test_an_order_from_the_admin_goes_on_from_job_to_job(students: Students, monkeypatch: pytest.MonkeyPatch) -> None:
    join(students, 3)
    monkeypatch.setattr(issue, "CHUNK", 2)
    order = Order(BRIEF, limit=3, emails=tuple(Submission.objects.values_list("email", flat=True)))
    assert Order.of(order.options()) == order
    assert not issue.plan(order, seconds=-1).finished
    import_string(issue.JOB)(**order.options())
    assert (IssuedTask.objects.count(), OrmQ.objects.count()) == (3, 1)
    assert OrmQ.objects.get().task["func"] == sending.JOB
    import_string(sending.JOB)()
    assert set(IssuedTask.objects.values_list("status", flat=True)) == {"accepted"}


@pytest.mark.parametrize("again", [False, True])
def test_two_orders_at_the_same_moment_make_one_task_a_student(students: Students, again: bool) -> None:
    join(students, 2)
    orders = [Order(BRIEF, again=again), Order(BRIEF, again=again)]
    made = [list(issue._made(order, order.missing(), "2026-10-03-12")) for order in orders]
    assert [issue.store(order, rows) for order, rows in zip(orders, made, strict=True)] == [2, 0]


def test_lanes_let_two_at_once_to_a_host_with_a_pause_in_between() -> None:
    lanes = Lanes(at_once=2, pause=0.5)
    for id in range(4):
        lanes.put("a", id)
    lanes.put("b", 9)
    assert [lanes.take(0.0), lanes.take(0.0), lanes.take(0.0)] == [("a", 0), ("b", 9), None]
    assert lanes.pause_left(0.2) == pytest.approx(0.3)
    assert [lanes.take(0.5), lanes.take(5.0)] == [("a", 1), None]
    assert lanes.pause_left(5.0) is None
    lanes.done("a")
    lanes.hold("a", 9.0)
    assert [lanes.take(8.0), lanes.take(9.0), len(lanes), lanes.empty("a"), len(lanes)] == [None, ("a", 2), 1, [3], 0]


def test_the_tries_are_spread_over_the_hours_and_never_before_the_service_asked_for() -> None:
    begin = datetime(2026, 10, 3, tzinfo=UTC)
    assert [tries.next_try(number, begin, 3) for number in (1, 2, 3, 4)] == [
        *(begin + timedelta(minutes=minutes) for minutes in (7.5, 60, 180)),
        None,
    ]
    assert tries.next_try(1, begin, 3, begin + timedelta(hours=2)) == begin + timedelta(hours=2)


def test_a_uuid7_begins_with_its_milliseconds() -> None:
    made = uuid7(0x017F22E279B0)
    assert str(made).startswith("017f22e2-79b0-7")
    assert (made.version, made.variant) == (7, "specified in RFC 4122")
    assert len({uuid7(1) for _ in range(100)}) == 100
