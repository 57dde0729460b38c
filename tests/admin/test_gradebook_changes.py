"""What is changed on the grade-book's pages: rules and weights, scores set by hand; nothing in a locked book, nothing by whoever may only look."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from tasks.classroom.gradebook import changes, locking
from tasks.classroom.gradebook.sheet import sheet
from tasks.models import CheckResult, GradeBook, GradeColumn, GradeOverride
from tests.admin.conftest import staff
from tests.classroom.graded import Graded, make_class

pytestmark = pytest.mark.django_db


@pytest.fixture
def book() -> GradeBook:
    return GradeBook.objects.create(name="Course")


@pytest.fixture
def made(book) -> Graded:
    """A student with two checks: the first fails, the second passes."""
    graded = make_class(1, common=2, checks=0, status=lambda student, check, round: "fail" if check == 1 else "pass")
    sheet(book)
    return graded


def form(book: GradeBook, **given: object) -> dict[str, object]:
    """What the page's form would post."""
    rules = {"name": book.name, "briefs": book.briefs, "best_of": book.best_of or "", "late_factor": book.late_factor, "publish_at": "", "note": ""}
    weights = {f"weight-{column.pk}": column.weight for column in book.columns.all()}
    return {**rules, **weights, **{name.replace("_at_", "-"): value for name, value in given.items()}}


def weights_url(book: GradeBook) -> str:
    return reverse("admin:tasks_gradebook_weights", args=[book.pk])


def cell_url(book: GradeBook, made: Graded, number: int = 0) -> str:
    column = book.columns.order_by("pk")[number]
    return reverse("admin:tasks_gradebook_cell", args=[book.pk, column.pk, made.submissions[0].pk])


def total(book: GradeBook) -> float:
    return sheet(GradeBook.objects.get(pk=book.pk)).rows[0].total


# -- weights and rules --------------------------------------------------------------------------------------------------------------------


def test_other_weights_score_anew_at_once_and_run_no_check(boss, book, made):
    failed = made.result(0, "license:mit-license")
    column = book.columns.get(key="license:mit-license")
    assert total(book) == 50
    before = list(CheckResult.objects.values_list("pk", "created_at"))

    page = boss.post(weights_url(book), form(book) | {f"weight-{column.pk}": 3}, follow=True).content.decode()

    assert failed.status == "fail"
    assert total(book) == 25
    assert "1 check weighted anew. The class&#x27;s mean was 50.0 and is 25.0." in page
    assert list(CheckResult.objects.values_list("pk", "created_at")) == before
    assert "1 → 3" in LogEntry.objects.get().change_message


def test_a_dropped_check_counts_nothing(boss, book, made):
    column = book.columns.get(key="license:mit-license")

    boss.post(weights_url(book), form(book) | {f"dropped-{column.pk}": "on"})

    assert total(book) == 100


def test_the_rules_are_saved_with_what_was_changed_in_words(boss, book, made):
    given = form(book) | {"briefs": ["sales-total"], "best_of": 1, "late_factor": 0.5, "publish_at": "2030-01-31 18:00", "note": "Autumn"}

    page = boss.post(weights_url(book), given, follow=True).content.decode()

    stored = GradeBook.objects.get()
    assert (stored.briefs, stored.best_of, stored.late_factor, stored.note) == (["sales-total"], 1, 0.5, "Autumn")
    assert f"{stored.publish_at:%Y-%m-%d %H:%M}" == "2030-01-31 18:00"
    assert "Changed: briefs, best of, late factor, published from (UTC), note." in page.lower().replace("changed:", "Changed:").replace(
        "(utc)", "(UTC)"
    )


def test_saving_the_page_as_it_is_changes_nothing(boss, book, made):
    assert "Nothing was changed." in boss.post(weights_url(book), form(book), follow=True).content.decode()
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize("wrong", ["x", "-1", "1e999", "nan", "1001", ""])
def test_a_weight_that_is_none_is_refused_and_nothing_is_saved(boss, book, made, wrong):
    first, second = book.columns.order_by("pk")

    answer = boss.post(weights_url(book), form(book) | {f"weight-{first.pk}": wrong, f"weight-{second.pk}": 7, "note": "new"})

    assert answer.status_code == 200
    assert "Nothing was saved" in answer.content.decode()
    assert set(GradeColumn.objects.values_list("weight", flat=True)) == {1.0}
    assert GradeBook.objects.get().note == ""


@pytest.mark.parametrize(
    ("name", "wrong"), [("best_of", 0), ("best_of", "x"), ("late_factor", 2), ("briefs", ["no-such"]), ("publish_at", "x"), ("name", "")]
)
def test_a_rule_that_cannot_be_is_refused(boss, book, made, name, wrong):
    answer = boss.post(weights_url(book), form(book) | {name: wrong})

    assert "Nothing was saved" in answer.content.decode()
    assert not LogEntry.objects.exists()


def test_a_locked_book_takes_no_weight_and_no_rule(boss, book, made):
    locking.lock(book)
    column = book.columns.get(key="license:mit-license")

    page = boss.post(weights_url(book), form(book) | {f"weight-{column.pk}": 3, "best_of": 1, "late_factor": 0.1}, follow=True).content.decode()

    assert "was locked on" in page
    assert (GradeColumn.objects.get(pk=column.pk).weight, GradeBook.objects.get().best_of, GradeBook.objects.get().late_factor) == (1.0, None, 1.0)
    assert "Save and score anew" not in page


def test_rules_and_weights_are_saved_together_or_not_at_all(boss, book, made, monkeypatch):
    """Somebody locks the book between the two."""

    def locked_meanwhile(book: GradeBook, changed: object, user: User) -> None:
        locking.lock(book)
        locking.unlocked(book)

    monkeypatch.setattr(changes, "set_columns", locked_meanwhile)
    column = book.columns.first()

    page = boss.post(weights_url(book), form(book) | {f"weight-{column.pk}": 3, "note": "new"}).content.decode()

    assert "was locked on" in page
    assert GradeBook.objects.get().note == ""
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize(
    ("rights", "expected"),
    [
        (["change_gradebook"], (1.0, "new", None)),
        (["change_gradecolumn"], (3.0, "", None)),
        (["change_gradebook", "change_gradecolumn"], (3.0, "new", None)),
    ],
)
def test_each_right_changes_its_own_part(book, made, rights, expected):
    column = book.columns.get(key="license:mit-license")

    staff("view_gradebook", *rights).post(weights_url(book), form(book) | {f"weight-{column.pk}": 3, "note": "new", "publish_at": "2020-01-01 00:00"})

    stored = GradeBook.objects.get()
    assert (GradeColumn.objects.get(pk=column.pk).weight, stored.note, stored.publish_at) == expected


def test_who_may_only_look_is_refused(viewer, book, made):
    assert viewer.post(weights_url(book), form(book) | {"note": "new"}).status_code == 403
    assert "You may look at the weights" in viewer.get(weights_url(book)).content.decode()


def test_a_new_book_is_made_by_whoever_may_add_one(boss, viewer, made):
    add = reverse("admin:tasks_gradebook_add")
    given = {"name": "Spring", "best_of": "2", "late_factor": "1", "briefs": ["sales-total"]}

    assert viewer.get(add).status_code == viewer.post(add, given).status_code == 403
    assert "Spring" in boss.post(add, given, follow=True).content.decode()
    assert GradeBook.objects.get(name="Spring").briefs == ["sales-total"]
    assert "already exists" in boss.post(add, given).content.decode()


# -- a score set by hand ------------------------------------------------------------------------------------------------------------------


def test_a_score_set_by_hand_takes_the_place_of_the_checks_own_and_survives_another_evaluation(boss, book, made):
    cell = cell_url(book, made)
    assert "LICENSE is the MIT license: it is not so." in boss.get(cell).content.decode()

    answer = boss.post(cell, {"score": "80", "note": "It was there under another name."}, follow=True)

    assert answer.redirect_chain[0][0] == reverse("admin:tasks_gradebook_student", args=[book.pk, made.submissions[0].pk])
    assert "The score is 80 % now" in answer.content.decode()
    assert total(book) == 90
    CheckResult.objects.filter(key="license:mit-license").delete()
    CheckResult.objects.create(report=made.reports[0, "sales-total", 1], kind="license", key="license:mit-license", title="t", status="fail")
    assert total(book) == 90
    row = GradeOverride.objects.get()
    assert (row.by.username, row.score, LogEntry.objects.count()) == ("boss", 0.8, 1)


def test_the_check_decides_again_when_the_score_is_cleared(boss, book, made):
    changes.override(book.columns.get(key="license:mit-license"), made.submissions[0], 1.0, "Yes.")

    page = boss.post(cell_url(book, made), {"do": "clear"}, follow=True).content.decode()

    assert "The check decides again." in page
    assert total(book) == 50


@pytest.mark.parametrize(
    "given", [{"score": "101", "note": "x"}, {"score": "-1", "note": "x"}, {"score": "nan", "note": "x"}, {"score": "50", "note": " "}, {}]
)
def test_a_score_beyond_bounds_or_without_a_reason_is_refused(boss, book, made, given):
    assert boss.post(cell_url(book, made), given).status_code == 200
    assert not GradeOverride.objects.exists()


def test_a_locked_book_takes_no_score(boss, book, made):
    locking.lock(book)

    assert "was locked on" in boss.post(cell_url(book, made), {"score": "80", "note": "x"}, follow=True).content.decode()
    assert not GradeOverride.objects.exists()
    assert "Set the score" not in boss.get(cell_url(book, made)).content.decode()


def test_scores_are_set_by_whoever_may_override(book, made):
    looks, may = staff("view_gradebook"), staff("view_gradebook", "change_gradeoverride")
    cell = cell_url(book, made)

    assert looks.post(cell, {"score": "80", "note": "x"}).status_code == looks.post(cell, {"do": "clear"}).status_code == 403
    assert "Set the score" not in looks.get(cell).content.decode()
    assert Client().post(cell, {"score": "80", "note": "x"}).status_code == 302
    assert not GradeOverride.objects.exists()
    assert may.post(cell, {"score": "80", "note": "x"}).status_code == 302
    assert GradeOverride.objects.exists()


def test_a_post_needs_its_csrf_token(book, made):
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_superuser("root"))

    assert client.post(cell_url(book, made), {"score": "80", "note": "x"}).status_code == 403
    assert client.post(weights_url(book), form(book)).status_code == 403


def test_another_books_check_and_a_check_of_another_variant_take_no_score(boss, book, made):
    other = GradeBook.objects.create(name="Other")
    sheet(other)
    column, foreign = (
        book.columns.first(),
        GradeColumn.objects.create(book=book, brief_id="sales-total", round=1, key="v7-check-1", title="t", kind="page"),
    )
    student = made.submissions[0].pk

    assert boss.get(reverse("admin:tasks_gradebook_cell", args=[other.pk, column.pk, student])).status_code == 404
    address = reverse("admin:tasks_gradebook_cell", args=[book.pk, foreign.pk, student])
    assert "does not apply to this student" in boss.get(address).content.decode()
    assert "another variant" in boss.post(address, {"score": "80", "note": "x"}, follow=True).content.decode()
