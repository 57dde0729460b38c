"""Agents: their keys, what they measured and what they logged."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.utils.safestring import SafeString
from rest_framework_api_key.admin import APIKeyModelAdmin
from rest_framework_api_key.models import APIKey

from tasks.admin import columns
from tasks.admin.badges import badge
from tasks.admin.base import Downloads, List, ReadOnlyAdmin
from tasks.models import AgentKey, IdempotencyKey, LogFile, Result

admin.site.unregister(APIKey)  # ours has a role


@admin.register(AgentKey)
class AgentKeyAdmin(APIKeyModelAdmin, List):
    """Made and revoked here; the key is shown once, when it is made."""

    list_display = ("name", "role", "state", "prefix", "made", "used")
    list_filter = ("role", "revoked")  # type: ignore[assignment]
    search_fields = ("name", "prefix")
    fields = ("name", "role", "expiry_date", "revoked", "prefix")
    actions: Any = ()

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False  # revoked keys stay, so that history keeps its names

    @admin.display(description="state")
    def state(self, key: AgentKey) -> SafeString:
        return badge("refused" if key.revoked else "stopped" if key.has_expired else "alive", "revoked" if key.revoked else "")

    @admin.display(description="made (UTC)", ordering="created")
    def made(self, key: AgentKey) -> SafeString:
        return columns.when(key.created)

    @admin.display(description="last used (UTC)", ordering="last_used_at")
    def used(self, key: AgentKey) -> SafeString:
        return columns.when(key.last_used_at)


@admin.register(Result)
class ResultAdmin(ReadOnlyAdmin):
    list_display = ("number", "task_link", "version_link", "agent", "accuracy", "loss", "run_time", "passed", "made")
    list_filter = ("passed", "created_at")
    list_select_related = ("task_request", "version__task_request", "log")
    search_fields = ("agent", "task_request__name", "task_request__task")
    fields = ("task_link", "version_link", "agent", "accuracy", "loss", "run_time", "passed", "metrics", "log_link", "made")
    readonly_fields = ("task_link", "version_link", "log_link", "made")

    @admin.display(description="result", ordering="id")
    def number(self, result: Result) -> str:
        return f"#{result.pk}"

    @admin.display(description="task", ordering="task_request")
    def task_link(self, result: Result) -> SafeString:
        return columns.inside(result.task_request)

    @admin.display(description="version", ordering="version")
    def version_link(self, result: Result) -> SafeString:
        return columns.inside(result.version)

    @admin.display(description="log")
    def log_link(self, result: Result) -> SafeString:
        return columns.inside(result.log)

    @admin.display(description="posted (UTC)", ordering="created_at")
    def made(self, result: Result) -> SafeString:
        return columns.when(result.created_at)


@admin.register(LogFile)
class LogFileAdmin(Downloads):
    list_display = ("filename", "task_link", "agent", "length", "modified")
    list_filter = ("modified_at",)
    list_select_related = ("task_request",)
    search_fields = ("filename", "agent", "task_request__name", "task_request__task")
    fields = ("filename", "task_link", "agent", "length", "modified", "content")
    readonly_fields = ("task_link", "length", "modified")

    def file_of(self, row: LogFile) -> tuple[str, bytes]:
        return row.filename, row.content.encode()

    @admin.display(description="task", ordering="task_request")
    def task_link(self, row: LogFile) -> SafeString:
        return columns.inside(row.task_request)

    @admin.display(description="size", ordering="size")
    def length(self, row: LogFile) -> str:
        return columns.size(row.size)

    @admin.display(description="modified (UTC)", ordering="modified_at")
    def modified(self, row: LogFile) -> SafeString:
        return columns.when(row.modified_at)


@admin.register(IdempotencyKey)
class IdempotencyKeyAdmin(ReadOnlyAdmin):
    list_display = ("key", "agent", "route", "status_code", "created_at")
    search_fields = ("key", "agent")
    fields = ("key", "agent", "route", "status_code", "answer", "created_at")
