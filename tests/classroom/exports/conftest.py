"""A small class in which everything occurs that an export has a word for."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tasks.classroom.gradebook import books, changes
from tasks.classroom.gradebook.sheet import Sheet, sheet
from tasks.models import CheckResult, GradeBook
from tests.classroom.graded import Graded, make_class


@dataclass
class Course:
    book: GradeBook
    made: Graded

    @property
    def sheet(self) -> Sheet:
        return sheet(self.book)


@pytest.fixture
def course(db: None) -> Course:
    """Student 1 is late, student 2 reported nothing, student 3 has another variant; an error of ours, an override, a dropped check."""
    made = make_class(
        4,
        ("bar-chart", "sales-total"),
        rounds=2,
        common=2,
        checks=2,
        variant=lambda student, *_: int(student == 3),
        late=lambda student, brief, round: student == 1 and round == 1,
        reported=lambda student, *_: student != 2,
        issued=lambda student, brief, round: student != 2 or round == 1,
        shots=True,
    )
    book = books.default_book()
    sheet(book)
    changes.set_rules(book, late_factor=0.5, best_of=1)
    error = made.result(0, "license:mit-license", "bar-chart")
    CheckResult.objects.filter(pk=error.pk).update(status="error", score=0.0, reason="GitHub did not answer.")
    column = book.columns.get(brief_id="bar-chart", round=1, key="v0-check-1")
    changes.override(column, made.submissions[1], 0.5, "=half; it is there")
    dropped = book.columns.get(brief_id="bar-chart", round=2, key="readme:readme-md")
    changes.set_columns(book, {dropped.pk: (1.0, True), column.pk: (3.0, False)})
    return Course(book, made)
