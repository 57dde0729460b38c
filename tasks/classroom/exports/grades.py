"""The grade-book as a table for a spreadsheet: one line for each student.

Scores of rounds, briefs and the total are 0 to 100, those of checks 0 to 1; where one does not count, its cell says why in a word. `link` is the
student's own view of it all, which opens once the book is published.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from tasks import csv_cells
from tasks.classroom.exports.sink import Sink
from tasks.classroom.gradebook.cells import Cell, Row, Sheet
from tasks.classroom.gradebook.sheet import sheet
from tasks.classroom.links import report_url
from tasks.models import GradeBook, GradeColumn

DIGITS = 4
BESIDE = ("late", "counted", "overrides", "link")


def write(book: GradeBook, out: Sink, found: Sheet | None = None) -> None:
    for text in lines(found or sheet(book)):
        out.write(text.encode())


def lines(found: Sheet) -> Iterator[str]:
    return csv_cells.lines(header(found), (cells(found, row) for row in found.rows))


def header(found: Sheet) -> list[str]:
    briefs, rounds = _parts(found)
    return ["email", "total", *briefs, *(f"{brief} r{round}" for brief, round in rounds), *titles(found.columns), *BESIDE]


def cells(found: Sheet, row: Row) -> list[Any]:
    briefs, rounds = _parts(found)
    scored = [row.rounds[place] for place in rounds]
    late = [f"{one.brief_id} r{one.round}" for one in scored if one.late]
    return [
        row.email,
        round(row.total, DIGITS),
        *(round(row.briefs[brief], DIGITS) if brief in row.briefs else "" for brief in briefs),
        *(one.state if one.score is None else round(one.score, DIGITS) for one in scored),
        *(_cell(row.cells[column.pk]) for column in found.columns),
        ", ".join(late),
        ", ".join(sorted(row.counted)),
        "; ".join(notes(found.columns, row)),
        report_url(found.book, row.submission_id),
    ]


def titles(columns: list[GradeColumn]) -> list[str]:
    """`brief r1: title` of each column; with the check's key where two would be called the same."""
    plain = [f"{column.brief_id} r{column.round}: {column.title}" for column in columns]
    times = Counter(plain)
    return [title if times[title] == 1 else f"{title} ({column.key})" for title, column in zip(plain, columns, strict=True)]


def notes(columns: list[GradeColumn], row: Row) -> Iterator[str]:
    for column in columns:
        cell = row.cells[column.pk]
        if cell.override_id is not None:
            yield f"{column.brief_id} r{column.round} {column.title}: {cell.score:g} instead of {cell.was or 'nothing'}, {cell.reason}"


def _parts(found: Sheet) -> tuple[list[str], list[tuple[str, int]]]:
    """All briefs and rounds that any student was issued."""
    rounds = list(found.rows[0].rounds) if found.rows else []
    return list(dict.fromkeys(brief for brief, _ in rounds)), rounds


def _cell(cell: Cell) -> Any:
    return cell.status if cell.score is None else round(cell.score, DIGITS)
