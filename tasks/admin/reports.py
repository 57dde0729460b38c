"""Reports: what students' services reported, what became of it, and the way to have it evaluated again."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin
from django.db.models import Count, F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from tasks.admin import columns, report_page
from tasks.admin.again import Again
from tasks.admin.badges import badge
from tasks.admin.base import PageAdmin, is_list
from tasks.admin.filters import OurErrors, PracticeOfIssued
from tasks.admin.gradebook.marks import sign
from tasks.admin.rounds import STOP_POLLING
from tasks.admin.tiles import may_see
from tasks.models import CheckResult, GradeBook, IssuedTask, RepoReport, Submission


def verdicts_held(status: str) -> Coalesce:
    """How many check results of that status a report has: asked for the rows of the page alone."""
    rows = CheckResult.objects.filter(report=OuterRef("pk"), status=status).order_by().values("report")
    return Coalesce(Subquery(rows.annotate(number=Count("pk")).values("number")), 0)


@admin.register(RepoReport)
class RepoReportAdmin(Again, PageAdmin):
    list_display = ("who", "brief", "state_badge", "checks", "in_time", "links", "received")
    list_filter = (PracticeOfIssued, "issued__brief_id", "issued__round", "state", "is_late", OurErrors, "received_at")
    list_select_related = ("issued__submission",)
    search_fields = ("issued__submission__email", "issued__task", "repo_url", "commit_sha")
    search_help_text = "e-mail, task, repository or commit"
    list_before_template = "admin/tasks/report/_before_list.html"
    page_template = "admin/tasks/report/page.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[RepoReport]:
        queryset = cast("QuerySet[RepoReport]", super().get_queryset(request)).select_related("issued__submission")
        queryset = queryset.defer("prints", "issued__submission__sealed_secret", "issued__attachments")
        if not is_list(request):
            return queryset
        return queryset.defer(
            "prints", "facts", "issued__brief", "issued__checks", "issued__attachments", "issued__submission__sealed_secret"
        ).annotate(passed=verdicts_held("pass"), failed=verdicts_held("fail"), errors=verdicts_held("error"))

    # -- columns --------------------------------------------------------------------------------------------------------------------------

    @admin.display(description="who, task", ordering="issued__submission__email")
    def who(self, row: RepoReport) -> SafeString:
        return format_html("<bdi>{}</bdi><br><small>{}</small>", row.issued.submission.email, columns.one_line(row.issued.task, 60))

    @admin.display(description="brief, round", ordering="issued__brief_id")
    def brief(self, row: RepoReport) -> SafeString:
        return format_html("<bdi>{}</bdi><br><small>round {}</small>", columns.one_line(row.issued.brief_id, 40), row.issued.round)

    @admin.display(description="state", ordering="state")
    def state_badge(self, row: RepoReport) -> SafeString:
        return badge(f"report {row.state}", row.error)

    @admin.display(description="checks passed", ordering=F("passed"))
    def checks(self, row: Any) -> SafeString:
        """Of those that count: what was skipped or left undecided does not."""
        counting = row.passed + row.failed
        if not counting and not row.errors:
            return format_html("{}", "–")
        ours = format_html(" {}", sign("our error", columns.of(row.errors, "error") + " of ours")) if row.errors else ""
        return format_html('<span class="d-time">{} of {}{}</span>', row.passed, counting, ours)

    @admin.display(description="in time?", ordering="is_late")
    def in_time(self, row: RepoReport) -> SafeString:
        return badge("report late" if row.is_late else "report in time")

    @admin.display(description="links")
    def links(self, row: RepoReport) -> SafeString:
        return format_html("{}<br>{}", columns.out(row.pages_url, "page"), columns.out(row.repo_url, "repository"))

    @admin.display(description="received (UTC)", ordering="received_at")
    def received(self, row: RepoReport) -> SafeString:
        return columns.when(row.received_at)

    # -- the page -------------------------------------------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        live = path("<path:object_id>/live/", self.admin_site.admin_view(require_safe(self.live_view)), name="tasks_reporeport_live")
        return [live, *super().get_urls()]

    def page_context(self, request: HttpRequest, row: RepoReport) -> dict[str, Any]:
        student = row.issued.submission
        pages = may_see(request, GradeBook) and not student.is_practice
        return {
            **report_page.page_context(row, (lambda book: reverse("admin:tasks_gradebook_student", args=[book.pk, student.pk])) if pages else None),
            "may_evaluate": self.has_evaluate_permission(request),
            "issued_link": columns.inside(row.issued) if may_see(request, IssuedTask) else row.issued.task,
            "student_link": columns.inside(student, "submission") if may_see(request, Submission) and not student.is_practice else "",
        }

    def live_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The moving part; the poll ends with a report that is evaluated or could not be."""
        row = self.row_or_403(request, object_id)
        if row is None:
            return HttpResponse(status=404)
        context = {**report_page.body(row), "may_evaluate": self.has_evaluate_permission(request)}
        status = 200 if context["open"] else STOP_POLLING
        response = render(request, "admin/tasks/report/_live.html", context, status=status)
        response["Cache-Control"] = "no-store"
        return response
