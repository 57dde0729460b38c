"""Columns: one for each check that was ever made of a report."""

from __future__ import annotations

import pytest

from tasks.classroom.gradebook import books, columns
from tasks.classroom.gradebook.columns import weight_of as shipped
from tasks.models import CheckResult, GradeBook, GradeColumn
from tests.classroom.graded import make_class

pytestmark = pytest.mark.django_db


@pytest.fixture
def book() -> GradeBook:
    return books.default_book()


def test_columns_come_once_and_what_a_person_changed_stays(book: GradeBook) -> None:
    made = make_class(2, rounds=2, common=1, checks=1)
    assert (columns.sync(book), columns.sync(book)) == (4, 0)
    GradeColumn.objects.update(weight=2.5, is_dropped=True, title="mine")
    CheckResult.objects.create(report=made.reports[0, "sales-total", 2], kind="page", key="page:new", title="A new check", status="pass")
    assert columns.sync(book) == 1
    assert [(row.key, row.weight, row.is_dropped, row.title) for row in columns.of(book)][-2:] == [
        ("license:mit-license", 2.5, True, "mine"),
        ("page:new", 1.0, False, "A new check"),
    ]


def test_a_tasks_check_is_called_what_the_briefs_file_says_for_everybody(book: GradeBook) -> None:
    made = make_class(1, common=1, checks=5, rounds=2, variant=lambda student, brief, round: 3 * (round - 1))
    CheckResult.objects.filter(report=made.reports[0, "sales-total", 1], key="v0-check-1").update(title='document.title === "Corner Shop 12ab34cd"')
    columns.sync(book)
    titles = [(column.round, column.title) for column in columns.of(book)]
    assert titles == [
        (1, 'document.title === "Corner Shop ${seed}"'),
        (1, "!!document.querySelector(\"link[href*='bootstrap']\")"),
        (1, 'Math.abs(parseFloat(document.querySelector("#total-sales").textContent) - ${sales.total}) < 0.01'),
        (1, "The repository has an MIT license"),
        (1, "check 5 of variant 0"),  # which the file does not have
        (1, "LICENSE is the MIT license"),
        *((2, f"check {number} of variant 3") for number in range(1, 6)),
        (2, "LICENSE is the MIT license"),
    ]


@pytest.mark.parametrize("brief", ["no-such-brief", "../etc/passwd", ""])
def test_a_brief_whose_file_is_gone_keeps_the_checks_own_title(brief: str, book: GradeBook) -> None:
    make_class(1, (brief,), common=0, checks=1)
    columns.sync(book)
    assert columns.of(book)[0].title == "check 1 of variant 0"


@pytest.mark.parametrize("key", ["v0-check-0", "v9999999-check-1", "v0-check-1 ", "license:v0-check-1", "v-1-check-1"])
def test_only_a_tasks_own_checks_belong_to_a_variant(key: str) -> None:
    assert columns.title_of("sales-total", 1, key) == ""
    assert (columns.variant_of(key) is None) == (key != "v0-check-0")


def test_the_order_is_the_tasks_checks_by_variant_and_number_and_then_the_common_ones(book: GradeBook) -> None:
    for key in ("v1-check-1", "v0-check-10", "readme:x", "v0-check-2", "license:x"):
        GradeColumn.objects.create(book=book, brief_id="a", round=1, key=key, title=key, kind="page")
    assert [column.key for column in columns.of(book)] == ["v0-check-2", "v0-check-10", "v1-check-1", "readme:x", "license:x"]


def test_a_locked_book_and_a_check_without_a_key_get_no_columns(book: GradeBook) -> None:
    make_class(1, common=1, checks=1)
    CheckResult.objects.filter(kind="license").update(key="")
    assert columns.sync(book) == 1
    book.locked_at = book.created_at
    book.columns.all().delete()
    assert columns.sync(book) == 0


def test_the_default_book_is_the_course_else_the_newest_else_made() -> None:
    made = books.default_book()
    assert made.name == "Course"
    GradeBook.objects.create(name="Second")
    assert books.default_book() == made
    made.delete()
    third = GradeBook.objects.create(name="Third")
    assert books.default_book() == third


def test_what_was_asked_for_weighs_more_than_what_any_sound_repository_passes() -> None:
    assert [shipped("v2-check-11", "page"), shipped("page:the-page-loads", "page"), shipped("judge:readme", "judge")] == [5.0, 3.0, 3.0]
    assert [shipped("page:the-page-throws-no-errors", "page"), shipped("license:x", "license")] == [1.0, 1.0]
