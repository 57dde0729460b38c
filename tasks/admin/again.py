"""Evaluate again: one report, the chosen ones, or all of the class that met an error of ours."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST

from tasks.admin import columns, state
from tasks.admin.base import PageAdmin, post_url
from tasks.classroom.evaluating import queue
from tasks.models import RepoReport


def of_class(reports: QuerySet[RepoReport]) -> QuerySet[RepoReport]:
    return reports.filter(issued__submission__is_practice=False)


class Again(PageAdmin):
    actions: Any = ("evaluate_chosen",)

    def has_evaluate_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("tasks.evaluate_reporeport")

    def get_urls(self) -> list[URLPattern]:
        errors = path("errors/again/", self.admin_site.admin_view(require_POST(self.errors_view)), name="tasks_reporeport_errors")
        return [errors, post_url(self, "again", self.again_view), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        shown = {"may_evaluate": self.has_evaluate_permission(request), "ours": of_class(queue.with_our_errors()).count()}
        return super().changelist_view(request, {**(extra_context or {}), **shown})

    def again_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.row_or_403(request, object_id)
        if not self.has_evaluate_permission(request):
            raise PermissionDenied
        if row is None:
            return HttpResponse(status=404)
        self._again(request, RepoReport.objects.filter(pk=row.pk))
        return HttpResponseRedirect(columns.admin_url(row))

    def errors_view(self, request: HttpRequest) -> HttpResponse:
        """All of the class with an error of ours."""
        if not self.has_evaluate_permission(request):
            raise PermissionDenied
        self._again(request, of_class(queue.with_our_errors()))
        return HttpResponseRedirect(reverse("admin:tasks_reporeport_changelist"))

    @admin.action(permissions=["evaluate"], description="Evaluate again (any state but being evaluated)")
    def evaluate_chosen(self, request: HttpRequest, queryset: QuerySet[RepoReport]) -> None:
        self._again(request, RepoReport.objects.filter(pk__in=queryset.order_by().values("pk")))

    def _again(self, request: HttpRequest, queryset: QuerySet[RepoReport]) -> None:
        ids = list(queryset.exclude(state=RepoReport.State.RUNNING).order_by().values_list("pk", flat=True))
        chosen = RepoReport.objects.filter(pk__in=ids)
        number = queue.evaluate_again(chosen)
        LogEntry.objects.log_actions(
            cast(int, request.user.pk), chosen.select_related("issued").only("issued__task", "issued__round"), CHANGE, "asked to be evaluated again"
        )
        self.message_user(request, f"{columns.of(number, 'report')} will be evaluated again by a worker; scores set by hand stay.")
        if number and not state.workers_alive():
            self.message_user(request, "No worker is running: start one with manage.py worker.", messages.WARNING)
