"""The grade-book as a table: which report counts, what each cell says, and what is made of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tasks.classroom.gradebook import books, columns
from tasks.classroom.gradebook.cells import Row
from tasks.classroom.gradebook.sheet import sheet
from tasks.models import CheckResult, GradeBook, GradeColumn, GradeOverride, IssuedTask, RepoReport, Submission
from tests.classroom.graded import Graded, make_class

pytestmark = pytest.mark.django_db

BRIEF = "sales-total"
FIRST, SECOND = (BRIEF, 1), (BRIEF, 2)


@pytest.fixture
def book() -> GradeBook:
    return books.default_book()


def rows(book: GradeBook) -> list[Row]:
    return sheet(book).rows


def said(row: Row, book: GradeBook) -> list[tuple[str, float | None]]:
    """By key: common checks, then the task's."""
    cells = [row.cells[column.pk] for column in sorted(columns.of(book), key=lambda column: column.key)]
    return [(cell.status, cell.score) for cell in cells]


def test_a_class_is_scored_check_by_check(book: GradeBook) -> None:
    make_class(2, common=2, checks=2)
    found = sheet(book)
    assert [(row.email, row.total) for row in found.rows] == [("student0000@example.org", 75.0), ("student0001@example.org", 75.0)]
    assert [column.key for column in found.columns] == ["v0-check-1", "v0-check-2", "license:mit-license", "readme:readme-md"]
    assert said(found.rows[0], book) == [("pass", 1.0), ("pass", 1.0), ("fail", 0.0), ("pass", 1.0)]
    assert found.rows[0].cells[found.columns[0].pk].reason == "check 1 of variant 0: it is not so."
    scored = found.rows[0].rounds[FIRST]
    assert (scored.score, scored.state, scored.late, scored.open) == (75.0, "evaluated", False, 0)
    assert (found.rows[0].briefs, found.rows[0].counted) == ({BRIEF: 75.0}, {BRIEF})


@pytest.mark.parametrize("status", ["error", "skipped", "undecided"])
def test_what_is_no_verdict_does_not_count(status: str, book: GradeBook) -> None:
    make_class(1, common=1, checks=2, status=lambda student, check, round: status if check == 1 else "pass")
    (row,) = rows(book)
    assert (said(row, book)[0], row.total, row.rounds[FIRST].open) == ((status, None), 100.0, int(status == "error"))


def test_a_judges_share_counts_as_it_is(book: GradeBook) -> None:
    made = make_class(1, common=1, checks=1, status=lambda *_: "pass")
    CheckResult.objects.filter(pk=made.result(0, "v0-check-1").pk).update(score=0.4, status="fail")
    assert rows(book)[0].total == pytest.approx(70.0)


def test_weights_and_drops_are_another_sum_over_the_same_results(book: GradeBook) -> None:
    make_class(1, common=2, checks=2)  # the third check fails
    before = list(CheckResult.objects.order_by("pk").values())
    assert rows(book)[0].total == 75.0
    failed = book.columns.get(key="v0-check-1")
    for weight, dropped, total in ((3.0, False, 50.0), (0.0, False, 100.0), (3.0, True, 100.0)):
        GradeColumn.objects.filter(pk=failed.pk).update(weight=weight, is_dropped=dropped)
        (row,) = rows(book)
        assert (row.total, row.cells[failed.pk].status) == (total, "fail")
    assert list(CheckResult.objects.order_by("pk").values()) == before


def test_checks_of_another_variant_are_not_asked_of_a_student(book: GradeBook) -> None:
    make_class(2, common=1, checks=1, variant=lambda student, *_: student, status=lambda *_: "pass")
    first, second = rows(book)
    assert [said(row, book) for row in (first, second)] == [[("pass", 1.0), ("pass", 1.0), ("", None)], [("pass", 1.0), ("", None), ("pass", 1.0)]]
    assert (first.total, second.total) == (100.0, 100.0)


def test_who_reported_nothing_gets_nothing_for_every_check_of_theirs(book: GradeBook) -> None:
    make_class(3, common=1, checks=1, reported=lambda student, *_: student != 1, variant=lambda student, *_: student % 2, rounds=1)
    row = rows(book)[1]
    assert said(row, book) == [("absent", 0.0), ("", None)]
    assert (row.total, row.briefs, row.rounds[FIRST].state) == (0.0, {BRIEF: 0.0}, "not reported")


def test_a_class_of_which_nobody_reported_has_nothing_and_no_columns(book: GradeBook) -> None:
    make_class(2, reported=lambda *_: False)
    assert [(row.total, row.briefs, row.cells) for row in rows(book)] == [(0.0, {BRIEF: 0.0}, {})] * 2


def test_a_round_whose_checks_are_all_dropped_counts_for_nobody(book: GradeBook) -> None:
    make_class(2, rounds=2, reported=lambda student, brief, round: student == 0, issued=lambda student, brief, round: student == 0 or round == 1)
    sheet(book)
    GradeColumn.objects.filter(round=2).update(is_dropped=True)
    here, absent = rows(book)
    assert [row.rounds[SECOND].score for row in (here, absent)] == [None, None]
    assert (here.total, absent.total) == (here.rounds[FIRST].score, 0.0)


@pytest.mark.parametrize(
    ("fields", "state", "score"),
    [
        ({"status": "pending", "deadline_at": None}, "not accepted", None),
        ({"status": "waiting"}, "not accepted", None),
        ({"status": "given_up"}, "not accepted", 0.0),
        ({"status": "accepted", "deadline_at": timezone.now() + timedelta(days=1)}, "not reported", None),
        ({"status": "uncertain"}, "not reported", 0.0),
        ({"status": "accepted"}, "not reported", 0.0),
    ],
)
def test_while_a_report_may_still_come_nothing_is_decided(fields: dict[str, Any], state: str, score: float | None, book: GradeBook) -> None:
    made = make_class(2, rounds=2, reported=lambda student, *_: student == 0, issued=lambda student, brief, round: student == 0 or round == 1)
    IssuedTask.objects.filter(pk=made.issued[1, BRIEF, 1].pk).update(**fields)
    row = rows(book)[1]
    assert (row.rounds[FIRST].state, row.rounds[FIRST].score) == (state, score)
    assert (row.rounds[SECOND].state, row.rounds[SECOND].score) == ("not issued", score)
    assert row.briefs == ({} if score is None else {BRIEF: 0.0})
    assert {cell.score for cell in row.cells.values()} == {score, None}


def test_a_round_that_only_some_got_is_not_held_against_who_reported_the_first(book: GradeBook) -> None:
    make_class(2, rounds=2, issued=lambda student, brief, round: student == 0 or round == 1, status=lambda *_: "pass")
    row = rows(book)[1]
    assert (row.rounds[SECOND].state, row.rounds[SECOND].score, row.total) == ("not issued", None, 100.0)


@pytest.mark.parametrize(("state", "word"), [("queued", "to be evaluated"), ("running", "to be evaluated"), ("error", "could not be evaluated")])
def test_a_report_without_results_is_no_failure(state: str, word: str, book: GradeBook) -> None:
    made = make_class(2, common=1, checks=1)
    mine = made.reports[1, BRIEF, 1]
    CheckResult.objects.filter(report=mine).delete()
    RepoReport.objects.filter(pk=mine.pk).update(state=state)
    row = rows(book)[1]
    assert (row.rounds[FIRST].state, row.rounds[FIRST].score, row.briefs) == (word, None, {})
    assert said(row, book) == [("undecided", None)] * 2


def test_former_results_hold_until_they_are_replaced(book: GradeBook) -> None:
    made = make_class(1, common=1, checks=1, status=lambda *_: "pass")
    RepoReport.objects.update(state="queued")
    assert (rows(book)[0].total, rows(book)[0].rounds[FIRST].state) == (100.0, "to be evaluated")
    CheckResult.objects.filter(pk=made.result(0, "v0-check-1").pk).delete()
    assert said(rows(book)[0], book) == [("pass", 1.0), ("", None)]


# -- which report counts -----------------------------------------------------------------------------------------------------------------


def another(made: Graded, minutes: int, *, late: bool, status: str, issued: IssuedTask | None = None) -> RepoReport:
    """A further report on the first student's task (or on `issued`), whose only check says `status`."""
    first = made.reports[0, BRIEF, 1]
    fields = {"repo_url": first.repo_url, "commit_sha": f"f{RepoReport.objects.count():039x}", "pages_url": first.pages_url, "state": "done"}
    when = first.received_at + timedelta(minutes=minutes)
    report = RepoReport.objects.create(issued=issued or first.issued, received_at=when, is_late=late, **fields)
    CheckResult.objects.create(report=report, kind="license", key="license:mit-license", title="x", status=status, score=float(status == "pass"))
    return report


@pytest.mark.parametrize(
    ("reports", "total", "late"),
    [
        ([(1, False, "pass")], 100.0, False),
        ([(-1, False, "pass")], 0.0, False),  # it came before the one that is there
        ([(9, True, "pass")], 0.0, False),
        ([(1, False, "pass"), (9, True, "fail")], 100.0, False),
        ([(0, False, "pass")], 100.0, False),  # at the same moment the later row
    ],
)
def test_the_last_report_in_time_counts(reports: list[tuple[int, bool, str]], total: float, late: bool, book: GradeBook) -> None:
    made = make_class(1, common=1, checks=0, status=lambda *_: "fail")
    for minutes, is_late, status in reports:
        another(made, minutes, late=is_late, status=status)
    (row,) = rows(book)
    assert (row.total, row.rounds[FIRST].late) == (total, late)


def test_where_all_are_late_the_last_one_counts_with_the_books_factor(book: GradeBook) -> None:
    made = make_class(1, common=1, checks=0, late=lambda *_: True, status=lambda *_: "fail")
    another(made, 5, late=True, status="pass")
    GradeBook.objects.update(late_factor=0.5)
    book.refresh_from_db()
    (row,) = rows(book)
    assert (row.total, row.rounds[FIRST].late) == (50.0, True)


def test_of_a_task_that_was_issued_again_the_newest_that_was_reported_counts(book: GradeBook) -> None:
    made = make_class(1, common=1, checks=0, status=lambda *_: "fail")
    first = made.issued[0, BRIEF, 1]
    fields = {name: getattr(first, name) for name in ("submission", "brief_id", "round", "seed", "task", "brief", "evaluation_url", "status")}
    again = [IssuedTask.objects.create(nonce=f"again {n}", **fields) for n in range(2)]
    assert rows(book)[0].total == 0.0
    another(made, -3, late=False, status="pass", issued=again[0])  # earlier, but of the newer task
    (row,) = rows(book)
    assert (row.total, row.rounds[FIRST].report_id) == (100.0, RepoReport.objects.latest("pk").pk)


# -- the whole ---------------------------------------------------------------------------------------------------------------------------


def test_best_of_n_takes_each_students_own_best_briefs(book: GradeBook) -> None:
    make_class(2, ("a", "b", "c"), common=1, checks=0, status=lambda *_: "pass")
    for student, brief in enumerate(("a", "b")):
        email = f"student{student:04}@example.org"
        CheckResult.objects.filter(report__issued__brief_id=brief, report__issued__submission__email=email).update(status="fail", score=0.0)
    assert [row.total for row in rows(book)] == [pytest.approx(200 / 3)] * 2
    book.best_of = 2
    assert [(row.total, row.counted) for row in rows(book)] == [(100.0, {"b", "c"}), (100.0, {"a", "c"})]


def test_only_the_books_briefs_are_in_it_in_its_own_order(book: GradeBook) -> None:
    make_class(1, ("a", "b", "c"), common=1, checks=0)
    book.briefs = ["c", "a"]
    found = sheet(book)
    assert [column.brief_id for column in found.columns] == ["c", "a"]
    assert set(found.rows[0].briefs) == {"a", "c"}


def test_practice_is_no_part_of_it(book: GradeBook) -> None:
    made = make_class(2, common=1, checks=0)
    Submission.every.filter(pk=made.submissions[1].pk).update(is_practice=True)
    assert [row.email for row in rows(book)] == ["student0000@example.org"]
    Submission.every.update(is_practice=True)
    GradeColumn.objects.all().delete()
    assert (rows(book), columns.sync(book)) == ([], 0)


def test_chosen_students_have_the_same_rows_as_in_the_whole_table(book: GradeBook) -> None:
    made = make_class(4, rounds=2, issued=lambda student, brief, round: student > 0 or round == 1, reported=lambda student, *_: student > 0)
    whole = rows(book)
    for chosen in ([0], [2, 3], []):
        ids = {made.submissions[n].pk for n in chosen}
        assert sheet(book, emails=ids).rows == [row for row in whole if row.submission_id in ids]


def test_an_override_replaces_the_checks_own_score_and_says_what_that_was(book: GradeBook) -> None:
    made = make_class(1, common=2, checks=0, status=lambda *_: "fail")
    sheet(book)
    column = book.columns.get(key="license:mit-license")
    kept = GradeOverride.objects.create(column=column, submission=made.submissions[0], score=0.5, note="It is there, misspelt.")
    (row,) = rows(book)
    cell = row.cells[column.pk]
    assert (cell.status, cell.score, cell.reason, cell.was, cell.override_id) == ("override", 0.5, "It is there, misspelt.", "fail", kept.pk)
    assert (cell.result_id, row.total) == (made.result(0, "license:mit-license").pk, 25.0)


def test_an_override_survives_that_the_results_are_replaced(book: GradeBook) -> None:
    made = make_class(1, common=1, checks=0, status=lambda *_: "fail")
    sheet(book)
    GradeOverride.objects.create(column=book.columns.get(), submission=made.submissions[0], score=1.0, note="n")
    CheckResult.objects.all().delete()
    report = made.reports[0, BRIEF, 1]
    CheckResult.objects.create(report=report, kind="license", key="license:mit-license", title="x", status="error")
    (cell,) = rows(book)[0].cells.values()
    assert (cell.score, cell.was, rows(book)[0].rounds[FIRST].open) == (1.0, "error", 0)


def test_the_number_of_queries_does_not_depend_on_the_class_and_no_evidence_is_read(book: GradeBook) -> None:
    counts, texts = [], ""
    for students, briefs in ((2, ("a",)), (30, ("b", "c", "d"))):
        make_class_of(students, briefs)
        sheet(book)
        with CaptureQueriesContext(connection) as queries:
            sheet(book)
        counts.append(len(queries))
        texts += " ".join(query["sql"] for query in queries)
    assert counts == [7, 7]
    for name in ("evidence", "expression", "attachments", "prints", "facts", "sealed_secret"):
        assert f'"{name}"' not in texts


def make_class_of(students: int, briefs: tuple[str, ...]) -> None:
    IssuedTask.objects.filter(round=2).delete()
    IssuedTask.objects.all().delete()
    Submission.every.all().delete()
    made = make_class(students, briefs, rounds=2)
    assert len(made.reports) == students * len(briefs) * 2
