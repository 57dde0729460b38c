"""How students' services answered: a list to look at."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from tasks.admin import columns
from tasks.admin.base import ReadOnlyAdmin
from tasks.admin.filters import PracticeOfIssued
from tasks.models import IssueTry


@admin.register(IssueTry)
class IssueTryAdmin(ReadOnlyAdmin):
    list_display = ("label", "issued_link", "answer_code", "reason", "took", "started")
    list_filter = (PracticeOfIssued, "status_code", "started_at")
    list_select_related = ("issued__submission",)
    search_fields = ("issued__submission__email", "issued__task", "url", "error")
    fields = ("issued_link", "number", "target", "answer_code", "took", "error", "answer", "started")
    readonly_fields = ("issued_link", "target", "answer_code", "took", "started")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return cast("QuerySet[Any]", super().get_queryset(request)).defer("issued__brief", "issued__checks", "issued__attachments")

    @admin.display(description="try", ordering="number")
    def label(self, row: IssueTry) -> str:
        return f"#{row.number}"

    @admin.display(description="issued task", ordering="issued")
    def issued_link(self, row: Any) -> SafeString:
        return columns.inside(row.issued)

    @admin.display(description="sent to", ordering="url")
    def target(self, row: IssueTry) -> SafeString:
        return format_html("<code>{}</code>", row.url)

    @admin.display(description="answer", ordering="status_code")
    def answer_code(self, row: IssueTry) -> str:
        return f"HTTP {row.status_code}" if row.status_code else "none"

    @admin.display(description="reason")
    def reason(self, row: IssueTry) -> str:
        return columns.one_line(row.error, 110) or "–"

    @admin.display(description="took", ordering="seconds")
    def took(self, row: IssueTry) -> str:
        return columns.units(row.seconds)

    @admin.display(description="started (UTC)", ordering="started_at")
    def started(self, row: IssueTry) -> SafeString:
        return columns.when(row.started_at)
