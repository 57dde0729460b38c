"""A report's page: the state in one sentence, what failed apart from what we could not check, and the way to have it evaluated again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tasks.models import CheckResult, RepoReport, Submission, Worker
from tests.admin.conftest import staff
from tests.classroom.graded import make_class

pytestmark = pytest.mark.django_db


def url(name: str, report: RepoReport) -> str:
    return reverse(f"admin:tasks_reporeport_{name}", args=[report.pk])


def body(client: Client, report: RepoReport, name: str = "change") -> str:
    answer = client.get(url(name, report))
    assert answer.status_code in (200, 286)
    return answer.content.decode()


@pytest.fixture
def report() -> RepoReport:
    return make_class(1, common=3, checks=2, shots=True).reports[0, "sales-total", 1]


def test_it_shows_who_what_was_reported_and_what_every_check_said(boss, report):
    page = body(boss, report)

    for part in (
        "student0000@example.org",
        "sales-total",
        "https://s0.github.io/sales-total-00000/",
        "https://github.com/s0/sales-total-00000",
        "in time",
        "Checks of the task",
        "Common checks",
        "README.md is complete",
        "line 0",
        "Publish the page of sales-total, round 1.",
    ):
        assert part in page


def test_an_error_of_ours_stands_apart_from_failures_and_is_said_to_be_nobodys_fault(boss, report):
    CheckResult.objects.filter(key="license:mit-license").update(status="error", reason="GitHub answered 502")

    page = body(boss, report)

    ours = page.split('id="ours"')[1].split("</section>")[0]
    assert "not the student&#x27;s fault" in ours or "not the student's fault" in ours
    assert "GitHub answered 502" in ours
    assert "GitHub answered 502" not in page.split('id="verdicts"')[1]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"state": "queued"}, "but no worker is running"),
        ({"state": "queued", "attempt": 2, "due_in": 90, "error": "the page answers 404"}, "Looked at 2 times; looks again in 1 min"),
        ({"state": "running"}, "A worker is evaluating it."),
        ({"state": "running", "lease_in": -9}, "went silent"),
        ({"state": "error", "error": "No browser is installed."}, "Could not be evaluated: No browser is installed. This is no fault of the student"),
        ({"state": "done", "seconds": 14.0}, "Evaluated in 14 s:"),
    ],
)
def test_one_sentence_explains_the_state(boss, report, fields, words):
    now = timezone.now()
    stored = {name: value for name, value in fields.items() if not name.endswith("_in")}
    stored |= {"due_at": now + timedelta(seconds=fields["due_in"])} if "due_in" in fields else {}
    stored |= {"lease_until": now + timedelta(seconds=fields["lease_in"])} if "lease_in" in fields else {}
    RepoReport.objects.filter(pk=report.pk).update(**stored)

    assert words in body(boss, report)


def test_the_newest_verdict_of_a_check_is_shown_alone(boss, report):
    CheckResult.objects.create(
        report=report, kind="license", key="license:mit-license", title="LICENSE is the MIT license", status="fail", reason="Gone."
    )

    assert body(boss, report).count("<strong>LICENSE is the MIT license</strong>") == 1


def test_the_open_report_polls_itself_and_the_poll_ends_with_it(boss, report):
    RepoReport.objects.filter(pk=report.pk).update(state="running")
    assert f'hx-get="{url("live", report)}"' in body(boss, report)
    assert boss.get(url("live", report)).status_code == 200

    RepoReport.objects.filter(pk=report.pk).update(state="done")

    assert url("live", report) not in body(boss, report)
    assert boss.get(url("live", report)).status_code == 286


def test_it_says_when_another_report_on_the_task_counts(boss, report):
    assert "Another report on this task counts" not in body(boss, report)
    second = RepoReport.objects.create(issued=report.issued, repo_url="https://github.com/s0/x", commit_sha="f" * 40, pages_url="", state="done")

    assert "Another report on this task counts" in body(boss, report)
    assert url("change", second) in body(boss, report)
    assert "Another report on this task counts" not in body(boss, second)


def test_the_issued_tasks_page_leads_to_its_reports(boss, report):
    address = reverse("admin:tasks_issuedtask_change", args=[report.issued_id])

    assert url("change", report) in boss.get(address).content.decode()
    assert url("change", report) not in staff("view_issuedtask").get(address).content.decode()


# -- again --------------------------------------------------------------------------------------------------------------------------------


def test_evaluate_again_puts_it_into_the_queue_and_is_noted(boss, report):
    page = boss.post(url("again", report), follow=True).content.decode()

    assert "1 report will be evaluated again by a worker" in page
    assert "No worker is running" in page
    assert RepoReport.objects.get(pk=report.pk).state == "queued"
    assert LogEntry.objects.get().change_message == "asked to be evaluated again"


def test_a_report_that_a_worker_is_on_is_left_to_it(boss, report):
    RepoReport.objects.filter(pk=report.pk).update(state="running", lease_owner="w:1")

    boss.post(url("again", report))

    assert RepoReport.objects.get(pk=report.pk).lease_owner == "w:1"


def test_all_with_an_error_of_ours_are_evaluated_again_and_nobody_elses(boss):
    Worker.objects.create(name="w", host="h", pid=1)
    made = make_class(3)
    RepoReport.objects.filter(pk=made.reports[0, "sales-total", 1].pk).update(state="error")
    CheckResult.objects.filter(pk=made.result(1, "license:mit-license").pk).update(status="error")
    assert "2 reports could not be evaluated in every part" in boss.get(reverse("admin:tasks_reporeport_changelist")).content.decode()

    page = boss.post(reverse("admin:tasks_reporeport_errors"), follow=True).content.decode()

    assert "2 reports will be evaluated again" in page
    assert list(RepoReport.objects.order_by("pk").values_list("state", flat=True)) == ["queued", "queued", "done"]


def test_the_chosen_ones_of_the_list_are_evaluated_again(boss):
    made = make_class(2)
    chosen = made.reports[1, "sales-total", 1].pk

    boss.post(reverse("admin:tasks_reporeport_changelist"), {"action": "evaluate_chosen", "_selected_action": [chosen], "index": 0})

    assert list(RepoReport.objects.filter(state="queued").values_list("pk", flat=True)) == [chosen]


def test_who_may_only_look_has_no_button_and_is_refused(viewer, report):
    assert "Evaluate again" not in body(viewer, report).split('class="d-page"')[1]
    assert viewer.post(url("again", report)).status_code == 403
    assert viewer.post(reverse("admin:tasks_reporeport_errors")).status_code == 403
    assert viewer.get(url("again", report)).status_code == 405
    viewer.post(reverse("admin:tasks_reporeport_changelist"), {"action": "evaluate_chosen", "_selected_action": [report.pk], "index": 0})
    assert RepoReport.objects.get().state == "done"


def test_the_button_needs_its_csrf_token(report):
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_superuser("root"))

    assert client.post(url("again", report)).status_code == 403


def test_whoever_may_not_see_reports_sees_neither_page_nor_picture(report):
    nobody, helper, reader = staff("view_round"), staff("view_screenshot"), staff("view_reporeport")
    image = reverse("admin:tasks_screenshot_image", args=[report.screenshots.first().pk])

    assert nobody.get(url("change", report)).status_code == nobody.get(url("live", report)).status_code == 403
    assert nobody.get(image).status_code == helper.get(image).status_code == 403
    assert reader.get(image).status_code == 200
    assert Client().get(image).status_code == 302


def test_pages_that_a_reader_may_not_open_are_not_linked(report):
    page = body(staff("view_reporeport"), report).split('class="d-page"')[1]

    assert "/admin/tasks/gradebook/" not in page
    assert "/admin/tasks/submission/" not in page
    assert "/admin/tasks/issuedtask/" not in page


# -- the list -----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "students"),
    [
        ({"issued__brief_id": "sales-total"}, [0, 1, 2]),
        ({"issued__round": 2}, [0, 1, 2]),
        ({"is_late__exact": 1}, [2]),
        ({"ours": 1}, [0, 1]),
        ({"state__exact": "error"}, [0]),
    ],
)
def test_the_list_is_narrowed_by_brief_round_state_lateness_and_errors_of_ours(boss, query, students):
    made = make_class(3, ("sales-total", "quiz"), rounds=2, late=lambda student, *_: student == 2)
    RepoReport.objects.filter(pk=made.reports[0, "sales-total", 1].pk).update(state="error")
    CheckResult.objects.filter(pk=made.result(1, "license:mit-license").pk).update(status="error")

    rows = boss.get(reverse("admin:tasks_reporeport_changelist"), query).context["cl"].result_list

    assert sorted({row.issued.submission.email for row in rows}) == [f"student{number:04}@example.org" for number in students]
    if "issued__round" in query:
        assert {row.issued.round for row in rows} == {2}


def test_practice_is_left_out_of_the_list_of_errors(boss, report):
    Submission.every.update(is_practice=True)
    RepoReport.objects.update(state="error")

    assert "could not be evaluated in every part" not in boss.get(reverse("admin:tasks_reporeport_changelist")).content.decode()


def test_a_page_with_many_checks_asks_no_more_of_the_database(boss):
    few = make_class(1, checks=1).reports[0, "sales-total", 1]
    CheckResult.objects.filter(report=few).exclude(key="license:mit-license").delete()

    def queries(report: RepoReport) -> int:
        with CaptureQueriesContext(connection) as captured:
            body(boss, report)
        return len(captured)

    queries(few)
    before = queries(few)
    CheckResult.objects.bulk_create(CheckResult(report=few, kind="page", key=f"k{n}", title=f"t{n}", status="pass") for n in range(60))
    assert queries(few) == before
