"""The grade-book as a table: students × checks, with each round's, each brief's and the whole score.

`sheet(book)` computes it from the rows as they are now, in the same few queries for any number of students; of a locked book it gives what was
kept when it was locked. Checks that have no column yet get theirs on the way.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from tasks.classroom.gradebook import books, columns, kept, scoring, standing
from tasks.classroom.gradebook.cells import NOT_ASKED, Cell, RoundScore, Row, Sheet
from tasks.classroom.gradebook.standing import Place, Standing, Standings
from tasks.models import CheckResult, GradeBook, GradeColumn, GradeOverride

__all__ = ["Cell", "RoundScore", "Row", "Sheet", "sheet"]

SCORED = (CheckResult.Status.PASS, CheckResult.Status.FAIL)
ERROR = CheckResult.Status.ERROR.value


ABSENT = Cell("absent", 0.0, "Nothing was reported.")
AWAITED = Cell("absent", None, "A report may still come.")
UNLOOKED = Cell("undecided", None, "The report is not evaluated yet.")
Results = Mapping[int, Mapping[str, tuple[int, str, float, str]]]  # by report and key: id, status, score, reason


@dataclass
class _Part:
    """The columns of one round. `counts`: not all of them are dropped or weigh nothing; a round without any column counts too."""

    columns: list[tuple[GradeColumn, int | None]] = field(default_factory=list)  # each with the variant that it belongs to
    counts: bool = True


def sheet(book: GradeBook, *, emails: Collection[int] | None = None) -> Sheet:
    """`emails`: ids of the submissions that are wanted; None: everybody of the course who was issued one of its briefs."""
    if book.locked_at is not None:
        return Sheet(book, columns.of(book), kept.rows(book, emails))
    standings = standing.load(book, emails)
    results = _results(standings)
    shown = columns.of(book)
    if _unknown(standings, results, shown) and columns.sync(book):
        shown = columns.of(book)
    overrides = {(row.column_id, row.submission_id): row for row in GradeOverride.objects.filter(column__book=book).order_by()}
    parts: dict[Place, _Part] = {place: _Part() for place in standings.places}
    for column in shown:
        parts.setdefault((column.brief_id, column.round), _Part()).columns.append((column, columns.variant_of(column.key)))
    for part in parts.values():
        part.counts = not part.columns or any(column.weight > 0 and not column.is_dropped for column, _ in part.columns)
    rows = [_row(book, pk, email, standings.of.get(pk, {}), parts, results, overrides) for pk, email in standings.people.items()]
    return Sheet(book, shown, rows)


def _results(standings: Standings) -> Results:
    found: dict[int, dict[str, tuple[int, str, float, str]]] = {}
    rows = CheckResult.objects.filter(report__in=books.counted_reports(standings.issued)).order_by("pk")
    for report, key, pk, status, score, reason in rows.values_list("report_id", "key", "pk", "status", "score", "reason"):
        found.setdefault(report or 0, {})[key] = (pk, status, score, reason)
    return found


def _unknown(standings: Standings, results: Results, shown: list[GradeColumn]) -> bool:
    known = {(column.brief_id, column.round, column.key) for column in shown}
    reported = ((place, one.report_id) for places in standings.of.values() for place, one in places.items() if one.report_id)
    return any((*place, key) not in known for place, report in reported for key in results.get(report, ()) if key)


def _row(
    book: GradeBook,
    pk: int,
    email: str,
    stands: Mapping[Place, Standing],
    parts: Mapping[Place, _Part],
    results: Results,
    overrides: Mapping[tuple[int, int], GradeOverride],
) -> Row:
    cells: dict[int, Cell] = {}
    rounds: dict[Place, RoundScore] = {}
    for place, part in parts.items():
        one = stands.get(place) or _not_issued(stands.get((place[0], 1)))
        said = results.get(one.report_id or 0, {})
        own = {column.pk: _cell(column, variant, one, said, overrides.get((column.pk, pk))) for column, variant in part.columns}
        cells |= own
        rounds[place] = _round(place, one, part, own, book.late_factor if one.late else 1.0)
    by_brief: dict[str, list[float | None]] = {}
    for (brief, _), scored in rounds.items():
        by_brief.setdefault(brief, []).append(scored.score)
    briefs = {brief: score for brief, scores in by_brief.items() if (score := scoring.mean(scores)) is not None}
    counted = scoring.best(briefs, book.best_of)
    return Row(pk, email, cells, rounds, briefs, counted, scoring.total(briefs, counted))


def _not_issued(first: Standing | None) -> Standing:
    """A round that others got. Who did not report round 1 is given no other one, and gets nothing for it; for anybody else it is not there."""
    missed = first is not None and first.report_id is None and first.is_settled
    return Standing(-1, standing.NOT_ISSUED, is_settled=missed)


def _cell(column: GradeColumn, variant: int | None, one: Standing, said: Mapping[str, Any], override: GradeOverride | None) -> Cell:
    if variant is not None and variant != one.variant:
        return NOT_ASKED
    cell = _found(column, one, said)
    if override is None or one.state == standing.NOT_ISSUED:
        return cell
    return Cell("override", _share(override.score), override.note, cell.result_id, override.pk, cell.status)


def _found(column: GradeColumn, one: Standing, said: Mapping[str, Any]) -> Cell:
    """What the check said."""
    if one.report_id is None:
        if one.is_settled:
            return ABSENT
        return NOT_ASKED if one.state == standing.NOT_ISSUED else AWAITED
    if column.key in said:
        pk, status, score, reason = said[column.key]
        return Cell(status, _share(score) if status in SCORED else None, reason, pk)
    return NOT_ASKED if said or one.state == "evaluated" else UNLOOKED


def _round(place: Place, one: Standing, part: _Part, own: Mapping[int, Cell], factor: float) -> RoundScore:
    counting = [column for column, _ in part.columns if not column.is_dropped]
    score = scoring.round_score(((column.weight, own[column.pk].score) for column in counting), factor=factor)
    if score is None and one.report_id is None and one.is_settled and part.counts:
        score = 0.0  # nobody of their variant has reported, so that there is no column to be absent from
    unsure = sum(own[column.pk].status == ERROR for column in counting)
    return RoundScore(*place, score, one.report_id, one.late, one.state, unsure)


def _share(score: float) -> float:
    return min(1.0, max(0.0, score))
