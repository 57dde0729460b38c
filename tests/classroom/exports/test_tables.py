"""The exports as CSV: parsed back they are the sheet, and no cell is a formula."""

from __future__ import annotations

import csv
from io import BytesIO, StringIO
from typing import Any

import pytest
from django.conf import LazySettings

from tasks.classroom.exports import grades, results
from tasks.csv_cells import plain
from tasks.models import CheckResult, GradeColumn, IssuedTask, RepoReport, Submission
from tests.classroom.exports.conftest import Course

HOSTILE = ["=cmd|'/C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "＝1+1", "a;=b", "'quoted", 'say "hi", twice', "two\nlines"]


def table(export: Any, course: Course) -> list[dict[str, str]]:
    out = BytesIO()
    export.write(course.book, out)
    text = out.getvalue().decode("utf-8-sig")
    found = list(csv.DictReader(StringIO(text, newline=""), strict=True))
    names = next(csv.reader(StringIO(text, newline="")))
    assert len(set(names)) == len(names)
    return found


def test_results_has_the_courses_columns_and_a_line_for_each_check_that_counts(course: Course) -> None:
    found = table(results, course)
    assert tuple(found[0]) == results.COLUMNS
    cells = [cell for row in course.sheet.rows for cell in row.cells.values() if cell.result_id is not None]
    assert len(found) == len(cells) == CheckResult.objects.count()
    assert [line["email"] for line in found] == sorted(line["email"] for line in found)
    first = found[0]
    report = course.made.reports[0, "bar-chart", 1]
    assert (first["task"], first["round"], first["repo_url"], first["commit_sha"]) == (
        report.issued.task,
        "1",
        report.repo_url,
        report.commit_sha,
    )
    assert (first["check"], first["score"], first["reason"]) == ("LICENSE is the MIT license", "", "error: GitHub did not answer.")
    scores = sorted(line["score"] for line in found if line["score"])
    assert scores == sorted(str(result.score) for result in CheckResult.objects.exclude(status="error"))
    assert first["logs"] == 'seen: ["line 0", "line 1", "line 2"]'


def test_only_reports_that_count_are_among_the_results(course: Course) -> None:
    late = course.made.reports[0, "bar-chart", 1]
    again = RepoReport.objects.create(issued=late.issued, repo_url="https://x.example.org/r", commit_sha="9" * 40, pages_url="p", is_late=True)
    CheckResult.objects.create(report=again, kind="page", key="page:x", title="never seen", status="fail")
    assert "never seen" not in {line["check"] for line in table(results, course)}
    Submission.every.update(is_practice=True)
    assert table(results, course) == []


def test_the_grade_book_has_a_line_for_each_student_with_the_sheets_numbers(course: Course) -> None:
    found, sheet = table(grades, course), course.sheet
    assert [line["email"] for line in found] == [row.email for row in sheet.rows]
    titles = grades.titles(sheet.columns)
    for line, row in zip(found, sheet.rows, strict=True):
        assert float(line["total"]) == pytest.approx(row.total, abs=1e-4)
        assert {name: float(line[name]) for name in row.briefs} == pytest.approx(row.briefs, abs=1e-4)
        for (brief, round), scored in row.rounds.items():
            said = line[f"{brief} r{round}"]
            assert float(said) == pytest.approx(scored.score, abs=1e-4) if scored.score is not None else said == scored.state
        for column, title in zip(sheet.columns, titles, strict=True):
            cell = row.cells[column.pk]
            assert line[title] == (cell.status if cell.score is None else str(cell.score))
    assert found[1]["late"] == "bar-chart r1, sales-total r1"
    assert plain(found[1]["overrides"]).endswith(": 0.5 instead of pass, =half; it is there")
    assert found[0]["counted"] in ("bar-chart", "sales-total")
    assert found[2]["total"] == "0.0"


def test_checks_of_one_name_keep_columns_of_their_own(course: Course) -> None:
    GradeColumn.objects.update(title="the same")
    names = grades.header(course.sheet)
    assert len(set(names)) == len(names)
    assert "bar-chart r1: the same (v0-check-1)" in names


@pytest.mark.parametrize("text", HOSTILE)
def test_no_cell_is_a_formula_and_nothing_of_it_is_lost(text: str, course: Course) -> None:
    CheckResult.objects.update(title=text, reason=text, status="fail", evidence={})
    GradeColumn.objects.update(title=text)
    IssuedTask.objects.update(task=text)
    RepoReport.objects.update(repo_url=text)
    for export in (results, grades):
        found = table(export, course)
        values = [value for line in found for pair in line.items() for value in pair]
        assert [value for value in values if value[:1] in tuple("=+-@\t＝")] == []
    line = table(results, course)[0]
    assert [plain(line[name]) for name in ("task", "repo_url", "check", "reason")] == [text] * 4


def test_an_empty_course_is_a_head_without_lines(db: None) -> None:
    from tasks.classroom.gradebook import books

    for export in (results, grades):
        out = BytesIO()
        export.write(books.default_book(), out)
        assert len(out.getvalue().decode("utf-8-sig").splitlines()) == 1


@pytest.mark.parametrize(
    ("evidence", "line"),
    [
        ({"found": "x", "seen": [1, 2]}, "found: x; seen: [1, 2]"),
        (["a"], 'evidence: ["a"]'),
        ("two\nlines", "evidence: two lines"),
        ({"a": "x" * 900}, "a: " + "x" * 596 + "…"),
    ],
)
def test_evidence_is_told_in_one_line(evidence: Any, line: str) -> None:
    assert results.short(evidence) == line


def test_no_secret_of_the_installation_leaves_with_the_results(course: Course, settings: LazySettings) -> None:
    settings.GITHUB_TOKEN = "a-token-of-this-installation"
    CheckResult.objects.update(reason=f"It said {settings.GITHUB_TOKEN}.", status="fail", evidence={"console": [settings.GITHUB_TOKEN]})
    out = BytesIO()
    results.write(course.book, out)
    assert settings.GITHUB_TOKEN not in out.getvalue().decode()
    assert "[redacted" in out.getvalue().decode()
