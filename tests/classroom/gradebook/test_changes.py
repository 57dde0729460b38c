"""What a person changes: weights, rules, overrides; each is noted, and none goes through in a locked book."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.utils import timezone

from tasks.classroom.gradebook import books, changes, locking
from tasks.classroom.gradebook.sheet import sheet
from tasks.errors import Conflict
from tasks.models import CheckResult, Grade, GradeBook, GradeColumn, GradeOverride, Submission
from tests.classroom.graded import Graded, make_class

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss() -> User:
    return User.objects.create_superuser("boss")


@pytest.fixture
def made() -> Graded:
    return make_class(2, rounds=2, common=2, checks=2, variant=lambda student, *_: student)


@pytest.fixture
def book(made: Graded) -> GradeBook:
    book = books.default_book()
    sheet(book)
    return book


def column(book: GradeBook, key: str = "license:mit-license", round: int = 1) -> GradeColumn:
    return book.columns.get(key=key, round=round)


# -- weights and rules -------------------------------------------------------------------------------------------------------------------


def test_weights_are_set_together_and_noted_where_they_are_other_ones(book: GradeBook, boss: User) -> None:
    one, two = column(book), column(book, "v0-check-1")
    assert changes.set_columns(book, {one.pk: (2.0, False), two.pk: (1.0, True), column(book, round=2).pk: (1.0, False)}, boss) == 2
    assert [(row.weight, row.is_dropped) for row in (column(book), column(book, "v0-check-1"))] == [(2.0, False), (1.0, True)]
    (entry,) = LogEntry.objects.all()
    assert entry.change_message == "Weights: sales-total r1 license:mit-license: 1 → 2; sales-total r1 v0-check-1: 1 → 1 dropped."
    assert (entry.user, entry.get_edited_object()) == (boss, book)
    assert changes.set_columns(book, {one.pk: (2.0, False)}, boss) == 0
    assert LogEntry.objects.count() == 1


@pytest.mark.parametrize("weight", [-1.0, 1_000.5, float("nan"), float("inf")])
def test_a_weight_that_is_none_changes_nothing(weight: float, book: GradeBook) -> None:
    with pytest.raises(Conflict, match="must be 0 to 1,000"):
        changes.set_columns(book, {column(book).pk: (5.0, False), column(book, round=2).pk: (weight, False)})
    assert set(book.columns.values_list("weight", flat=True)) == {1.0}


def test_another_books_column_is_refused(book: GradeBook) -> None:
    other = GradeColumn.objects.create(book=GradeBook.objects.create(name="other"), brief_id="a", round=1, key="k", title="t", kind="page")
    with pytest.raises(Conflict, match="has no column"):
        changes.set_columns(book, {other.pk: (5.0, False)})


def test_rules_are_checked_and_noted(book: GradeBook, boss: User) -> None:
    moment = timezone.now() + timedelta(days=1)
    changed = changes.set_rules(book, boss, best_of=2, late_factor=0.5, note="", publish_at=moment, briefs=["sales-total"])
    assert changed == ["best_of", "late_factor", "publish_at", "briefs"]
    book.refresh_from_db()
    assert (book.best_of, book.late_factor, book.publish_at, book.briefs) == (2, 0.5, moment, ["sales-total"])
    assert "best_of: none → 2; late_factor: 1 → 0.5" in LogEntry.objects.get().change_message
    for wrong, words in (({"late_factor": 1.5}, "late_factor"), ({"best_of": -1}, "best_of"), ({"name": ""}, "name")):
        with pytest.raises(Conflict, match=words):
            changes.set_rules(book, boss, **wrong)
    with pytest.raises(TypeError):
        changes.set_rules(book, boss, locked_at=moment)
    book.refresh_from_db()
    assert (book.late_factor, LogEntry.objects.count()) == (0.5, 1)


# -- overrides ---------------------------------------------------------------------------------------------------------------------------


def test_an_override_is_made_changed_and_cleared_and_noted_on_the_student(book: GradeBook, made: Graded, boss: User) -> None:
    student, here = made.submissions[0], column(book)
    row = changes.override(here, student, 0.5, "  half of it is there ", boss)
    assert (row.score, row.note, row.by) == (0.5, "half of it is there", boss)
    again = changes.override(here, student, 1.0, "all of it", boss)
    assert (again.pk, GradeOverride.objects.get().score) == (row.pk, 1.0)
    assert sheet(book, emails=[student.pk]).rows[0].cells[here.pk].status == "override"
    assert (changes.clear_override(here, student, boss), changes.clear_override(here, student, boss)) == (True, False)
    assert sheet(book, emails=[student.pk]).rows[0].cells[here.pk].status == "pass"
    entries = LogEntry.objects.order_by("pk")
    assert [entry.change_message.split(" for ")[0] for entry in entries] == ["Course: new override", "Course: changed override", "Course: override"]
    assert {entry.get_edited_object() for entry in entries} == {student}


@pytest.mark.parametrize(
    ("score", "note", "words"),
    [(1.1, "n", "0 to 1"), (-0.1, "n", "0 to 1"), (float("nan"), "n", "0 to 1"), (1.0, " ", "reason"), (1.0, "x" * 501, "reason")],
)
def test_an_override_needs_a_score_and_a_reason(score: float, note: str, words: str, book: GradeBook, made: Graded) -> None:
    with pytest.raises(Conflict, match=words):
        changes.override(column(book), made.submissions[0], score, note)
    assert not GradeOverride.objects.exists()


def test_only_what_was_asked_of_a_student_can_be_overridden(book: GradeBook, made: Graded) -> None:
    with pytest.raises(Conflict, match="another variant"):
        changes.override(column(book, "v1-check-1"), made.submissions[0], 1.0, "n")
    late = Submission.objects.create(email="late@example.org", endpoint="https://x.example.org/ready", sealed_secret="", submitted_at=timezone.now())
    with pytest.raises(Conflict, match="was not issued round 1"):
        changes.override(column(book), late, 1.0, "n")
    Submission.every.filter(pk=made.submissions[0].pk).update(is_practice=True)
    with pytest.raises(Conflict, match="was not issued"):
        changes.override(column(book), made.submissions[0], 1.0, "n")


def test_a_command_has_no_user_and_leaves_no_entry(book: GradeBook, made: Graded) -> None:
    assert changes.override(column(book), made.submissions[0], 1.0, "n").by is None
    assert changes.set_columns(book, {column(book).pk: (3.0, False)}) == 1
    assert not LogEntry.objects.exists()


# -- the lock ----------------------------------------------------------------------------------------------------------------------------


def test_a_locked_book_stays_as_it_was_whatever_happens_to_the_results(book: GradeBook, made: Graded, boss: User) -> None:
    changes.override(column(book), made.submissions[1], 0.25, "n", boss)
    before = sheet(book)
    assert locking.lock(book, boss) == 2
    CheckResult.objects.filter(report=made.reports[0, "sales-total", 1]).delete()
    CheckResult.objects.update(status="fail", score=0.0)
    CheckResult.objects.create(report=made.reports[0, "sales-total", 2], kind="page", key="page:new", title="t", status="fail")
    GradeColumn.objects.update(weight=7.0)  # past the door
    make_class_mate()
    kept = sheet(GradeBook.objects.get())
    assert kept.rows == before.rows
    assert [column.pk for column in kept.columns] == [column.pk for column in before.columns]
    assert sheet(book, emails=[made.submissions[1].pk]).rows == before.rows[1:]
    assert [grade.score for grade in Grade.objects.all()] == [row.total for row in before.rows]
    assert locking.unlock(book, boss) == 2
    assert (Grade.objects.count(), book.locked_at, sheet(book).rows == before.rows) == (0, None, False)


def make_class_mate() -> None:
    from tests.factories import make_issued

    make_issued()


@pytest.mark.parametrize(
    "change",
    [
        lambda book, student, boss: changes.set_columns(book, {column(book).pk: (2.0, False)}, boss),
        lambda book, student, boss: changes.set_rules(book, boss, best_of=1),
        lambda book, student, boss: changes.set_rules(book, boss, late_factor=0.1, note="x"),
        lambda book, student, boss: changes.override(column(book), student, 1.0, "n", boss),
        lambda book, student, boss: changes.clear_override(column(book), student, boss),
        lambda book, student, boss: locking.lock(book, boss),
    ],
)
def test_a_locked_book_refuses_even_where_the_caller_does_not_know_yet(
    change: Callable[[GradeBook, Submission, User], object], book: GradeBook, made: Graded, boss: User
) -> None:
    stale = GradeBook.objects.get(pk=book.pk)
    locking.lock(book, boss)
    entries = LogEntry.objects.count()
    with pytest.raises(Conflict, match="unlock it first"):
        change(stale, made.submissions[0], boss)
    assert (LogEntry.objects.count(), GradeBook.objects.get().note, GradeOverride.objects.count()) == (entries, "", 0)


def test_a_locked_book_can_still_be_published(book: GradeBook, boss: User) -> None:
    locking.lock(book, boss)
    moment = timezone.now()
    assert changes.set_rules(book, boss, publish_at=moment, note="x", best_of=book.best_of) == ["publish_at", "note"]
    assert (book.is_published, book.locked_by) == (True, boss)


def test_unlocking_what_is_open_is_refused(book: GradeBook) -> None:
    with pytest.raises(Conflict, match="is not locked"):
        locking.unlock(book)


def test_a_student_who_is_removed_goes_from_a_locked_book_too(book: GradeBook, made: Graded) -> None:
    locking.lock(book)
    for student in made.submissions[:1]:
        student.issued.filter(round=2).delete()
        student.issued.all().delete()
        student.delete()
    assert [row.email for row in sheet(book).rows] == ["student0001@example.org"]
