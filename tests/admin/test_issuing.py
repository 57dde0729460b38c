"""Issued tasks in the admin: their lists and page, sending again, and the page that issues a round."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse
from django.utils import timezone
from django_q.models import OrmQ

from tasks.admin.rounds import STOP_POLLING
from tasks.classroom import issue
from tasks.classroom.issue import Order
from tasks.models import IssuedTask, Submission, Worker
from tests.admin.conftest import classroom, staff
from tests.classroom.students import BRIEF, use_brief
from tests.factories import make_issued, make_submission

pytestmark = pytest.mark.django_db

ISSUE, LIST = reverse("admin:tasks_issuedtask_issue"), reverse("admin:tasks_issuedtask_changelist")


@pytest.fixture(autouse=True)
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    use_brief(monkeypatch)


def asked(**more: Any) -> dict[str, Any]:
    return {"brief": BRIEF, "round": 1, "hours": 24, **more}


def test_the_list_says_who_what_state_last_error_and_whether_a_report_came_in_time(boss) -> None:
    classroom("ann", "https://example.org/x")
    late, missing = make_issued(), make_issued(status="given_up", error="It answered 500.", sent_at=timezone.now(), deadline_at=timezone.now())
    late.reports.create(repo_url="https://x.org/r", commit_sha="a" * 40, pages_url="https://x.org/p", is_late=True)
    page = boss.get(LIST).content.decode()
    for part in ("0-ann@example.org", missing.submission.email, "It answered 500.", "given up", "in time", ">late<", "no report", "Issue a round"):
        assert part in page, part


def test_a_tasks_page_shows_brief_checks_tries_and_reports_and_never_the_secret(boss) -> None:
    first = classroom("ann", "https://example.org/x")
    student = Submission.objects.get()
    page = boss.get(reverse("admin:tasks_issuedtask_change", args=[first.later.get().pk])).content.decode()
    for part in (f"{first.task}</bdi> round 2", "<h3>Checks</h3>", "HTTP 200", "https://example.org/x", "c" * 10, first.later.get().nonce, "late"):
        assert part in page, part
    assert student.sealed_secret not in page


def test_only_what_was_given_up_or_lost_is_sent_again_and_only_by_whoever_may_change_it(viewer) -> None:
    rows = [make_issued(status=status, tries=4) for status in ("given_up", "uncertain", "accepted")]
    data = {"action": "send_again", "_selected_action": [row.pk for row in rows], "index": 0}
    viewer.post(LIST, data)
    assert not OrmQ.objects.exists()
    staff("view_issuedtask", "change_issuedtask").post(LIST, data)
    assert list(IssuedTask.objects.order_by("pk").values_list("status", "tries")) == [("pending", 0), ("pending", 0), ("accepted", 4)]
    assert OrmQ.objects.count() == 1


def test_a_round_is_counted_confirmed_queued_and_watched_until_all_is_sent(boss) -> None:
    for name in ("ann", "bob"):
        make_submission(email=f"{name}@one.org")
    make_submission(email="eve@two.org")
    assert BRIEF in boss.get(ISSUE).content.decode()
    page = boss.post(ISSUE, asked(contains="@one.org")).content.decode()
    assert "Send to 2" in page
    assert (OrmQ.objects.count(), IssuedTask.objects.count()) == (0, 0)

    answer = boss.post(ISSUE, asked(contains="@one.org", confirmed="yes"))
    assert (answer.status_code, OrmQ.objects.count(), LogEntry.objects.get().object_repr) == (302, 1, f"round 1 of {BRIEF} for 2 students")
    page = boss.get(answer.url).content.decode()
    assert "0 of 2 made" in page
    assert "No worker is running" in page
    live = f"{reverse('admin:tasks_issuedtask_progress_live')}?{urlsplit(answer.url).query}"
    assert live.replace("&", "&amp;") in page
    Worker.objects.create(name="w", host="h", pid=1)

    job = OrmQ.objects.get().task
    assert job["func"] == "tasks.jobs.issue_round"
    assert issue.plan(Order.of(job["kwargs"])).new == 2
    assert boss.get(live).status_code == 200
    IssuedTask.objects.filter(submission__email="ann@one.org").update(status="accepted")
    assert "1 of 2 tried" in boss.get(live).content.decode()
    IssuedTask.objects.update(status="waiting")
    assert boss.get(live).status_code == STOP_POLLING
    listed = boss.get(f"{LIST}?brief_id={BRIEF}&round=1&status__exact=waiting")
    assert (listed.status_code, listed.context["cl"].result_count) == (200, 2)
    assert "Send to" not in boss.post(ISSUE, asked(contains="nobody")).content.decode()


def test_what_cannot_be_is_said_at_the_field_and_a_hostile_query_breaks_nothing(boss) -> None:
    assert boss.post(ISSUE, asked(brief="no-such", round=0)).context["form"].errors.keys() == {"brief", "round"}
    old = (timezone.now() - timedelta(days=1)).isoformat()
    for query in ({}, {"brief": "\0", "round": "-1", "of": "9" * 50, "since": "x"}, {"brief": BRIEF, "round": "1", "of": "5", "since": old}):
        assert boss.get(reverse("admin:tasks_issuedtask_progress"), query).status_code == 200
        assert boss.get(reverse("admin:tasks_issuedtask_progress_live"), query).status_code == STOP_POLLING


def test_whoever_may_not_add_issued_tasks_can_not_issue(viewer) -> None:
    assert viewer.get(ISSUE).status_code == 403
    assert viewer.post(ISSUE, asked(confirmed="yes")).status_code == 403
    assert "Issue a round" not in viewer.get(LIST).content.decode()
    assert viewer.get(reverse("admin:tasks_issuedtask_progress")).status_code == 200
    assert staff("view_round").get(reverse("admin:tasks_issuedtask_progress")).status_code == 403
