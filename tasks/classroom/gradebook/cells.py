"""What a sheet of the grade-book is made of: plain values, which know nothing of the database but ids."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.models import GradeBook, GradeColumn


@dataclass(frozen=True, slots=True)
class Cell:
    """One student, one check. `status`: pass, fail, error, skipped or undecided; "override"; "absent" where nothing is reported; nothing where the
    check is not asked of this student. `score` is 0 to 1, None where it does not count; `was` is what the check itself said under an override."""

    status: str
    score: float | None
    reason: str = ""
    result_id: int | None = None
    override_id: int | None = None
    was: str = ""


@dataclass(frozen=True, slots=True)
class RoundScore:
    """`score` is 0 to 100, None while nothing is decided; `open` counts checks with an error of ours, so that it may still change."""

    brief_id: str
    round: int
    score: float | None
    report_id: int | None
    late: bool
    state: str
    open: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """One student. `cells` by the column's id; `briefs` has those with a score, `counted` those of them that make up the total."""

    submission_id: int
    email: str
    cells: dict[int, Cell]
    rounds: dict[tuple[str, int], RoundScore]
    briefs: dict[str, float]
    counted: frozenset[str]
    total: float


@dataclass(frozen=True)
class Sheet:
    book: GradeBook
    columns: list[GradeColumn]
    rows: list[Row]


NOT_ASKED = Cell("", None)
