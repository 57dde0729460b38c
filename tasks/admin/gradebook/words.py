"""How scores are written and explained, the same on every page of the grade-book."""

from __future__ import annotations

import re

from tasks.admin import columns
from tasks.classroom.gradebook.sheet import Cell, RoundScore, Row
from tasks.models import GradeBook, GradeColumn

BEGINNING = re.compile(r"!*document\.(querySelector(All)?|getElementById)")
NOT_COUNTED = {
    "error": "not counted: the check itself failed, which is no fault of the student's",
    "skipped": "not counted: it did not apply to this page",
    "undecided": "not counted: the check could not decide",
}
NOTES = {
    "not issued": "This round was not sent to this student.",
    "not accepted": "The service did not accept the task, so nothing could be reported.",
    "not reported": "Nothing was reported, so every check counts 0.",
    "to be evaluated": "It was reported and waits to be evaluated.",
    "could not be evaluated": "It could not be evaluated: a fault of the evaluation, not of the student. It is to be evaluated again.",
}


def points(score: float | None) -> str:
    """A score of 100 with one digit after the point; a dash where there is none yet."""
    return "–" if score is None else f"{score:.1f}"


def share(score: float | None, digits: int = 1) -> str:
    """A check's score in per cent."""
    return "–" if score is None else f"{round(100 * score, digits):g} %"


def short(title: str) -> str:
    """A check's title without what JavaScript checks all begin with, for a narrow column."""
    return BEGINNING.sub("", " ".join(title.split()))


def weight(value: float) -> str:
    return f"{value:g}"


def briefs_of(row: Row) -> list[str]:
    return sorted({brief for brief, _ in row.rounds} | set(row.briefs))


def why_not(column: GradeColumn, cell: Cell) -> str:
    """Why a check is no part of its round's score; empty where it is."""
    if column.is_dropped:
        return "not counted: the check was dropped for everybody"
    if cell.score is None:
        return NOT_COUNTED.get(cell.status, "not counted")
    return "" if column.weight else "not counted: its weight is 0"


def round_note(book: GradeBook, of: RoundScore) -> str:
    """What there is to say of a round beside its score."""
    said = [_standing(of)] if of.state in NOTES else []
    if of.late and book.late_factor != 1:
        said.append(f"The report came late: the score is multiplied by {book.late_factor:g}.")
    if of.open:
        said.append(f"{columns.of(of.open, 'check')} met an error of ours and may still change the score.")
    return " ".join(said)


def _standing(of: RoundScore) -> str:
    if of.state == "not issued" and of.score is not None:
        return "Round 1 was not reported, so this round was not sent; it counts 0."
    if of.state == "not reported" and of.score is None:
        return "A report may still come in time."
    return NOTES[of.state]


def total_of(book: GradeBook, row: Row) -> str:
    """How the total came about, in a sentence."""
    whole, counted = len(row.briefs), len(row.counted)
    if not whole:
        return "No brief counts yet."
    if counted < whole:
        return f"The mean of the {counted} best of {columns.of(whole, 'brief')}." if counted > 1 else f"The best of {columns.of(whole, 'brief')}."
    return f"The mean of {columns.of(whole, 'brief')}." if whole > 1 else "The score of the one brief."


def late_rule(book: GradeBook) -> str:
    """What becomes of a late report, where anything does."""
    return "" if book.late_factor == 1 else f"A late report's score is multiplied by {book.late_factor:g}."
