"""What was done: stage runs, deployments, deliveries."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from tasks.admin import columns
from tasks.admin.badges import badge
from tasks.admin.base import ReadOnlyAdmin
from tasks.admin.filters import StageFilter
from tasks.models import Deployment, NotificationAttempt, StageRun


class OfRound(ReadOnlyAdmin):
    """A row of a round's history."""

    list_select_related: Any = ("round__task_request",)
    ordering = ("-id",)

    @admin.display(description="round", ordering="round")
    def round_link(self, row: Any) -> SafeString:
        return columns.inside(row.round)


@admin.register(StageRun)
class StageRunAdmin(OfRound):
    list_display = ("run", "state", "took", "what", "round_link", "polls", "started")
    list_filter = (StageFilter, "outcome", "error_id", "started_at")
    search_fields = ("summary", "error_id", "detail", "worker", "round__task_request__task", "round__task_request__email")
    fields = ("round_link", "stage", "attempt", "polls", "state", "summary", "error_id", "detail", "worker", "started", "took")
    readonly_fields = ("round_link", "state", "started", "took")

    @admin.display(description="stage", ordering="stage")
    def run(self, row: StageRun) -> str:
        return f"{row.stage} #{row.attempt}"

    @admin.display(description="outcome", ordering="outcome")
    def state(self, row: StageRun) -> SafeString:
        return badge(row.outcome)

    @admin.display(description="took")
    def took(self, row: StageRun) -> str:
        return columns.units(((row.finished_at or timezone.now()) - row.started_at).total_seconds())

    @admin.display(description="what came of it")
    def what(self, row: StageRun) -> str:
        return columns.one_line(f"{row.error_id}: {row.summary}" if row.error_id else row.summary, 110) or "–"

    @admin.display(description="started (UTC)", ordering="started_at")
    def started(self, row: StageRun) -> SafeString:
        return columns.when(row.started_at)


@admin.register(Deployment)
class DeploymentAdmin(OfRound):
    list_display = ("commit", "round_link", "state", "live_after", "host", "page", "repository", "calls", "created_on")
    list_filter = ("host", "created", "pages_enabled", ("live_at", admin.EmptyFieldListFilter), "created_at")
    search_fields = ("commit_sha", "repo_url", "round__task_request__task", "round__task_request__email")
    fields = (
        *("commit_sha", "commit_link", "tree_sha", "round_link", "version_link", "host", "state", "live_after", "last_look"),
        *("page", "repository", "changed", "removed", "created", "pages_enabled", "calls", "created_on"),
    )
    readonly_fields = ("commit_link", "round_link", "version_link", "state", "live_after", "page", "repository", "calls", "created_on")

    @admin.display(description="commit", ordering="commit_sha")
    def commit(self, row: Deployment) -> str:
        return row.commit_sha[:10]

    @admin.display(description="commit's page")
    def commit_link(self, row: Deployment) -> SafeString:
        return columns.out(columns.commit_url(row.repo_url, row.commit_sha))

    @admin.display(description="version")
    def version_link(self, row: Deployment) -> SafeString:
        return columns.inside(row.version)

    @admin.display(description="state", ordering="live_at")
    def state(self, row: Deployment) -> SafeString:
        return badge("live" if row.live_at else "not live", row.last_look)

    @admin.display(description="live after")
    def live_after(self, row: Deployment) -> str:
        return columns.units((row.live_at - row.created_at).total_seconds()) if row.live_at else "–"

    @admin.display(description="page")
    def page(self, row: Deployment) -> SafeString:
        return columns.out(row.pages_url)

    @admin.display(description="repository")
    def repository(self, row: Deployment) -> SafeString:
        return columns.out(row.repo_url)

    @admin.display(description="host requests", ordering="requests")
    def calls(self, row: Deployment) -> int:
        return row.requests

    @admin.display(description="created (UTC)", ordering="created_at")
    def created_on(self, row: Deployment) -> SafeString:
        return columns.when(row.created_at)


@admin.register(NotificationAttempt)
class NotificationAttemptAdmin(OfRound):
    list_display = ("attempt", "state", "answer_code", "reason", "round_link", "target", "took", "sent")
    list_filter = ("outcome", "status_code", "error_id", "sent_at")
    search_fields = ("url", "error", "answer", "round__task_request__task", "round__task_request__email")
    fields = ("round_link", "number", "state", "target", "answer_code", "took", "error_id", "error", "payload", "answer", "sent")
    readonly_fields = ("round_link", "state", "target", "answer_code", "took", "sent")

    @admin.display(description="delivery", ordering="number")
    def attempt(self, row: NotificationAttempt) -> str:
        return f"#{row.number}"

    @admin.display(description="outcome", ordering="outcome")
    def state(self, row: NotificationAttempt) -> SafeString:
        return badge(row.outcome)

    @admin.display(description="answer", ordering="status_code")
    def answer_code(self, row: NotificationAttempt) -> str:
        return f"HTTP {row.status_code}" if row.status_code else "none"

    @admin.display(description="took", ordering="seconds")
    def took(self, row: NotificationAttempt) -> str:
        return columns.units(row.seconds)

    @admin.display(description="evaluation_url", ordering="url")
    def target(self, row: NotificationAttempt) -> SafeString:
        return format_html('<code title="{}">{}</code>', row.url, columns.one_line(row.url, 60))

    @admin.display(description="reason")
    def reason(self, row: NotificationAttempt) -> str:
        return columns.one_line(row.error or (row.answer if row.outcome != "delivered" else ""), 110) or "–"

    @admin.display(description="sent (UTC)", ordering="sent_at")
    def sent(self, row: NotificationAttempt) -> SafeString:
        return columns.when(row.sent_at)
