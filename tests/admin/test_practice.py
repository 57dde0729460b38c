"""The practice pages: whoever practises sees their own, from the form to the report, and nobody sees the secret."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_q.models import OrmQ

from tasks.admin.rounds import STOP_POLLING
from tasks.classroom.practice import A_DAY, start
from tasks.models import CheckResult, IssuedTask, RepoReport, Screenshot, Submission
from tests.admin.conftest import PIXEL, practised
from tests.classroom.students import BRIEF, use_brief
from tests.factories import make_issued, make_submission

pytestmark = pytest.mark.django_db

LIST = reverse("admin:practices")
SECRET = "s3cret of ann"
ENDPOINT = "https://ann.example.org/ready"


@pytest.fixture(autouse=True)
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    use_brief(monkeypatch)
    monkeypatch.setattr("tasks.classroom.briefs.title", lambda name: "Sum the sales")
    monkeypatch.setattr("tasks.classroom.briefs.variants", lambda name: [["as it is"], ["as it is"]])


def of_group(name: str, email: str = "ann@example.org") -> Client:
    user = User.objects.create_user(f"{name}-{User.objects.count()}", email, is_staff=True)
    user.groups.add(Group.objects.get(name=name))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def ann() -> Client:
    return of_group("student-reader", "Ann@example.org")


def form(**more: Any) -> dict[str, Any]:
    return {"brief": BRIEF, "endpoint": ENDPOINT, "secret": SECRET, **more}


def address(name: str, row: IssuedTask, *args: int) -> str:
    return reverse(f"admin:practice{name}", args=[row.pk, *args])


def evaluated(row: IssuedTask) -> RepoReport:
    now = timezone.now()
    IssuedTask.objects.filter(pk=row.pk).update(
        status="accepted", tries=1, sent_at=now, accepted_at=now, deadline_at=now + timedelta(minutes=10), endpoint=ENDPOINT
    )
    fields = {"repo_url": "https://x.org/r", "pages_url": "https://x.org/p", "commit_sha": "a" * 40, "state": "done", "evaluated_at": now}
    report = RepoReport.objects.create(issued=row, **fields)
    for status, title in (("fail", "The total is shown"), ("error", "The page loads")):
        reason = f"{title}: because of <b>this</b>"
        CheckResult.objects.create(report=report, source="task", kind="page", key=title, title=title, status=status, reason=reason)
    Screenshot.objects.create(report=report, name="desktop", width=1280, height=800, media_type="image/png", content=PIXEL)
    return report


def test_a_student_sends_a_brief_under_the_accounts_address_and_lands_on_its_page(ann: Client) -> None:
    page = ann.get(LIST).content.decode()
    assert f"{BRIEF}: Sum the sales" in page
    assert 'name="email"' not in page
    answer = ann.post(LIST, form(email="eve@example.org"))
    row = IssuedTask.objects.get()
    assert answer.url == address("", row)
    assert (row.submission.email, row.submission.is_practice, row.brief_id) == ("Ann@example.org", True, BRIEF)
    assert (OrmQ.objects.count(), LogEntry.objects.get().object_id) == (1, str(row.pk))
    page = ann.get(answer.url).content.decode()
    for part in ("1. sent", "to be sent", "2. accepted", "not yet", "No worker is running", "Stop waiting", f'hx-get="{address("_live", row)}"'):
        assert part in page, part
    assert SECRET not in page
    assert Submission.every.get().sealed_secret not in page


def test_each_step_is_shown_with_what_the_service_answered_until_the_report_is_there(ann: Client) -> None:
    ann.post(LIST, form())
    row = IssuedTask.objects.get()
    row.history.create(number=1, url=ENDPOINT, seconds=0.2, status_code=500, answer="<b>boom</b>", error="The service answered 500; only 200 counts.")
    IssuedTask.objects.update(status="waiting", tries=1, sent_at=timezone.now(), next_try_at=timezone.now(), error="The service answered 500.")
    live = ann.get(address("_live", row))
    assert live.status_code == 200
    for part in ("try 1 of at most 3", "to be tried again", "HTTP 500", "&lt;b&gt;boom"):
        assert part in live.content.decode(), part
    report = evaluated(row)
    RepoReport.objects.update(state="running")
    assert ann.get(address("_live", row)).status_code == 200
    RepoReport.objects.update(state="done")
    live = ann.get(address("_live", row))
    assert (live.status_code, live["HX-Refresh"]) == (STOP_POLLING, "true")

    page = ann.get(address("", row)).content.decode()
    picture = address("_picture", row, report.screenshots.get().pk)
    for part in ("The total is shown: because of &lt;b&gt;this&lt;/b&gt;", "Could not be checked", "https://x.org/p", picture, "Send round 2"):
        assert part in page, part
    assert f'hx-get="{address("_live", row)}"' not in page
    assert "/admin/tasks/" not in page.split('class="d-page"')[1], "a student may open none of the class's pages"
    assert ann.get(picture)["Content-Type"] == "image/png"
    assert row.task in ann.get(LIST).content.decode()


def test_round_2_is_sent_from_the_page_and_a_waiting_one_is_stopped(ann: Client) -> None:
    ann.post(LIST, form())
    row = IssuedTask.objects.get()
    assert "was not reported yet" in ann.post(address("_next", row), follow=True).content.decode()
    evaluated(row)
    ann.post(address("_next", row))
    second = IssuedTask.objects.latest("pk")
    assert (second.first, second.round) == (row, 2)
    assert "Send round" not in ann.get(address("", row)).content.decode()
    assert "still under way" in ann.post(LIST, form()).content.decode()
    ann.post(address("_stop", second))
    second.refresh_from_db()
    assert second.status == "given_up"
    assert "over already" in ann.post(address("_stop", second), follow=True).content.decode()


def test_what_does_not_fit_is_said_in_the_form_and_the_secret_is_not_given_back(ann: Client) -> None:
    for wrong, words in (
        ({"endpoint": "http://10.0.0.1/ready"}, "Nothing can be sent"),
        ({"endpoint": "ann.example.org"}, "does not begin with"),
        ({"brief": "no-such"}, "not one of the available choices"),
        ({"secret": ""}, "required"),
        ({"secret": "x" * 201}, "at most 200"),
    ):
        page = ann.post(LIST, form(**wrong)).content.decode()
        assert words in page, words
        assert SECRET not in page
        assert "x" * 201 not in page
    assert (Submission.every.count(), IssuedTask.objects.count()) == (0, 0)


def test_an_account_without_an_address_is_told_so_and_can_send_nothing() -> None:
    client = of_group("student-reader", "")
    make_submission(email="bob@example.org", is_practice=True)
    page = client.get(LIST).content.decode()
    assert "Your account has no e-mail address" in page
    assert "<form" not in page.split('class="d-page"')[1]
    assert client.post(LIST, form()).status_code == 403


def test_nobody_sees_somebody_elses_practice_and_an_instructor_sees_everybodys_and_types_any_address(ann: Client) -> None:
    bobs = start("bob@example.org", BRIEF, ENDPOINT, SECRET)
    shot = evaluated(bobs).screenshots.get()
    ann.post(LIST, form())
    own = IssuedTask.objects.latest("pk")
    of_the_class = make_issued(make_submission(email="ann@example.org"))
    for name, args in (("", []), ("_live", []), ("_picture", [shot.pk])):
        assert ann.get(address(name, bobs, *args)).status_code == 404
    assert ann.get(address("_picture", own, shot.pk)).status_code == 404
    assert ann.get(address("", of_the_class)).status_code == 404, "the class's task is no practice"
    assert [ann.post(address(name, bobs)).status_code for name in ("_next", "_stop")] == [404, 404]
    assert "bob@example.org" not in ann.get(LIST).content.decode()

    teacher = of_group("instructor", "teacher@example.org")
    page = teacher.get(LIST).content.decode()
    assert "bob@example.org" in page
    assert 'value="teacher@example.org"' in page
    teacher.post(LIST, form(email="eve@example.org"))
    assert Submission.every.get(email="eve@example.org").is_practice
    assert "name@example.org" in teacher.post(LIST, form(email="nobody")).content.decode()
    assert teacher.get(address("", bobs)).status_code == 200


def test_nothing_of_a_service_or_a_brief_runs_in_the_pages(boss: Client) -> None:
    attack = "<script>xss()</script>\"'><img src onerror=xss()>"
    row = practised(attack, "javascript:xss()//")
    for url in (LIST, address("", row), address("_live", row)):
        page = boss.get(url).content.decode()
        assert "&lt;script&gt;xss()" in page
        assert "<script>xss()" not in page
        assert "<img src onerror" not in page
        assert 'href="javascript:' not in page


def test_the_limit_of_a_day_is_told_in_the_form(ann: Client) -> None:
    student = make_submission(email="ann@example.org", is_practice=True)
    for _ in range(A_DAY):
        make_issued(student, status="given_up")
    assert "in the last 24 hours" in ann.post(LIST, form()).content.decode()


def test_lists_of_the_class_leave_practice_out_unless_it_is_asked_for(boss: Client) -> None:
    row = start("bob@example.org", BRIEF, ENDPOINT, SECRET)
    evaluated(row)
    row.history.create(number=1, url=ENDPOINT)
    of_the_class = make_issued(make_submission(email="ann@example.org"), brief_id=BRIEF)
    of_the_class.reports.create(repo_url="https://x.org/r", commit_sha="a" * 40, pages_url="https://x.org/p")
    of_the_class.history.create(number=1, url=ENDPOINT)
    for name in ("issuedtask", "issuetry", "reporeport"):
        url = reverse(f"admin:tasks_{name}_changelist")
        counts = [boss.get(url, query).context["cl"].result_count for query in ({}, {"whose": "practice"}, {"whose": "all"})]
        assert counts == [1, 1, 2], name
    assert [item.email for item in boss.get(reverse("admin:tasks_submission_changelist")).context["cl"].result_list] == ["ann@example.org"]
    progress = boss.get(reverse("admin:tasks_issuedtask_progress"), {"brief": BRIEF, "round": "1"})
    assert progress.context["made"] == 1
