"""results.json as Gradescope's autograder harness reads it, one for each student.

https://gradescope-autograders.readthedocs.io/en/latest/specs/. The score above the tests is the grade-book's total, since late reports and best-of
make it another number than the tests' sum; `extra_data` says of how much. A test that does not count has no score, and its output says why.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZipFile

from tasks.classroom.exports import reported
from tasks.classroom.exports.names import folders
from tasks.classroom.exports.reported import Reported
from tasks.classroom.exports.sink import Clean, cleaner
from tasks.classroom.gradebook.cells import Cell, Row, Sheet
from tasks.classroom.gradebook.sheet import sheet
from tasks.models import GradeBook, GradeColumn
from tasks.redaction import redact

VISIBILITY = "after_published"
MOST = 100.0  # of the whole score
DIGITS = 4
NOT_COUNTED = {
    "error": "The evaluation had an error of its own here: it does not count, and may be run again.",
    "skipped": "This check was not run; it does not count.",
    "undecided": "This check could not be decided; it does not count.",
    "absent": "Nothing was reported yet.",
}


def write(book: GradeBook, out: IO[bytes], found: Sheet | None = None) -> None:
    """A zip of `<e-mail>/results.json`."""
    found, clean = found or sheet(book), cleaner()
    reports, named = reported.load(found), folders(row.email for row in found.rows)
    with ZipFile(out, "w", ZIP_DEFLATED) as zipped:
        for row in found.rows:
            zipped.writestr(f"{named[row.email]}/results.json", encoded(document(found, row, reports, clean)))


def encoded(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")


def document(found: Sheet, row: Row, reports: Mapping[int, Reported], clean: Clean = redact) -> dict[str, Any]:
    mine = [reports[scored.report_id] for scored in row.rounds.values() if scored.report_id is not None and scored.report_id in reports]
    asked = [column for column in found.columns if not column.is_dropped and row.cells[column.pk].status]
    open_ = sum(scored.open for scored in row.rounds.values())
    return {
        "score": round(row.total, DIGITS),
        "execution_time": round(sum(one.seconds or 0.0 for one in mine)),
        "output": _output(row, open_),
        "output_format": "text",
        "visibility": VISIBILITY,
        "stdout_visibility": "hidden",
        "tests": [_test(column, row.cells[column.pk], number, clean) for number, column in enumerate(asked, 1)],
        "extra_data": {
            "email": row.email,
            "max_score": MOST,
            "grade_book": found.book.name,
            "briefs": row.briefs,
            "counted": sorted(row.counted),
            "rounds": [
                {"brief": one.brief_id, "round": one.round, "score": one.score, "late": one.late, "state": one.state} for one in row.rounds.values()
            ],
            "errors_of_the_evaluation": open_,
        },
    }


def _test(column: GradeColumn, cell: Cell, number: int, clean: Clean) -> dict[str, Any]:
    where = {"brief": column.brief_id, "round": column.round, "key": column.key, "status": cell.status, "was": cell.was}
    test: dict[str, Any] = {
        "number": str(number),
        "name": f"{column.brief_id} round {column.round}: {column.title}",
        "visibility": VISIBILITY,
        "extra_data": where,
    }
    if cell.score is None:
        return {**test, "output": f"{NOT_COUNTED.get(cell.status, '')} {clean(cell.reason)}".strip()}
    score = {"score": round(column.weight * cell.score, DIGITS), "max_score": column.weight}
    status = cell.status if cell.status in ("pass", "fail") else "pass" if cell.score == 1 else "fail"
    said = f"Set by a person: {cell.reason}" if cell.override_id is not None else cell.reason
    return {**test, **score, "status": "passed" if status == "pass" else "failed", "output": clean(said) if said else ""}


def _output(row: Row, open_: int) -> str:
    told = []
    for one in row.rounds.values():
        score = one.state if one.score is None else f"{one.score:.1f} of {MOST:g}"
        told.append(f"{one.brief_id} round {one.round}: {score}{' (late)' if one.late else ''}")
    if open_:
        told.append(f"Errors of the evaluation: {open_}. They do not count and may still change the score.")
    return "\n".join(told)
