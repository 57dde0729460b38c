"""How students' services answered, and what they reported: lists to look at."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from tasks.admin import columns
from tasks.admin.badges import badge
from tasks.admin.base import ReadOnlyAdmin
from tasks.models import IssueTry, RepoReport


@admin.register(IssueTry)
class IssueTryAdmin(ReadOnlyAdmin):
    list_display = ("label", "issued_link", "answer_code", "reason", "took", "started")
    list_filter = ("status_code", "started_at")
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


@admin.register(RepoReport)
class RepoReportAdmin(ReadOnlyAdmin):
    list_display = ("issued_link", "student", "state_badge", "in_time", "repeats", "repository", "page", "received")
    list_filter = ("state", "is_late", "received_at")
    list_select_related = ("issued__submission",)
    search_fields = ("issued__submission__email", "issued__task", "repo_url", "commit_sha")
    fields = ("issued_link", "student", "state_badge", "in_time", "repeats", "repository", "commit_sha", "page", "error", "received", "evaluated_at")
    readonly_fields = ("issued_link", "student", "state_badge", "in_time", "repository", "page", "received")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        queryset = cast("QuerySet[Any]", super().get_queryset(request)).select_related("issued__submission")
        return queryset.defer("issued__brief", "issued__checks", "issued__attachments", "issued__submission__sealed_secret")

    @admin.display(description="issued task", ordering="issued")
    def issued_link(self, row: RepoReport) -> SafeString:
        return columns.inside(row.issued)

    @admin.display(description="who", ordering="issued__submission__email")
    def student(self, row: RepoReport) -> str:
        return row.issued.submission.email

    @admin.display(description="state", ordering="state")
    def state_badge(self, row: RepoReport) -> SafeString:
        return badge(f"report {row.state}", row.error)

    @admin.display(description="in time?", ordering="is_late")
    def in_time(self, row: RepoReport) -> SafeString:
        return badge("report late" if row.is_late else "report in time")

    @admin.display(description="repository", ordering="repo_url")
    def repository(self, row: RepoReport) -> SafeString:
        return columns.out(row.repo_url)

    @admin.display(description="page", ordering="pages_url")
    def page(self, row: RepoReport) -> SafeString:
        return columns.out(row.pages_url)

    @admin.display(description="received (UTC)", ordering="received_at")
    def received(self, row: RepoReport) -> SafeString:
        return columns.when(row.received_at)
