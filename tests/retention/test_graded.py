"""Grades, overrides and check results of a student: they go with the person, and a young grade keeps the submission."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.utils import timezone

from tasks.classroom.gradebook import books, changes, locking
from tasks.classroom.gradebook.sheet import sheet
from tasks.models import CheckResult, Grade, GradeBook, GradeOverride, IssuedTask, Screenshot, Submission
from tasks.retention import erasure
from tests.classroom.graded import Graded, make_class
from tests.retention.conftest import pruned_after

pytestmark = pytest.mark.django_db

EMAIL = "student0001@example.org"


@pytest.fixture
def made() -> Graded:
    """Two students, each with two overrides, one of them cleared again; the book is locked."""
    made, boss = make_class(2, rounds=2, common=2, checks=1, shots=True), User.objects.create_superuser("boss")
    book = books.default_book()
    sheet(book)
    first, second = book.columns.filter(key__contains=":", round=1)
    for student in made.submissions:
        changes.override(first, student, 0.5, f"as {student.email} said", boss)
        changes.override(second, student, 0.5, "n", boss)
        changes.clear_override(second, student, boss)
    locking.lock(book, boss)
    return made


def test_all_of_a_graded_student_is_counted_and_goes(made: Graded) -> None:
    CheckResult.objects.update(reason=f"{EMAIL} is named on the page")
    hanging = {"IssuedTask": 2, "RepoReport": 2, "CheckResult": 6, "Screenshot": 4, "Grade": 1, "GradeOverride": 1}
    wanted = {f"tasks.{name}": number for name, number in hanging.items()} | {"tasks.Submission": 1}
    look = erasure.look(EMAIL.upper())
    assert (dict(look.rows), look.mentions) == (wanted, {"check results": 6})  # in what another student's page says
    erased = erasure.erase(EMAIL.upper())
    assert {label: erased.rows[label] for label in wanted} == wanted
    assert erased.rows["admin.LogEntry"] == 3
    assert (erased.mentions, erasure.look(EMAIL).nothing) == ({"check results": 6}, True)
    assert [row.email for row in sheet(GradeBook.objects.get()).rows] == ["student0000@example.org"]


def test_nothing_that_the_admin_noted_names_them_any_more(made: Graded) -> None:
    erasure.erase(EMAIL)
    texts = " ".join(str(list(model._default_manager.values())) for model in (*apps.get_app_config("tasks").get_models(), LogEntry))
    assert EMAIL not in texts
    assert "student0000@example.org" in texts
    assert {entry.object_repr for entry in LogEntry.objects.all()} == {"student0000@example.org", "Course"}


@pytest.mark.parametrize("kept", ["grade", "override", "neither"])
def test_a_submission_is_kept_while_its_grade_is_young(made: Graded, kept: str) -> None:
    soon = timezone.now() + timedelta(days=300)
    if kept == "grade":
        Grade.objects.update(made_at=soon)
    elif kept == "override":
        GradeOverride.objects.update(updated_at=soon)
    for dry_run in (True, False):
        pruned = pruned_after(400, dry_run=dry_run)
        assert (pruned.counts["issued tasks"], pruned.counts["submissions"]) == (2, 2 if kept == "neither" else 0)
    assert IssuedTask.objects.count() == 0
    assert (Submission.objects.count(), Grade.objects.count()) == ((0, 0) if kept == "neither" else (2, 2))
    assert pruned_after(700).counts["submissions"] == (0 if kept == "neither" else 2)


def test_pictures_of_reports_stay_as_long_as_the_reports(made: Graded) -> None:
    there = Screenshot.objects.count()
    assert there > 0
    pruned_after(100)
    assert Screenshot.objects.count() == there
