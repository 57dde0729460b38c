"""Programs that were run: watched while they run, cancelled, and how each ended, what it used, said and left."""

from __future__ import annotations

import shlex
from typing import Any, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.safestring import SafeString

from tasks import runs
from tasks.admin import columns, state
from tasks.admin.badges import badge
from tasks.admin.base import Downloads, PageAdmin, is_list, post_url
from tasks.admin.rounds import STOP_POLLING
from tasks.models import Artefact, ContainerRun
from tasks.orchestrator.uploads import label_of

SHOWN = 20_000  # characters of each stream on the page; the whole is among the task's logs


def figures(run: ContainerRun) -> dict[str, str]:
    """Times and memory in units; while it runs, the time so far."""
    wall = run.wall_ms / 1000 if run.wall_ms is not None else None
    if wall is None and run.status == ContainerRun.Status.RUNNING and run.started_at:
        wall = (timezone.now() - run.started_at).total_seconds()
    return {
        "wall": columns.units(wall),
        "cpu": columns.units(run.cpu_ms / 1000) if run.cpu_ms is not None else "–",
        "memory": columns.size(run.memory_peak_kb * 1024) if run.memory_peak_kb is not None else "–",
    }


def live_context(run: ContainerRun) -> dict[str, Any]:
    """The part that moves."""
    streams = (("stdout", run.stdout, run.stdout_truncated), ("stderr", run.stderr, run.stderr_truncated))
    return {
        "run": run,
        "badge": badge(run.status),
        "command": shlex.join(map(str, run.command)),
        **figures(run),
        "streams": [
            {
                "name": name,
                "text": text[-SHOWN:],
                "size": columns.size(len(text.encode("utf-8", "replace"))),
                "truncated": cut,
                "hidden": len(text) > SHOWN,
                "shown": columns.size(SHOWN),
            }
            for name, text, cut in streams
            if text or name == "stdout"
        ],
    }


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
            "no_worker": row.is_open and not state.workers_alive(),
            "may_change": self.has_change_permission(request, row),
            "artefacts": [
                {"row": file, "size": columns.size(file.size), "url": columns.admin_url(file, "download")} for file in row.artefacts.defer("content")
            ],
        }

    def get_urls(self) -> list[URLPattern]:
        live = path("<path:object_id>/live/", self.admin_site.admin_view(self.live_view), name="tasks_containerrun_live")
        return [live, post_url(self, "cancel", self.cancel_view), *super().get_urls()]

    def live_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The moving part of an open run's page. A final state stops the poll and loads the page once more, whole."""
        run = self.row_or_403(request, object_id)
        if run is None:
            return HttpResponse(status=404)
        response = render(request, "admin/tasks/containerrun/_live.html", live_context(run))
        if not run.is_open:
            response.status_code = STOP_POLLING
            response["HX-Refresh"] = "true"
        response["Cache-Control"] = "no-store"
        return response

    def cancel_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        run = self.row_or_403(request, object_id)
        if run is None or not self.has_change_permission(request, run):
            raise PermissionDenied
        runs.cancel(run)
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
