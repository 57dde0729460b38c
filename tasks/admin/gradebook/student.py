"""One student's scores and how they came about. The context of `_student.html`, which the admin and the student's own view share: nothing in here
looks at who reads, and every link comes from the caller."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.utils.safestring import SafeString

from tasks.admin import columns, pictures
from tasks.admin.badges import badge
from tasks.admin.gradebook import marks, words
from tasks.classroom.gradebook.sheet import Cell, RoundScore, Row, Sheet, sheet
from tasks.classroom.gradebook.standing import NOT_ISSUED
from tasks.models import GradeBook, GradeColumn, RepoReport, Submission

CellUrl = Callable[[GradeColumn], str]


@dataclass(frozen=True)
class Check:
    """One check of a round. `score` and `weight` are texts; `counts` is False where it is no part of the round's score."""

    title: str
    kind: str
    badge: SafeString
    was: SafeString | str
    score: str
    weight: str
    counts: bool
    why_not: str
    reason: str
    by_hand: bool
    url: str


@dataclass
class RoundOf:
    """One round: its score or the state that it is in, what was reported, and every check that applies to this student."""

    number: int
    score: str
    badge: SafeString
    late: SafeString | str
    note: str
    report_url: str = ""
    links: list[tuple[str, SafeString]] = field(default_factory=list)
    pictures: list[pictures.Picture] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)


@dataclass
class Brief:
    name: str
    score: str
    counts: bool
    rounds: list[RoundOf] = field(default_factory=list)


def student_context(
    book: GradeBook,
    submission: Submission,
    *,
    image: Callable[[int], str] = pictures.image_url,
    report: Callable[[int], str] | None = None,
    cell: CellUrl | None = None,
) -> dict[str, Any]:
    """What `_student.html` needs. `image` is the address of a screenshot's image by its id; `report` that of a report's page
    and `cell` that of the form which overrides a check, where the reader has such pages. `found` is False where no brief of the book was issued."""
    shown = sheet(book, emails=[submission.pk])
    row = next((row for row in shown.rows if row.submission_id == submission.pk), None)
    if row is None or all(of.state == NOT_ISSUED for of in row.rounds.values()):
        return {"book": book, "student": submission.email, "found": False, "briefs": []}
    reports = {found.pk: found for found in _reports(row)}
    shots = pictures.of_reports(reports, image)
    return {
        "book": book,
        "student": row.email,
        "found": True,
        "total": words.points(row.total),
        "total_meter": f"{max(0.0, min(100.0, row.total)):.1f}",
        "how": words.total_of(book, row),
        "late_rule": words.late_rule(book),
        "briefs": [_brief(name, shown, row, reports, shots, report, cell) for name in words.briefs_of(row)],
    }


def _reports(row: Row) -> list[RepoReport]:
    ids = [of.report_id for of in row.rounds.values() if of.report_id is not None]
    return list(RepoReport.objects.filter(pk__in=ids).only("pk", "repo_url", "pages_url", "commit_sha", "received_at", "error", "is_late"))


def _brief(
    name: str,
    shown: Sheet,
    row: Row,
    reports: dict[int, RepoReport],
    shots: dict[int, list[pictures.Picture]],
    report: Callable[[int], str] | None,
    cell: CellUrl | None,
) -> Brief:
    made = Brief(name, words.points(row.briefs.get(name)), name in row.counted)
    for (brief, number), of in sorted(row.rounds.items()):
        if brief != name:
            continue
        one = RoundOf(
            number, words.points(of.score), badge(f"score {of.state}"), badge("report late") if of.late else "", words.round_note(shown.book, of)
        )
        held = reports.get(of.report_id or 0)
        if held is not None:
            one.links = _links(held)
            one.report_url = report(held.pk) if report else ""
            one.pictures = shots.get(held.pk, [])
        own = [column for column in shown.columns if (column.brief_id, column.round) == (brief, number)]
        one.checks = [_check(column, row.cells[column.pk], of, cell) for column in own if column.pk in row.cells and row.cells[column.pk].status]
        made.rounds.append(one)
    return made


def _links(held: RepoReport) -> list[tuple[str, SafeString]]:
    commit = columns.out(columns.commit_url(held.repo_url, held.commit_sha) or held.commit_sha[:10], held.commit_sha[:10])
    received = columns.when(held.received_at)
    return [("page", columns.out(held.pages_url)), ("repository", columns.out(held.repo_url)), ("commit", commit), ("reported (UTC)", received)]


def _check(column: GradeColumn, of: Cell, within: RoundScore, cell: CellUrl | None) -> Check:
    return Check(
        title=column.title,
        kind=column.kind,
        badge=badge(marks.state(of)),
        was=badge(of.was) if of.was else "",
        score=words.share(of.score),
        weight=words.weight(column.weight),
        counts=of.score is not None and not column.is_dropped,
        why_not=words.why_not(column, of),
        reason=of.reason,
        by_hand=of.override_id is not None,
        url=cell(column) if cell else "",
    )
