"""Rounds: the list that answers an operator's questions without a click, a round's page, and the ways out of a state."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any, cast

from django.contrib import admin
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.safestring import SafeString

from tasks.admin import columns, export, pictures, round_page, state
from tasks.admin.base import SuperuserDeletes, is_list
from tasks.admin.export import Exports
from tasks.admin.filters import RoundNumberFilter, ShowFilter, StageFilter
from tasks.admin.taking_up import TakingUp
from tasks.models import Round, TaskRequest

STOP_POLLING = 286  # htmx cancels a poll at this status: https://htmx.org/docs/#polling


@admin.register(Round)
class RoundAdmin(TakingUp, Exports, SuperuserDeletes):
    actions = (*TakingUp.actions, "export_as_csv")
    export_columns = export.ROUND
    list_display = ("who", "picture", "where", "time_left", "trouble", "links", "received")
    list_filter = (ShowFilter, "status", StageFilter, RoundNumberFilter, ("degraded_id", admin.EmptyFieldListFilter), "received_at")
    list_select_related = ("task_request",)
    list_before_template = "admin/tasks/round/_before_list.html"
    search_fields = (
        "task_request__email",
        "task_request__task",
        "task_request__name",
        "task_request__repo_name",
        "nonce",
        "deployments__commit_sha__istartswith",
    )
    search_help_text = "e-mail, task, repository, nonce, start of a commit, or the public id"
    page_template = "admin/tasks/round/page.html"

    # -- permissions: changing a round means taking it up again; its fields are history ---------------------------------------------------

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.has_perm("tasks.change_round")

    # -- queryset -------------------------------------------------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[Round]:
        queryset = cast("QuerySet[Round]", super().get_queryset(request)).select_related("task_request")
        return pictures.with_pictures(queryset.defer("brief", "checks", "extra")) if is_list(request) else queryset

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> tuple[QuerySet[Any], bool]:
        try:
            return queryset.filter(Q(uuid=uuid.UUID(search_term.strip()))), False
        except ValueError:
            return super().get_search_results(request, queryset, search_term)

    def export_rows(self, queryset: QuerySet[Round]) -> Iterator[Round]:
        return export.rounds(queryset)

    # -- columns --------------------------------------------------------------------------------------------------------------------------

    @admin.display(description="who, task, round", ordering="task_request__email")
    def who(self, round_: Round) -> SafeString:
        return columns.who(round_)

    @admin.display(description="page")
    def picture(self, round_: Round) -> SafeString:
        return pictures.thumbnail(pictures.best(round_), f"{columns.admin_url(round_)}#preview", f"Screenshot of {round_}")

    @admin.display(description="where", ordering="status")
    def where(self, round_: Round) -> SafeString:
        return columns.where(round_, timezone.now())

    @admin.display(description="time", ordering="deadline_at")
    def time_left(self, round_: Round) -> SafeString:
        return columns.time_left(round_, timezone.now())

    @admin.display(description="trouble", ordering="error_id")
    def trouble(self, round_: Round) -> SafeString:
        return columns.trouble(round_)

    @admin.display(description="links")
    def links(self, round_: Round) -> SafeString:
        return columns.links(round_)

    @admin.display(description="received (UTC)", ordering="received_at")
    def received(self, round_: Round) -> SafeString:
        return columns.when(round_.received_at)

    list_display_links = None

    # -- pages ----------------------------------------------------------------------------------------------------------------------------

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {**(extra_context or {}), "no_worker": not state.workers_alive()})

    def get_urls(self) -> list[URLPattern]:
        live = path("<path:object_id>/live/", self.admin_site.admin_view(self.live_view), name="tasks_round_live")
        return [live, *super().get_urls()]

    def page_context(self, request: HttpRequest, row: Round) -> dict[str, Any]:
        return {
            **round_page.page_context(row, request.GET.get("version", "")),
            "may_change": self.has_change_permission(request, row),
            "may_see_task": self.admin_site.get_model_admin(TaskRequest).has_view_permission(request),
        }

    def live_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The moving part of an open round's page. A final state stops the poll and loads the page once more, whole."""
        round_ = self.row_or_403(request, object_id)
        if round_ is None:
            return HttpResponse(status=404)
        context = round_page.live_context(round_, request.GET.get("seen", "")) | {"may_change": self.has_change_permission(request, round_)}
        response = render(request, "admin/tasks/round/_live.html", {**context, "polled": True})
        if not round_.is_open:
            response.status_code = STOP_POLLING
            response["HX-Refresh"] = "true"
        response["Cache-Control"] = "no-store"
        return response
