"""The service itself: its workers and the write budgets of its tokens."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.contrib import admin
from django.utils import timezone
from django.utils.safestring import SafeString

from tasks.admin import columns
from tasks.admin.badges import badge
from tasks.admin.base import ReadOnlyAdmin
from tasks.admin.state import SILENT_AFTER_SECONDS
from tasks.models import Worker, WriteBudget


@admin.register(Worker)
class WorkerAdmin(ReadOnlyAdmin):
    list_display = ("name", "state", "heartbeat", "processes", "restarts", "last_job", "up", "started")
    list_filter = ("host", ("stopped_at", admin.EmptyFieldListFilter))
    search_fields = ("name", "host")
    fields = ("name", "host", "pid", "state", "heartbeat", "processes", "restarts", "last_job", "up", "started")
    readonly_fields = ("state", "heartbeat", "last_job", "up", "started")

    @admin.display(description="state")
    def state(self, worker: Worker) -> SafeString:
        if worker.stopped_at:
            return badge("stopped")
        silent = worker.seen_at < timezone.now() - timedelta(seconds=SILENT_AFTER_SECONDS)
        return badge("silent" if silent else "alive")

    @admin.display(description="last heartbeat", ordering="seen_at")
    def heartbeat(self, worker: Worker) -> str:
        return f"{columns.units((timezone.now() - worker.seen_at).total_seconds())} ago"

    @admin.display(description="last job", ordering="progress_at")
    def last_job(self, worker: Worker) -> str:
        return f"{columns.units((timezone.now() - worker.progress_at).total_seconds())} ago" if worker.progress_at else "none yet"

    @admin.display(description="up for")
    def up(self, worker: Worker) -> str:
        return columns.units(((worker.stopped_at or timezone.now()) - worker.started_at).total_seconds())

    @admin.display(description="started (UTC)", ordering="started_at")
    def started(self, worker: Worker) -> SafeString:
        return columns.when(worker.started_at)


@admin.register(WriteBudget)
class WriteBudgetAdmin(ReadOnlyAdmin):
    list_display = ("token", "last_minute", "last_hour", "blocked")
    fields = ("token", "last_minute", "last_hour", "blocked")
    readonly_fields = fields

    @admin.display(description="token (hash)")
    def token(self, budget: WriteBudget) -> str:
        return budget.key[:10]

    def _since(self, budget: WriteBudget, seconds: int) -> int:
        edge = timezone.now().timestamp() - seconds
        return sum(isinstance(stamp, int | float) and stamp >= edge for stamp in budget.stamps)

    @admin.display(description="writes in the last minute")
    def last_minute(self, budget: WriteBudget) -> str:
        return f"{self._since(budget, 60)} of {settings.GITHUB_WRITES_PER_MINUTE or 'any'}"

    @admin.display(description="writes in the last hour")
    def last_hour(self, budget: WriteBudget) -> str:
        return f"{self._since(budget, 3600)} of {settings.GITHUB_WRITES_PER_HOUR or 'any'}"

    @admin.display(description="blocked by GitHub")
    def blocked(self, budget: WriteBudget) -> str:
        if budget.blocked_until and budget.blocked_until > timezone.now():
            return f"for {columns.units((budget.blocked_until - timezone.now()).total_seconds())}"
        return "no"
