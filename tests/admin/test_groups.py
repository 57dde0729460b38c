"""Who may do what: every address of the admin, every button and every action, for each group and for nobody."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.test import Client, RequestFactory
from django.urls import reverse

from tasks.classroom.gradebook import columns
from tasks.models import CheckResult, GradeBook, IssuedTask, Screenshot
from tests.admin.conftest import tell
from tests.classroom.graded import Graded, make_class
from tests.factories import make_issued, make_submission
from tests.security.admin_addresses import model_of, patterns

pytestmark = pytest.mark.django_db

EMAIL = "student0000@example.org"
TEACHES, GRADES, STUDIES = {"instructor"}, {"instructor", "assistant"}, {"instructor", "student-reader"}
EVERYBODY = TEACHES | GRADES | STUDIES
CLASS = {"submission", "issuedtask", "issuetry", "reporeport", "gradebook"}
SERVICE = {
    *(
        "taskrequest",
        "round",
        "attachment",
        "codeversion",
        "generatedfile",
        "stagerun",
        "deployment",
        "notificationattempt",
        "message",
        "checkresult",
    ),
    *("screenshot", "compiledcheck", "containerrun", "artefact", "result", "logfile", "worker", "writebudget"),
}
PAGES = {
    **dict.fromkeys(("index", "password_change", "password_change_done", "jsi18n", "search", "my_report", "my_report_picture"), EVERYBODY),
    **dict.fromkeys(("practices", "practice", "practice_live", "practice_picture"), STUDIES),
    **dict.fromkeys(("briefs", "brief", "brief_file"), GRADES),
    **dict.fromkeys(("monitor", "monitor_live"), TEACHES),
    **dict.fromkeys(("tasks_issuedtask_issue", "tasks_submission_import", "tasks_submission_add", "tasks_gradebook_add"), TEACHES),
}
ELSEWHERE = {"login", "logout", "autocomplete", "view_on_site", "app_list"}  # not pages of this service, or a way to one
ELSEWHERE |= {"tasks_taskrequest_log", "tasks_taskrequest_log_download"}  # 404 unless a log is asked for: tests/admin/test_task_page.py


@pytest.fixture
def made() -> Graded:
    graded = make_class(1, shots=True)
    GradeBook.objects.create(name="Term", publish_at=graded.reports[0, "sales-total", 1].received_at)
    tell()
    practice = make_issued(make_submission(email=EMAIL, is_practice=True), status="given_up")
    practice.reports.create(repo_url="https://x.org/r", commit_sha="a" * 40, pages_url="https://x.org/p", state="done").screenshots.create(
        name="desktop", width=1, height=1, media_type="image/png", content=b"x"
    )
    return graded


def browser(group: str) -> Client:
    """Somebody of that group, with the e-mail address of the class's one student."""
    client = Client()
    if group:
        user = User.objects.create_user(f"{group}-{User.objects.count()}", EMAIL, is_staff=True)
        user.groups.add(Group.objects.get(name=group))
        client.force_login(user)
    return client


def may_read(name: str) -> set[str]:
    """Who may open a page of that name, as README's table has it."""
    if name in PAGES:
        return PAGES[name]
    model = model_of(name)
    label = model._meta.model_name if model is not None and model._meta.app_label == "tasks" else ""
    if name.endswith(("_delete", "_add")):
        return set()
    return GRADES if label in CLASS else TEACHES if label in SERVICE else set()


def args_of(name: str, made: Graded) -> list[Any] | None:
    """What the page is asked for; None where there is no such row."""
    report, book = made.reports[0, "sales-total", 1], GradeBook.objects.get(name="Term")
    practice = IssuedTask.objects.get(submission__is_practice=True, submission__email=EMAIL)
    special: dict[str, list[Any]] = {
        "brief": ["sales-total"],
        "brief_file": ["sales-total", 0],
        "practice_picture": [practice.pk, practice.reports.get().screenshots.get().pk],
        "my_report_picture": [book.pk, report.screenshots.first().pk],
        "tasks_gradebook_student": [book.pk, made.submissions[0].pk],
        "tasks_gradebook_cell": [book.pk, book.columns.first().pk if book.columns.exists() else 0, made.submissions[0].pk],
    }
    if name in special:
        return special[name]
    if name.startswith("practice"):
        return [practice.pk]
    model = model_of(name)
    rows = {"submission": made.submissions[0], "reporeport": report, "issuedtask": report.issued}
    rows |= {"checkresult": CheckResult.objects.exclude(round=None).first(), "screenshot": Screenshot.objects.exclude(round=None).first()}
    row = rows.get(model._meta.model_name) or model._default_manager.first() if model is not None else None
    return None if row is None else [row.pk]


def pages(made: Graded) -> Iterator[tuple[str, str]]:
    for pattern in patterns():
        if not pattern.name or pattern.name in ELSEWHERE or pattern.name.endswith("_history"):
            continue
        args = args_of(pattern.name, made) if pattern.pattern.regex.groupindex else []
        if args is not None:
            yield pattern.name, reverse(f"admin:{pattern.name}", args=args)


@pytest.mark.parametrize("group", ["", "student-reader", "assistant", "instructor"])
def test_each_page_opens_for_whom_it_is_meant_and_for_nobody_else(made: Graded, group: str) -> None:
    if group in GRADES:
        columns.sync(GradeBook.objects.get(name="Term"))
    client, wrong, posts = browser(group), [], set()
    for name, url in pages(made):
        if name.endswith("_change") and group == "instructor" and may_read(name) is TEACHES:
            continue  # drawn by the tests of each page, and open to whom its list is
        answer = client.get(url)
        posts |= {name} if answer.status_code == 405 else set()
        refused = answer.status_code in (403, 404) or (answer.status_code == 302 and answer["Location"].startswith(reverse("admin:login")))
        if answer.status_code != 405 and refused is (group in may_read(name)):
            wrong.append((name, answer.status_code))
    assert wrong == []
    assert posts <= set(POSTS), "a button that is not in the table below"


POSTS: dict[str, set[str]] = {
    "tasks_issuedtask_issue": TEACHES,
    "tasks_submission_import": TEACHES,
    "tasks_submission_probe": TEACHES,
    "tasks_submission_add": TEACHES,
    "tasks_submission_change": TEACHES,
    "tasks_round_rerun": TEACHES,
    "tasks_round_renotify": TEACHES,
    "tasks_round_reevaluate": TEACHES,
    "tasks_reporeport_again": GRADES,
    "tasks_reporeport_errors": GRADES,
    "tasks_gradebook_add": TEACHES,
    "tasks_gradebook_weights": TEACHES,
    "tasks_gradebook_lock": TEACHES,
    "tasks_gradebook_unlock": TEACHES,
    "tasks_gradebook_publish": TEACHES,
    "tasks_gradebook_withdraw": TEACHES,
    "tasks_gradebook_cell": GRADES,
    "practices": STUDIES,
    "practice_next": STUDIES,
    "practice_stop": STUDIES,
    "tasks_taskrequest_say": set(),
    "tasks_taskrequest_spawn": set(),
    "tasks_taskrequest_status": set(),
    "tasks_containerrun_cancel": set(),
    "doctor_findings": set(),
}


@pytest.mark.parametrize("group", ["", "student-reader", "assistant", "instructor"])
def test_each_button_works_for_whom_it_is_meant_and_for_nobody_else(made: Graded, group: str) -> None:
    book = GradeBook.objects.get(name="Term")
    columns.sync(book)
    client, wrong, urls = browser(group), [], dict(pages(made))
    for name, meant in POSTS.items():
        answer = client.post(urls[name])
        refused = answer.status_code == 403 or (answer.status_code == 302 and answer["Location"].startswith(reverse("admin:login")))
        if refused is (group in meant):
            wrong.append((name, answer.status_code))
    assert wrong == []
    book.refresh_from_db()
    assert (book.locked_at is None) or group == "instructor"


ACTIONS = {
    "instructor": {
        *("probe_chosen", "send_again", "evaluate_chosen", "export_as_csv"),
        *("rerun_rounds", "rerun_from_generate", "renotify_rounds", "reevaluate_rounds"),
    },
    "assistant": {"evaluate_chosen"},
    "student-reader": set(),
}


@pytest.mark.parametrize("group", ACTIONS)
def test_each_group_is_offered_just_these_actions(group: str) -> None:
    request = RequestFactory().get("/admin/")
    request.user = User.objects.create_user("somebody", is_staff=True)
    request.user.groups.add(Group.objects.get(name=group))
    pages = [page for page in admin.site._registry.values() if page.has_view_or_change_permission(request)]
    assert {name for page in pages for name in page.get_actions(request)} == ACTIONS[group]


def test_what_a_student_may_open_leads_to_no_list_of_anybody(made: Graded) -> None:
    client = browser("student-reader")
    for url in (reverse("admin:index"), reverse("admin:my_report"), reverse("admin:practices"), reverse("admin:search") + "?s=student"):
        page = client.get(url).content.decode()
        assert "/admin/tasks/" not in page, url
        assert "/admin/auth/" not in page, url
