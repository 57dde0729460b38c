"""POST /notify: who may report what, what is kept of it, and what a stranger learns."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.cache import cache
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ

from tasks.api import notify
from tasks.classroom import reports
from tasks.classroom.evaluating import queue
from tasks.jobs import REPORT
from tasks.models import IssuedTask, RepoReport
from tests.factories import make_issued, make_submission

pytestmark = pytest.mark.django_db


@pytest.fixture
def issued() -> IssuedTask:
    student = make_submission(email=notify.EXAMPLE["email"])
    fields = {name: notify.EXAMPLE[name] for name in ("task", "round", "nonce")}
    return make_issued(student, **fields, status="accepted", deadline_at=timezone.now() + timedelta(seconds=600))


def post(body: Any = None, **changes: Any) -> Any:
    data = body if isinstance(body, bytes | str) else json.dumps({**notify.EXAMPLE, **changes})
    return Client(enforce_csrf_checks=True).post("/notify", data=data, content_type="application/json")


def test_a_report_is_stored_to_be_evaluated_a_repeat_is_counted_and_another_one_kept_beside_it(issued: IssuedTask) -> None:
    answer = post(round="1", email="Student@Example.com", extra=[1])
    assert (answer.status_code, answer.json()["status"], answer.json()["late"], answer.json()["repeated"]) == (200, "ok", False, False)
    assert post(commit_sha=notify.EXAMPLE["commit_sha"].upper()).json()["repeated"]
    assert post(commit_sha="b" * 40).status_code == 200
    second, first = RepoReport.objects.all()
    assert (first.issued, first.state, first.repeats, first.is_late) == (issued, "queued", 1, False)
    assert (first.repo_url, first.commit_sha, first.pages_url) == tuple(notify.EXAMPLE[name] for name in ("repo_url", "commit_sha", "pages_url"))
    assert (second.commit_sha, second.repeats) == ("b" * 40, 0)


def test_a_report_waits_in_the_queue_from_the_moment_it_is_stored_and_a_repeat_adds_nothing(issued: IssuedTask) -> None:
    post()
    post()
    assert [row.task["func"] for row in OrmQ.objects.all()] == [REPORT]
    assert list(queue.due()) == [RepoReport.objects.get()]


def test_a_late_report_is_kept_and_marked(issued: IssuedTask) -> None:
    IssuedTask.objects.update(deadline_at=timezone.now() - timedelta(seconds=1))
    answer = post()
    assert (answer.status_code, answer.json()["late"], RepoReport.objects.get().is_late) == (200, True, True)


@pytest.mark.parametrize("status", ["pending", "waiting", "given_up", "uncertain", "sending"])
def test_a_report_shows_that_the_task_has_arrived(issued: IssuedTask, status: str) -> None:
    IssuedTask.objects.update(status=status, next_try_at=timezone.now())
    assert post().status_code == 200
    assert IssuedTask.objects.get().status == ("sending" if status == "sending" else "accepted")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"email": "other@example.com"}, "email"),
        ({"task": "sum-of-sales-00000"}, "task"),
        ({"round": 2}, "round"),
        ({"nonce": "01936f2e-0000-7000-8000-000000000000"}, "nonce"),
        ({"repo_url": "git@github.com:a/b.git"}, "repo_url"),
        ({"repo_url": "https://token@github.com/a/b"}, "repo_url"),
        ({"pages_url": "https://x.org/" + "a" * 500}, "pages_url"),
        ({"commit_sha": "9f2c4b7"}, "commit_sha"),
        ({"commit_sha": None}, "commit_sha"),
        ({"round": "first"}, "round"),
        ({"round": True}, "round"),
        ({"task": " "}, "task"),
        ({"email": "a\0@example.com"}, "email"),
        ({"nonce": 5}, "nonce"),
        ({"x" * 5000: "\0"}, "x" * 100),
    ],
)
def test_what_does_not_fit_is_400_with_the_field_and_the_reason(issued: IssuedTask, changes: dict[str, Any], field: str) -> None:
    answer = post(**changes)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)
    assert field in answer.json()["reason"] == answer.json()["detail"]
    assert RepoReport.objects.count() == 0


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b'"x"', b"[" * 100_000])
def test_what_is_no_json_object_is_400(issued: IssuedTask, body: bytes) -> None:
    assert post(body).status_code == 400


def test_other_media_types_are_415_and_a_large_body_413(issued: IssuedTask, settings: LazySettings) -> None:
    assert Client().post("/notify", data=b"{}", content_type="text/plain").json()["reason"].startswith("Send the report as application/json")
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    answer = post(more="x" * 2000)
    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")


def test_a_stranger_without_a_nonce_is_told_the_same_whoever_is_named(issued: IssuedTask) -> None:
    known, unknown = (post(nonce="n", email=email).json() for email in (notify.EXAMPLE["email"], "nobody@example.com"))
    assert known == unknown
    assert notify.EXAMPLE["email"] not in str(post(email="other@example.com").json())


def test_too_many_guesses_of_one_address_are_429_and_a_right_report_still_gets_in(issued: IssuedTask) -> None:
    assert {post(nonce=f"n{number}").status_code for number in range(notify.WRONG_REPORTS)} == {400}
    answer = post(nonce="one more")
    assert answer.status_code == 429
    assert 1 <= int(answer["Retry-After"]) <= 60
    assert post(commit_sha="no").status_code == 400
    assert post().status_code == 200
    cache.clear()


def test_one_nonce_takes_a_bounded_number_of_different_reports(issued: IssuedTask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "MOST", 2)
    assert [post(commit_sha=f"{number:040x}").status_code for number in (1, 2, 3, 1)] == [200, 200, 400, 200]


def test_a_database_that_does_not_answer_is_503(issued: IssuedTask, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any) -> None:
        raise OperationalError("locked")

    monkeypatch.setattr(reports, "store", fail)
    answer = post()
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "locked" not in answer.content.decode()


def test_it_costs_few_questions_to_the_database(issued: IssuedTask, django_assert_max_num_queries: Any) -> None:
    rings = connection.vendor == "postgresql"  # the doorbell of the workers
    with django_assert_max_num_queries(8 + rings):  # with the savepoint that a test's transaction adds
        post()
