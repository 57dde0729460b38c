"""What the checks said."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString

from tasks.admin import columns
from tasks.admin.badges import badge
from tasks.admin.base import is_list
from tasks.admin.evidence_lines import lines
from tasks.admin.pipeline import OfRound
from tasks.models import CheckResult


@admin.register(CheckResult)
class CheckResultAdmin(OfRound):
    list_display = ("name", "state", "why", "round_link", "kind", "seen_on", "made")
    list_filter = ("status", "kind", "source", "guards", "created_at")
    list_select_related = ("round__task_request", "version__task_request", "deployment")
    search_fields = ("title", "reason", "expression", "round__task_request__task", "round__task_request__email")
    fields = (
        *("title", "state", "reason", "round_link", "seen_on", "kind", "source", "guards", "score"),
        *("code", "seen", "took", "made"),
    )
    readonly_fields = ("state", "round_link", "seen_on", "code", "seen", "took", "made")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        queryset = cast("QuerySet[Any]", super().get_queryset(request)).filter(report=None).select_related(*self.list_select_related)
        queryset = queryset.defer("round__brief", "round__checks", "version__prompt", "version__raw_answer")
        return queryset.defer("evidence", "expression") if is_list(request) else queryset

    @admin.display(description="check", ordering="title")
    def name(self, row: CheckResult) -> str:
        return columns.one_line(row.title, 70)

    @admin.display(description="verdict", ordering="status")
    def state(self, row: CheckResult) -> SafeString:
        return badge(row.status)

    @admin.display(description="looked at")
    def seen_on(self, row: CheckResult) -> str:
        return columns.looked_at(row)

    @admin.display(description="expression")
    def code(self, row: CheckResult) -> SafeString:
        return format_html('<pre class="d-code d-wrap">{}</pre>', row.expression) if row.expression else format_html("{}", "–")

    @admin.display(description="evidence")
    def seen(self, row: CheckResult) -> SafeString:
        shown = lines(row.evidence)
        return render_to_string("admin/tasks/_evidence.html", {"lines": shown}) if shown else format_html("{}", "–")

    @admin.display(description="reason")
    def why(self, row: CheckResult) -> str:
        return columns.one_line(row.reason, 110) or "–"

    @admin.display(description="took", ordering="seconds")
    def took(self, row: CheckResult) -> str:
        return columns.units(row.seconds)

    @admin.display(description="made (UTC)", ordering="created_at")
    def made(self, row: CheckResult) -> SafeString:
        return columns.when(row.created_at)
