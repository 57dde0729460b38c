"""Issued tasks: what was sent to whom, how the service answered, what it reported; and the way to send again what did not arrive."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from tasks.admin import columns
from tasks.admin.badges import badge
from tasks.admin.base import PageAdmin, is_list
from tasks.admin.evidence_lines import lines
from tasks.admin.filters import PracticeFilter
from tasks.admin.issuing import Issuing
from tasks.admin.tiles import may_see
from tasks.classroom import issue, sending
from tasks.models import IssuedTask, RepoReport, Submission

SHOWN = 100  # tries and reports on a page


@admin.register(IssuedTask)
class IssuedTaskAdmin(Issuing, PageAdmin):
    actions: Any = ("send_again",)
    list_display = ("who", "brief_id", "round", "state", "tries", "trouble", "in_time", "sent")
    list_filter = (PracticeFilter, "status", "brief_id", "round", "status_code", "sent_at")
    list_select_related = ("submission",)
    list_before_template = "admin/tasks/issuedtask/_before_list.html"
    search_fields = ("submission__email", "task", "nonce", "brief_id")
    search_help_text = "e-mail, task, nonce or brief"
    page_template = "admin/tasks/issuedtask/page.html"

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("tasks.change_issuedtask")

    def may_see_students(self, request: HttpRequest) -> bool:
        site = self.admin_site
        return site.is_registered(Submission) and site.get_model_admin(Submission).has_view_permission(request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[IssuedTask]:
        queryset = cast("QuerySet[IssuedTask]", super().get_queryset(request)).select_related("submission")
        reports = RepoReport.objects.filter(issued=OuterRef("pk")).order_by()
        queryset = queryset.annotate(reported=Exists(reports), reported_in_time=Exists(reports.filter(is_late=False)))
        queryset = queryset.defer("submission__sealed_secret")
        return queryset.defer("brief", "checks", "attachments") if is_list(request) else queryset

    @admin.display(description="who, task", ordering="submission__email")
    def who(self, row: IssuedTask) -> SafeString:
        return format_html("<bdi>{}</bdi><br><small>{}</small>", row.submission.email, columns.one_line(row.task, 60))

    @admin.display(description="state", ordering="status")
    def state(self, row: IssuedTask) -> SafeString:
        return badge(f"issue {row.status}", row.error)

    @admin.display(description="last error", ordering="error")
    def trouble(self, row: IssuedTask) -> str:
        return columns.one_line(row.error, 110) or "–"

    @admin.display(description="report")
    def in_time(self, row: IssuedTask) -> SafeString:
        if getattr(row, "reported", False):
            return badge("report in time" if getattr(row, "reported_in_time", False) else "report late")
        if row.sent_at is None:
            return format_html("{}", "–")
        return badge("report awaited" if row.deadline_at is not None and timezone.now() <= row.deadline_at else "report missing")

    @admin.display(description="sent (UTC)", ordering="sent_at")
    def sent(self, row: IssuedTask) -> SafeString:
        return columns.when(row.sent_at)

    # -- the page ------------------------------------------------------------------------------------------------------------------------

    def page_context(self, request: HttpRequest, row: IssuedTask) -> dict[str, Any]:
        reports = row.reports.all()[:SHOWN]
        return {
            "issued": row,
            "title": f"{row.task} round {row.round}",
            "badge": self.state(row),
            "report_badge": self.in_time(row),
            "student": columns.inside(row.submission) if self.may_see_students(request) else row.submission.email,
            "first": columns.inside(row.first) if row.first else "",
            "checks": lines(row.checks),
            "files": [str(item.get("name", "")) if isinstance(item, dict) else str(item) for item in row.attachments],
            "history": [{"row": made, "took": columns.units(made.seconds)} for made in row.history.all()[:SHOWN]],
            "reports": [report_line(made, linked=may_see(request, RepoReport)) for made in reports],
        }

    # -- actions -------------------------------------------------------------------------------------------------------------------------

    @admin.action(permissions=["change"], description="Send again (those given up or with a lost answer; same nonce)")
    def send_again(self, request: HttpRequest, queryset: QuerySet[IssuedTask]) -> None:
        count = issue.take_up(IssuedTask.objects.filter(pk__in=queryset.order_by().values("pk")))
        sending.enqueue_when_due()
        self.message_user(request, f"{columns.of(count, 'task')} to be sent again by the workers; the others were neither given up nor uncertain.")


def report_line(row: RepoReport, *, linked: bool) -> dict[str, Any]:
    links = {"repo": columns.out(row.repo_url), "page": columns.out(row.pages_url), "commit": columns.commit_url(row.repo_url, row.commit_sha)}
    links["own"] = columns.inside(row, f"report {row.pk}") if linked else ""
    return {"row": row, **links, "badge": badge(f"report {row.state}", row.error), "time": badge("report late" if row.is_late else "report in time")}
