"""The grade-book's page: students × checks, the class in numbers, and what a reader may see of it."""

from __future__ import annotations

import re

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tasks.admin.gradebook import numbers, words
from tasks.classroom.gradebook import changes, locking
from tasks.classroom.gradebook.sheet import sheet
from tasks.models import CheckResult, GradeBook, IssuedTask, RepoReport, Submission
from tests.admin.conftest import PIXEL, staff
from tests.classroom.graded import make_class

pytestmark = pytest.mark.django_db


@pytest.fixture
def book() -> GradeBook:
    return GradeBook.objects.create(name="Course")


def url(name: str, book: GradeBook, *args: int) -> str:
    return reverse(f"admin:tasks_gradebook_{name}", args=[book.pk, *args])


def page(client: Client, book: GradeBook, name: str = "change", *args: int, **query: object) -> str:
    answer = client.get(url(name, book, *args), query)
    assert answer.status_code == 200
    return answer.content.decode()


def emails(text: str) -> list[str]:
    """Of the table's rows, in their order."""
    return re.findall(r"<th scope=\"row\"[^>]*><a[^>]*><bdi>([^<]*)</bdi>", text)


def test_every_student_stands_beside_every_check_with_totals_and_numbers_of_the_class(boss, book):
    make_class(3, rounds=2, checks=2, common=3)

    text = page(boss, book)

    assert emails(text) == [f"student{number:04}@example.org" for number in range(3)]
    assert text.count('class="d-mark d-green" href') + text.count('class="d-mark d-red" href') == 3 * 2 * 5
    for row in sheet(book).rows:
        assert f'<td class="d-num d-total">{row.total:.1f}</td>' in text
    assert text.count('<rect class="d-bar"') == sum(bar.count > 0 for bar in numbers.spread(sheet(book).rows))


def test_a_cell_says_what_the_check_said_and_an_error_of_ours_is_marked(boss, book):
    made = make_class(1)
    CheckResult.objects.filter(pk=made.result(0, "license:mit-license").pk).update(status="error", reason="GitHub answered 502")

    text = page(boss, book)

    assert "LICENSE is the MIT license: error of ours, GitHub answered 502" in text
    assert "1 check met an error of ours and may still change the score" in text


def test_where_there_is_no_score_the_state_is_said(boss, book):
    made = make_class(4, reported=lambda student, *_: student in (1, 2), rounds=1)
    made.issued[3, "sales-total", 1].status = "given_up"
    made.issued[3, "sales-total", 1].save()
    RepoReport.objects.filter(pk=made.reports[2, "sales-total", 1].pk).update(state="error")

    text = page(boss, book)

    for word in ("not reported", "not accepted", "could not be evaluated"):
        assert f"</span>{word}</span>" in text


@pytest.mark.parametrize(("sort", "first"), [("email", 0), ("total", 1), ("-total", 2), ("state", 3), ("nonsense", 0)])
def test_rows_are_sorted_by_address_total_or_what_needs_a_look(boss, book, sort, first):
    scores = {0: "fail", 1: "fail", 2: "pass", 3: "fail"}
    made = make_class(4, common=2, checks=2, status=lambda student, check, round: "pass" if check == 1 and student != 1 else scores[student])
    CheckResult.objects.filter(pk=made.result(3, "readme:readme-md").pk).update(status="error")

    assert emails(page(boss, book, sort=sort))[0] == f"student{first:04}@example.org"


def test_a_part_of_the_address_narrows_the_rows_and_the_numbers_stay_those_of_the_class(boss, book):
    make_class(12)

    text = page(boss, book, q="0011")

    assert emails(text) == ["student0011@example.org"]
    assert re.search(r"students</span><strong>12</strong>", text)


def test_fifty_rows_stand_on_a_page(boss, book):
    make_class(53, common=1, checks=0)

    assert len(emails(page(boss, book))) == 50
    assert emails(page(boss, book, p=2)) == [f"student{number:04}@example.org" for number in (50, 51, 52)]
    assert len(emails(page(boss, book, p="x"))) == 50


def test_a_class_ten_times_as_large_asks_no_more_of_the_database(boss, book):
    def queries() -> list[int]:
        found = []
        for name, args in (("change", ()), ("pictures", ()), ("similar", ()), ("weights", ()), ("student", (Submission.objects.first().pk,))):
            with CaptureQueriesContext(connection) as captured:
                page(boss, book, name, *args)
            found.append(len(captured))
        return found

    make_class(10, shots=True)
    queries()  # makes the columns
    few = queries()
    IssuedTask.objects.all().delete()  # with their reports and all that hangs on them
    Submission.every.all().delete()
    make_class(100, shots=True)

    assert queries() == few


def test_an_empty_book_says_what_to_do(boss, book):
    assert "Nothing of this grade-book" in page(boss, book)


def test_a_locked_book_shows_what_was_kept(boss, book):
    made = make_class(1)
    sheet(book)
    locking.lock(book)
    before = sheet(book).rows[0].total
    CheckResult.objects.filter(report=made.reports[0, "sales-total", 1]).update(status="fail", score=0)

    text = page(boss, book)

    assert f'<td class="d-num d-total">{before:.1f}</td>' in text
    assert "Locked on" in text


# -- a student's page, pictures, hints ----------------------------------------------------------------------------------------------------


def test_a_students_page_says_how_the_total_came_about(boss, book):
    made = make_class(1, ("a-brief", "b-brief", "c-brief"), late=lambda student, brief, round: brief == "c-brief", shots=True)
    changes.set_rules(book, best_of=2, late_factor=0.5)
    column = sheet(book).columns[0]
    changes.override(column, made.submissions[0], 0.25, "Handed in on paper.")
    changes.set_columns(book, {sheet(book).columns[1].pk: (3.0, False), sheet(book).columns[2].pk: (1.0, True)})

    text = page(boss, book, "student", made.submissions[0].pk)

    for part in (
        "The mean of the 2 best of 3 briefs.",
        "does not count: others were better",
        "The report came late: the score is multiplied by 0.5.",
        "Set by hand:",
        "Handed in on paper.",
        "25 %",
        "not counted: the check was dropped for everybody",
        "https://s0.github.io/",
        "desktop, 1280 × 800",
    ):
        assert part in text
    assert words.points(sheet(book).rows[0].total) in text


def test_somebody_who_was_issued_nothing_has_no_score_and_practice_has_no_page(boss, book):
    make_class(1)
    other = Submission.objects.create(email="other@example.org", endpoint="https://o.example.org", submitted_at=timezone.now())
    assert "No brief of this grade-book was issued to" in page(boss, book, "student", other.pk)

    Submission.every.filter(pk=other.pk).update(is_practice=True)

    assert boss.get(url("student", book, other.pk)).status_code == 404


def test_the_contact_sheet_shows_the_desktop_pictures_of_one_round(boss, book):
    made = make_class(2, rounds=2, shots=True)
    desktops = {report.screenshots.get(name="desktop").pk: place for place, report in made.reports.items()}

    text = page(boss, book, "pictures", brief="sales-total", round=2)

    shown = {int(pk) for pk in re.findall(r"/screenshot/(\d+)/image/", text)}
    assert {desktops[pk] for pk in shown} == {(0, "sales-total", 2), (1, "sales-total", 2)}
    assert text.count('loading="lazy"') == 2


def test_similar_reports_stand_side_by_side_and_are_called_a_hint(boss, book):
    prints = {"files": {"index.html": "a" * 40}, "marks": list(range(100))}
    alone = {"files": {"index.html": "b" * 40}, "marks": list(range(500, 600))}
    make_class(4, prints=lambda student, *_: prints if student < 2 else alone | {"files": {}, "marks": [student]})

    text = page(boss, book, "similar")

    assert "hints and no verdict" in text
    assert "student0000@example.org" in text and "student0001@example.org" in text
    assert "student0002@example.org" not in text
    assert len(re.findall(r"/admin/tasks/reporeport/\d+/change/", text.split('class="d-page')[1])) == 2


# -- export -------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "begin", "kind"),
    [
        ("results", b"\xef\xbb\xbf", "text/csv"),
        ("grades", b"\xef\xbb\xbf", "text/csv"),
        ("gradescope", b"PK", "application/zip"),
        ("archive", b"PK", "application/zip"),
    ],
)
def test_each_export_is_a_file_to_keep(boss, book, name, begin, kind):
    make_class(2, shots=True)

    answer = boss.get(url(name, book))

    assert answer.status_code == 200
    assert b"".join(answer.streaming_content).startswith(begin)
    assert answer["Content-Type"].startswith(kind)
    assert answer["Content-Disposition"].startswith(f'attachment; filename="course-{name}-')
    assert answer["Cache-Control"].startswith("private, no-store")
    assert url(name, book) in page(boss, book)


# -- who may what -------------------------------------------------------------------------------------------------------------------------

READ = ("change", "weights", "pictures", "similar", "results", "grades", "gradescope", "archive")
WRITE = ("lock", "unlock", "publish", "withdraw")


@pytest.mark.parametrize("name", READ)
def test_a_page_is_for_whoever_may_see_grade_books(book, name):
    assert Client().get(url(name, book)).status_code == 302
    assert staff("view_reporeport", "view_submission").get(url(name, book)).status_code == 403
    assert staff("view_gradebook").get(url(name, book)).status_code == 200


@pytest.mark.parametrize("name", ["student", "cell"])
def test_a_students_pages_are_for_whoever_may_see_grade_books(book, name):
    made = make_class(1)
    student, column = made.submissions[0].pk, sheet(book).columns[0].pk
    address = url(name, book, *([column, student] if name == "cell" else [student]))

    assert Client().get(address).status_code == 302
    assert staff("view_reporeport", "view_submission").get(address).status_code == 403
    text = staff("view_gradebook").get(address).content.decode().split('class="d-page')[1]
    assert "/admin/tasks/reporeport/" not in text and "/admin/tasks/submission/" not in text


@pytest.mark.parametrize("name", WRITE)
def test_locking_and_publishing_are_for_whoever_may_publish(book, name):
    looks, may = staff("view_gradebook", "change_gradebook"), staff("view_gradebook", "publish_gradebook")
    if name == "unlock":
        locking.lock(book)

    assert looks.post(url(name, book)).status_code == 403
    assert Client().post(url(name, book)).status_code == 302
    assert may.get(url(name, book)).status_code == 405
    assert not LogEntry.objects.exists()
    assert "Publish now" not in page(looks, book)
    assert may.post(url(name, book)).status_code == 302


@pytest.mark.parametrize("name", ["reports", "grades"])
def test_a_picture_of_the_contact_sheet_is_seen_by_whoever_sees_the_sheet(book, name):
    made = make_class(1, shots=True)
    shot = made.reports[0, "sales-total", 1].screenshots.first()
    shot.content, shot.media_type = PIXEL, "image/png"
    shot.save()
    reader = staff("view_reporeport" if name == "reports" else "view_gradebook")

    assert reader.get(reverse("admin:tasks_screenshot_image", args=[shot.pk])).content == PIXEL


# -- lock, publish ------------------------------------------------------------------------------------------------------------------------


def test_lock_and_unlock_say_what_they_did_and_are_noted(boss, book):
    make_class(2)

    assert "with the grades of 2 students" in boss.post(url("lock", book), follow=True).content.decode()
    assert GradeBook.objects.get().locked_by.username == "boss"
    assert "was locked on" in boss.post(url("lock", book), follow=True).content.decode()
    assert "Unlocked" in boss.post(url("unlock", book), follow=True).content.decode()
    assert GradeBook.objects.get().locked_at is None
    assert LogEntry.objects.count() == 2


def test_publish_and_withdraw(boss, book):
    boss.post(url("publish", book))
    assert GradeBook.objects.get().is_published
    assert "Every student sees their own report" in page(boss, book)

    boss.post(url("withdraw", book))
    assert GradeBook.objects.get().publish_at is None


def test_a_locked_book_is_not_deleted(boss, book):
    assert boss.get(url("delete", book)).status_code == 200
    locking.lock(book)

    assert boss.get(url("delete", book)).status_code == 403
    assert boss.post(url("delete", book), {"post": "yes"}).status_code == 403
    assert GradeBook.objects.exists()


def test_the_page_of_a_book_that_is_not_there_leads_back_to_the_list(boss):
    assert boss.get(reverse("admin:tasks_gradebook_change", args=[99])).status_code == 302
    assert boss.get(reverse("admin:tasks_gradebook_weights", args=[99])).status_code == 404
    assert boss.get(reverse("admin:tasks_gradebook_results", args=[99])).status_code == 404


def test_a_post_to_the_sheet_changes_nothing(boss, book):
    assert boss.post(url("change", book), {"name": "other"}).status_code == 403
    assert GradeBook.objects.get().name == "Course"
