"""Nothing that came from outside is markup: every page is rendered with hostile text in every field."""

import re
from html.parser import HTMLParser

import pytest
from django.contrib import admin
from django.urls import reverse

from tasks.models import CheckResult, GradeBook, GradeOverride, RepoReport, Round, Screenshot
from tests.admin.conftest import tell

HOSTILE = """<script>alert(1)</script>"><img src onerror=alert(1)>' onmouseover='alert(1) {{7|add:7}} ${alert(1)}"""
RECORDS = sorted((model for model in admin.site._registry if model._meta.app_label == "tasks"), key=lambda model: model._meta.model_name)
OWN_IMAGE = re.compile(r"/admin/tasks/screenshot/\d+/image/")


@pytest.fixture
def hostile(db):
    return tell(HOSTILE, "javascript:alert(1)//", graded=True)


class Reader(HTMLParser):
    """Reads a page as a browser does and collects what would run."""

    def __init__(self) -> None:
        super().__init__()
        self.dangers: list[str] = []
        self.inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside = tag if tag in ("script", "style") else ""
        for name, value in attrs:
            address = name in ("href", "src", "action", "formaction", "srcdoc") or name.startswith("hx-")
            code = name.startswith(("x-", ":", "@"))
            if (
                name.startswith("on")
                or (address and (value or "").strip().lower().startswith("javascript:"))
                or (code and "alert(1)" in (value or ""))
            ):
                self.dangers.append(f"<{tag} {name}={value!r}>")
        if tag == "img" and not OWN_IMAGE.fullmatch(dict(attrs).get("src") or ""):
            self.dangers.append("<img>")

    def handle_data(self, data: str) -> None:
        if self.inside and "alert(1)" in data:
            self.dangers.append(f"{self.inside}: {data[:80]}")


def dangers(page: str) -> list[str]:
    reader = Reader()
    reader.feed(page)
    return reader.dangers


def assert_harmless(page: str) -> None:
    assert dangers(page) == []
    assert "<script>alert" not in page


@pytest.mark.parametrize(
    "text", [HOSTILE, '<img src="/admin/tasks/screenshot/1/image/?x">', '<a href="javascript:x">', '<p onclick="x">', '<p x-data="alert(1)">']
)
def test_the_reader_of_these_tests_sees_the_danger(text):
    assert dangers(f"<p>{text}</p>")


@pytest.mark.parametrize("model", RECORDS, ids=lambda model: model._meta.model_name)
def test_no_list_runs_what_it_shows(boss, hostile, model):
    if not model._default_manager.exists():
        pytest.skip("no such row is made here")
    page = boss.get(reverse(f"admin:tasks_{model._meta.model_name}_changelist")).content.decode()

    assert "alert(1)" in page or model._meta.model_name == "writebudget"
    assert_harmless(page)


@pytest.mark.parametrize("model", RECORDS, ids=lambda model: model._meta.model_name)
def test_no_record_runs_what_it_shows(boss, hostile, model):
    of_rounds = {"report": None} if model in (CheckResult, Screenshot) else {}  # those of a report are shown on its own page
    for row in model._default_manager.filter(**of_rounds):
        answer = boss.get(reverse(f"admin:tasks_{model._meta.model_name}_change", args=[row.pk]))
        assert answer.status_code == 200
        assert_harmless(answer.content.decode())


@pytest.mark.parametrize("status", Round.Status.values)
def test_no_state_of_a_round_runs_what_it_shows(boss, hostile, status):
    Round.objects.update(status=status, notified_at=None)

    for name in ("change", "live", "delete"):
        answer = boss.get(reverse(f"admin:tasks_round_{name}", args=[hostile.round.pk]))
        assert answer.status_code in (200, 286)
        assert_harmless(answer.content.decode())


@pytest.mark.parametrize("name", ["weights", "pictures", "similar"])
def test_no_page_of_a_grade_book_runs_what_it_shows(boss, hostile, name):
    answer = boss.get(reverse(f"admin:tasks_gradebook_{name}", args=[GradeBook.objects.get().pk]), {"brief": HOSTILE, "round": HOSTILE, "p": HOSTILE})

    assert answer.status_code == 200
    assert "alert(1)" in answer.content.decode()
    assert_harmless(answer.content.decode())


def test_no_students_page_and_no_cell_runs_what_it_shows(boss, hostile):
    override = GradeOverride.objects.get()
    book, column, student = override.column.book_id, override.column_id, override.submission_id
    cell = reverse("admin:tasks_gradebook_cell", args=[book, column, student])
    answers = [
        boss.get(reverse("admin:tasks_gradebook_student", args=[book, student])),
        boss.get(cell),
        boss.post(cell, {"score": "x", "note": HOSTILE}),
    ]

    for answer in answers:
        assert answer.status_code == 200
        assert "alert(1)" in answer.content.decode()
        assert_harmless(answer.content.decode())


def test_the_sheet_asked_for_with_an_attack_shows_it_as_words(boss, hostile):
    answer = boss.get(reverse("admin:tasks_gradebook_change", args=[GradeBook.objects.get().pk]), {"q": HOSTILE, "sort": HOSTILE, "p": HOSTILE})

    assert "alert(1)" in answer.content.decode()
    assert_harmless(answer.content.decode())


def test_the_moving_part_of_a_report_runs_nothing(boss, hostile):
    for report in RepoReport.objects.all():
        answer = boss.get(reverse("admin:tasks_reporeport_live", args=[report.pk]))
        assert "alert(1)" in answer.content.decode()
        assert_harmless(answer.content.decode())


def test_the_versions_side_by_side_run_nothing(boss, hostile):
    url = reverse("admin:tasks_taskrequest_versions", args=[hostile.round.task_request_id])
    for query in ({}, {"a": hostile.first.pk, "b": hostile.version.pk}, {"round": hostile.round.pk}, {"a": HOSTILE, "b": HOSTILE, "round": HOSTILE}):
        page = boss.get(url, query).content.decode()
        assert "alert(1)" in page
        assert_harmless(page)


def test_the_parts_of_a_tasks_page_run_nothing(boss, hostile):
    task = hostile.round.task_request
    log, run = task.logs.get(), task.runs.get()
    parts = {"live": {}, "talk": {"sender": HOSTILE, "kind": HOSTILE}, "figures": {"metric": f"metric.{HOSTILE}"}, "log": {"name": log.filename}}
    for name, query in parts.items():
        page = boss.get(reverse(f"admin:tasks_taskrequest_{name}", args=[task.pk]), query).content.decode()
        assert "alert(1)" in page
        assert_harmless(page)
    for name, data in {"say": {"say-kind": HOSTILE, "say-text": HOSTILE}, "spawn": {"run-command": HOSTILE, "run-stdin": HOSTILE}}.items():
        answer = boss.post(reverse(f"admin:tasks_taskrequest_{name}", args=[task.pk]), data, headers={"HX-Request": "true"})
        assert "alert(1)" in answer.content.decode()
        assert_harmless(answer.content.decode())
    assert_harmless(boss.get(reverse("admin:tasks_containerrun_live", args=[run.pk]), {"row": HOSTILE, "seen": HOSTILE}).content.decode())


def test_the_dashboard_runs_nothing(boss, hostile):
    page = boss.get(reverse("admin:index")).content.decode()

    assert "alert(1)" in page
    assert_harmless(page)


def test_a_search_shows_its_words_as_words(boss, hostile):
    page = boss.get(reverse("admin:tasks_round_changelist"), {"q": HOSTILE}).content.decode()

    assert_harmless(page)


def test_the_messages_after_an_action_are_words(boss, hostile):
    for name in ("rerun", "reevaluate"):
        answer = boss.post(reverse(f"admin:tasks_round_{name}", args=[hostile.round.pk]), {"stage": "generate"}, follow=True)
        assert_harmless(answer.content.decode())
