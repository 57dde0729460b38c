"""A row of the sheet as JSON and back: what `Grade.detail` holds of one student when the book is locked."""

from __future__ import annotations

from collections.abc import Collection
from operator import attrgetter
from typing import Any

from tasks.classroom.gradebook.cells import NOT_ASKED, Cell, RoundScore, Row
from tasks.models import Grade, GradeBook

_CELL = attrgetter(*Cell.__slots__)
_ROUND = attrgetter(*RoundScore.__slots__)


def pack(row: Row) -> dict[str, Any]:
    """Cells and rounds as lists, in the order of their fields; a check that is not asked of the student is left out."""
    return {
        "cells": {str(column): _CELL(cell) for column, cell in row.cells.items() if cell != NOT_ASKED},
        "not_asked": [column for column, cell in row.cells.items() if cell == NOT_ASKED],
        "rounds": [_ROUND(scored) for scored in row.rounds.values()],
        "briefs": row.briefs,
        "counted": sorted(row.counted),
    }


def unpack(submission_id: int, email: str, score: float, detail: dict[str, Any]) -> Row:
    cells = {int(column): Cell(*held) for column, held in detail["cells"].items()} | dict.fromkeys(detail["not_asked"], NOT_ASKED)
    rounds = {(scored.brief_id, scored.round): scored for scored in (RoundScore(*held) for held in detail["rounds"])}
    return Row(submission_id, email, cells, rounds, detail["briefs"], frozenset(detail["counted"]), score)


def rows(book: GradeBook, chosen: Collection[int] | None = None) -> list[Row]:
    """What is kept of the book, of the chosen submissions or of all, in the order of the addresses."""
    wanted = None if chosen is None else set(chosen)
    grades = Grade.objects.filter(book=book).order_by("submission__email")
    found = grades.values_list("submission_id", "submission__email", "score", "detail")
    return [unpack(*held) for held in found if wanted is None or held[0] in wanted]
