"""Programs that were run: watched while they run, cancelled, and how each ended, what it used, said and left."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils.safestring import SafeString

from tasks import runs
from tasks.admin import columns
from tasks.admin.badges import badge
from tasks.admin.base import Downloads, PageAdmin, is_list, post_url
from tasks.admin.rounds import STOP_POLLING
from tasks.admin.run_page import figures, live_context, row_context
from tasks.models import Artefact, ContainerRun
from tasks.orchestrator.uploads import label_of


@admin.register(ContainerRun)
class ContainerRunAdmin(PageAdmin):
    list_display = ("number", "state", "task_link", "agent", "runner", "asked", "wall", "cpu", "memory", "reason")
    list_filter = ("status", "runner", "created_at")
    list_select_related = ("task_request",)
    search_fields = ("agent", "task_request__name", "task_request__task")
    page_template = "admin/tasks/containerrun/page.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[ContainerRun]:
        queryset = cast("QuerySet[ContainerRun]", super().get_queryset(request)).select_related("task_request", "version")
        queryset = queryset.defer("files", "version__prompt", "version__raw_answer")
        return queryset.defer("stdout", "stderr", "stdin") if is_list(request) else queryset

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("tasks.change_containerrun")

    @admin.display(description="run", ordering="id")
    def number(self, run: ContainerRun) -> str:
        return f"#{run.pk}"

    @admin.display(description="state", ordering="status")
    def state(self, run: ContainerRun) -> SafeString:
        return badge(run.status)

    @admin.display(description="task", ordering="task_request")
    def task_link(self, run: ContainerRun) -> SafeString:
        return columns.inside(run.task_request)

    @admin.display(description="asked for (UTC)", ordering="created_at")
    def asked(self, run: ContainerRun) -> SafeString:
        return columns.when(run.created_at)

    @admin.display(description="wall time", ordering="wall_ms")
    def wall(self, run: ContainerRun) -> str:
        return figures(run)["wall"]

    @admin.display(description="processor time", ordering="cpu_ms")
    def cpu(self, run: ContainerRun) -> str:
        return figures(run)["cpu"]

    @admin.display(description="memory", ordering="memory_peak_kb")
    def memory(self, run: ContainerRun) -> str:
        return figures(run)["memory"]

    # -- the page ------------------------------------------------------------------------------------------------------------------------

    def page_context(self, request: HttpRequest, row: ContainerRun) -> dict[str, Any]:
        return {
            **live_context(row),
            "title": f"run {row.pk}",
            "task_link": columns.inside(row.task_request),
            "version_label": label_of(row.version) if row.version else "",
            "may_change": self.has_change_permission(request, row),
        }

    def get_urls(self) -> list[URLPattern]:
        live = path("<path:object_id>/live/", self.admin_site.admin_view(self.live_view), name="tasks_containerrun_live")
        return [live, post_url(self, "cancel", self.cancel_view), *super().get_urls()]

    def live_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The moving part of an open run, for its own page or (`row`) for a list. With a final state it is complete and the poll stops."""
        run = self.row_or_403(request, object_id)
        if run is None:
            return HttpResponse("This run is no longer kept.", status=STOP_POLLING if request.headers.get("HX-Request") else 404)
        of_list = "row" in request.GET
        context = row_context(run) if of_list else live_context(run)
        changed = request.GET.get("seen", "") != run.status
        template = "admin/tasks/containerrun/_row.html" if of_list else "admin/tasks/containerrun/_live.html"
        response = render(request, template, {**context, "polled": True, "changed": changed, "may_change": self.has_change_permission(request, run)})
        if not run.is_open:
            response.status_code = STOP_POLLING
        response["Cache-Control"] = "no-store"
        return response

    def cancel_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        run = self.row_or_403(request, object_id)
        if run is None or not self.has_change_permission(request, run):
            raise PermissionDenied
        runs.cancel(run)
        if request.headers.get("HX-Request"):
            return HttpResponse(status=204)  # whoever watches it sees how it ends
        messages.success(request, "The run is being ended.")
        return HttpResponseRedirect(columns.admin_url(run))


@admin.register(Artefact)
class ArtefactAdmin(Downloads):
    list_display = ("path", "run", "length")
    list_select_related = ("run",)
    search_fields = ("path",)
    fields = ("path", "run", "length", "sha256")
    readonly_fields = ("length",)
    content_type = "application/octet-stream"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return cast("QuerySet[Any]", super().get_queryset(request).defer("content"))

    def file_of(self, row: Artefact) -> tuple[str, bytes]:
        return row.path.rsplit("/", 1)[-1], bytes(row.content)

    @admin.display(description="size", ordering="size")
    def length(self, row: Artefact) -> str:
        return columns.size(row.size)
