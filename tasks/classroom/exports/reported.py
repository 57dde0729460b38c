"""The reports that a sheet's rounds stand for, with what the exports tell of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tasks.classroom.gradebook import books
from tasks.classroom.gradebook.cells import Sheet
from tasks.models import RepoReport

FIELDS = ("pk", "issued__task", "repo_url", "commit_sha", "pages_url", "received_at", "evaluated_at", "seconds")


@dataclass(frozen=True, slots=True)
class Reported:
    id: int
    task: str
    repo_url: str
    commit_sha: str
    pages_url: str
    received_at: datetime
    evaluated_at: datetime | None
    seconds: float | None


def load(found: Sheet) -> dict[int, Reported]:
    """By id. One that was pruned since its book was locked is not there."""
    wanted = {scored.report_id for row in found.rows for scored in row.rounds.values()}
    rows = RepoReport.objects.filter(issued__in=books.issued_tasks(found.book)).order_by().values_list(*FIELDS)
    return {row[0]: Reported(*row) for row in rows.iterator(chunk_size=2_000) if row[0] in wanted}
