"""The course's `results` table: what every check of the counted reports said, with neither weights nor overrides.

The course's description lists `email` twice among its columns, a slip; here it stands once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tasks import csv_cells
from tasks.classroom.exports.sink import Clean, Sink, cleaner
from tasks.classroom.gradebook import standing
from tasks.models import CheckResult, GradeBook, RepoReport

COLUMNS = ("timestamp", "email", "task", "round", "repo_url", "commit_sha", "pages_url", "check", "score", "reason", "logs")
AT_ONCE = 100  # reports whose results are held at a time
MOST_LOGS = 600  # characters of evidence
SCORED = (CheckResult.Status.PASS, CheckResult.Status.FAIL)


def write(book: GradeBook, out: Sink) -> None:
    for text in lines(book):
        out.write(text.encode())


def lines(book: GradeBook) -> Iterator[str]:
    """The table piece by piece, by address, brief and round."""
    return csv_cells.lines(COLUMNS, rows(book))


def rows(book: GradeBook) -> Iterator[tuple[Any, ...]]:
    standings = standing.load(book)
    counted = [
        one.report_id for pk in standings.people for _, one in sorted(standings.of[pk].items(), key=lambda item: item[0]) if one.report_id is not None
    ]
    clean = cleaner()
    for start in range(0, len(counted), AT_ONCE):
        chunk = counted[start : start + AT_ONCE]
        fields = ("pk", "issued__submission__email", "issued__task", "issued__round", "repo_url", "commit_sha", "pages_url")
        reports = {pk: rest for pk, *rest in RepoReport.objects.filter(pk__in=chunk).order_by().values_list(*fields)}
        said: dict[int | None, list[tuple[Any, ...]]] = {}
        found = CheckResult.objects.filter(report__in=chunk).order_by("pk")
        for pk, *result in found.values_list("report_id", "created_at", "title", "status", "score", "reason", "evidence"):
            said.setdefault(pk, []).append(tuple(result))
        for report in chunk:
            for created_at, *result in said.get(report, ()):
                yield (created_at, *reports[report], *_verdict(tuple(result), clean))


def _verdict(result: tuple[Any, ...], clean: Clean) -> tuple[Any, ...]:
    """check, score, reason, logs. No score, and the verdict before the reason, where it is neither passed nor failed."""
    title, status, score, reason, evidence = result
    decided = status in SCORED
    told = reason if decided else f"{status}: {reason}"
    return (title, score if decided else None, clean(told) if told else "", clean(short(evidence)) if evidence else "")


def short(evidence: Any) -> str:
    """Evidence of any JSON shape in one line."""
    pairs = evidence.items() if isinstance(evidence, dict) else [("evidence", evidence)]
    said = "; ".join(f"{name}: {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}" for name, value in pairs)
    line = " ".join(said.split())
    return line if len(line) <= MOST_LOGS else f"{line[: MOST_LOGS - 1]}…"
