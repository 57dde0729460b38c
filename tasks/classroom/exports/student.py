"""All of one student as JSON: what a person reads who was sent the file alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tasks.classroom.exports.reported import Reported
from tasks.classroom.exports.sink import Clean
from tasks.classroom.gradebook.cells import Row, Sheet
from tasks.redaction import redact


def document(found: Sheet, row: Row, reports: Mapping[int, Reported], clean: Clean = redact) -> dict[str, Any]:
    """Scores, links, checks with their weights, overrides; of a check that is not asked of this student nothing."""
    checks: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for column in found.columns:
        cell = row.cells[column.pk]
        if cell.status:
            told = {"key": column.key, "title": column.title, "kind": column.kind, "weight": column.weight, "dropped": column.is_dropped}
            said = {"status": cell.status, "score": cell.score, "reason": clean(cell.reason) if cell.reason else "", "was": cell.was}
            checks.setdefault((column.brief_id, column.round), []).append(told | said)
    return {
        "email": row.email,
        "grade_book": found.book.name,
        "total": row.total,
        "briefs": row.briefs,
        "counted": sorted(row.counted),
        "rounds": [
            {
                "brief": one.brief_id,
                "round": one.round,
                "score": one.score,
                "state": one.state,
                "late": one.late,
                "errors_of_the_evaluation": one.open,
                "report": _report(reports.get(one.report_id or 0)),
                "checks": checks.get(place, []),
            }
            for place, one in row.rounds.items()
        ],
    }


def _report(one: Reported | None) -> dict[str, Any] | None:
    if one is None:
        return None
    told = {"task": one.task, "repo_url": one.repo_url, "commit_sha": one.commit_sha, "pages_url": one.pages_url}
    return told | {"received_at": one.received_at.isoformat(), "evaluated_at": one.evaluated_at.isoformat() if one.evaluated_at else None}
