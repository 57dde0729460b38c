"""Lists as CSV, for a spreadsheet or a grade-book: what an instructor wants to sort and count by, without briefs and files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone

from tasks import csv_cells
from tasks.admin import verdicts
from tasks.admin.base import List, ReadOnlyAdmin
from tasks.admin.downloads import kept
from tasks.models import CheckResult, Deployment, NotificationAttempt, Round

Columns = dict[str, Callable[[Any], Any]]
AT_ONCE = 500  # rows that are read and held at a time


class Exporting(List):
    """Adds the action, for whoever holds `export_right`: looking at a list of persons is not enough to carry it away."""

    export_columns: ClassVar[Columns]
    export_right: ClassVar[str]

    def has_export_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(self.export_right))

    def export_rows(self, queryset: QuerySet[Any]) -> Iterator[Any]:
        return queryset.iterator(chunk_size=AT_ONCE)

    @admin.action(permissions=["export"], description="Export as CSV (any state, changes nothing)")
    def export_as_csv(self, request: HttpRequest, queryset: QuerySet[Any]) -> StreamingHttpResponse:
        rows = ([read(row) for read in self.export_columns.values()] for row in self.export_rows(queryset))
        name = f"{self.opts.verbose_name_plural}-{timezone.now():%Y-%m-%d}.csv"
        return StreamingHttpResponse(csv_cells.lines(self.export_columns, rows), content_type="text/csv; charset=utf-8", headers=kept(name))


class Exports(Exporting, ReadOnlyAdmin):
    """Of records: for whoever may take up rounds."""

    export_right = "tasks.change_round"


# -- rounds ----------------------------------------------------------------------------------------------------------------------------


def rounds(queryset: QuerySet[Round]) -> Iterator[Round]:
    """With what the columns read beside the row, in a constant number of queries for each `AT_ONCE` rounds."""
    parts = (
        Prefetch("deployments", Deployment.objects.only("round_id", "repo_url", "pages_url", "commit_sha"), to_attr="commits"),
        Prefetch("notifications", NotificationAttempt.objects.only("round_id", "outcome", "status_code"), to_attr="deliveries"),
        Prefetch("check_results", CheckResult.objects.only("round_id", "version_id", "deployment_id", "status"), to_attr="results"),
    )
    plain = queryset.select_related("task_request", "version").defer("brief", "checks", "extra", "version__prompt", "version__raw_answer")
    return plain.prefetch_related(None).prefetch_related(*parts).iterator(chunk_size=AT_ONCE)


def _deployed(name: str) -> Callable[[Any], Any]:
    return lambda row: getattr(row.commits[0], name) if row.commits else ""


def _of_version(name: str) -> Callable[[Any], Any]:
    return lambda row: getattr(row.version, name) if row.version else ""


def _delivered(name: str) -> Callable[[Any], Any]:
    return lambda row: getattr(row.deliveries[0], name) if row.deliveries else ""


def _judged(row: Any) -> list[str]:
    """The statuses of the checks that count now."""
    return verdicts.counting([(check.status, check.version_id, check.deployment_id) for check in row.results], row.commits, row.version_id)


def _seconds(row: Round) -> str:
    return f"{(row.notified_at - row.received_at).total_seconds():.1f}" if row.notified_at else ""


ROUND: Columns = {
    "id": lambda row: row.uuid,
    "email": lambda row: row.task_request.email,
    "task": lambda row: row.task_request.task or row.task_request.name,
    "round": lambda row: row.number,
    "nonce": lambda row: row.nonce,
    "status": lambda row: row.status,
    "stage": lambda row: row.stage,
    "degraded": lambda row: row.degraded_id,
    "degraded_reason": lambda row: row.degraded,
    "error": lambda row: row.error_id,
    "error_reason": lambda row: row.error,
    "received_at": lambda row: row.received_at,
    "deadline_at": lambda row: row.deadline_at,
    "live_at": lambda row: row.live_at,
    "notified_at": lambda row: row.notified_at,
    "seconds_to_notification": _seconds,
    "in_time": lambda row: bool(row.notified_at and row.notified_at <= row.deadline_at),
    "repo_url": _deployed("repo_url"),
    "commit_sha": _deployed("commit_sha"),
    "pages_url": _deployed("pages_url"),
    "checks_passed": lambda row: _judged(row).count("pass"),
    "checks": lambda row: len(_judged(row)),
    "deliveries": lambda row: len(row.deliveries),
    "last_delivery": _delivered("outcome"),
    "last_answer": _delivered("status_code"),
    "version": _of_version("number"),
    "model": _of_version("model"),
    "tokens_in": _of_version("tokens_in"),
    "tokens_out": _of_version("tokens_out"),
    "cost_usd": _of_version("cost"),
}

# -- tasks -----------------------------------------------------------------------------------------------------------------------------

TASK: Columns = {
    "id": lambda row: row.pk,
    "email": lambda row: row.email,
    "task": lambda row: row.task,
    "name": lambda row: row.name,
    "dataset": lambda row: row.dataset,
    "creator": lambda row: row.creator_agent,
    "rounds": lambda row: row.round_count,
    "newest_round": lambda row: row.latest_status,
    "repo_url": lambda row: row.repo_url if row.repo_created else "",
    "pages_url": lambda row: row.pages_url if row.repo_created else "",
    "created_at": lambda row: row.created_at,
}

# -- submissions -----------------------------------------------------------------------------------------------------------------------

SUBMISSION: Columns = {
    "email": lambda row: row.email,
    "endpoint": lambda row: row.endpoint,
    "takes_part": lambda row: row.is_active,
    "submitted_at": lambda row: row.submitted_at,
    "probe": lambda row: row.probe,
    "probe_detail": lambda row: row.probe_detail,
    "probe_ms": lambda row: row.probe_ms,
    "probed_at": lambda row: row.probed_at,
    "issued": lambda row: row.issued_count,
    "note": lambda row: row.note,
}
