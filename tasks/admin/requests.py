"""Tasks and what was attached to their rounds."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from tasks.admin import columns, versions
from tasks.admin.badges import badge
from tasks.admin.base import Downloads, counted
from tasks.admin.erasing import Erasing
from tasks.admin.export import TASK, Exports
from tasks.admin.task_room import TaskRoom
from tasks.models import Attachment, Round, TaskRequest


@admin.register(TaskRequest)
class TaskRequestAdmin(TaskRoom, Exports, Erasing):
    actions = (*Erasing.actions, "export_as_csv")
    export_columns = TASK
    list_display = ("title", "person", "rounds_count", "latest", "repository", "page", "created")
    list_filter = ("repo_host", "repo_created", "created_at")
    list_before_template = "admin/tasks/_empty_list.html"
    search_fields = ("email", "task", "name", "repo_name", "creator_agent")
    search_help_text = "e-mail, task, name, repository or agent"
    page_template = "admin/tasks/taskrequest/page.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[TaskRequest]:
        newest = Round.objects.filter(task_request=OuterRef("pk")).order_by("-id").values("status")[:1]
        queryset = cast("QuerySet[TaskRequest]", super().get_queryset(request))
        return queryset.annotate(round_count=counted(Round, "task_request"), latest_status=Subquery(newest))

    @admin.display(description="task", ordering="task")
    def title(self, task: TaskRequest) -> str:
        return columns.one_line(str(task), 60) or f"task {task.pk}"

    @admin.display(description="who", ordering="email")
    def person(self, task: TaskRequest) -> str:
        return columns.one_line(task.email or task.creator_agent, 60) or "–"

    @admin.display(description="rounds", ordering="round_count")
    def rounds_count(self, task: TaskRequest) -> int:
        return int(getattr(task, "round_count", 0))

    @admin.display(description="newest round", ordering="latest_status")
    def latest(self, task: TaskRequest) -> SafeString:
        status = getattr(task, "latest_status", None)
        return badge(status) if status else format_html("{}", "–")

    @admin.display(description="repository", ordering="repo_name")
    def repository(self, task: TaskRequest) -> SafeString:
        return columns.out(task.repo_url, columns.one_line(task.repo_name, 40))

    @admin.display(description="page")
    def page(self, task: TaskRequest) -> SafeString:
        return columns.out(task.pages_url, "page")

    @admin.display(description="created (UTC)", ordering="created_at")
    def created(self, task: TaskRequest) -> SafeString:
        return columns.when(task.created_at)

    def page_context(self, request: HttpRequest, row: TaskRequest) -> dict[str, Any]:
        return {**super().page_context(request, row), "title": self.title(row)}

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_safe(self.versions_view))
        return [path("<path:object_id>/versions/", view, name="tasks_taskrequest_versions"), *super().get_urls()]

    def versions_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """All versions in a table and two of them (`a`, `b`: their ids) side by side; `round` narrows the table to one round's."""
        task = self.row_or_403(request, object_id)
        if task is None:
            return HttpResponse(status=404)
        wanted = request.GET.get("round", "")
        round_ = task.rounds.filter(pk=wanted).first() if wanted.isdecimal() else None
        chosen = versions.page_context(task, round_, request.GET.get("a", ""), request.GET.get("b", ""))
        return self.framed(request, task, "admin/tasks/taskrequest/versions.html", {**chosen, "title": f"Versions of {self.title(task)}"})


@admin.register(Attachment)
class AttachmentAdmin(Downloads):
    list_display = ("name", "round_link", "media_type", "length", "fetched", "state", "file")
    list_filter = ("media_type", "fetched", ("error_id", admin.EmptyFieldListFilter))
    list_select_related = ("round__task_request",)
    search_fields = ("name", "path", "sha256", "round__task_request__task", "round__task_request__email")
    fields = ("name", "round_link", "path", "declared_type", "media_type", "length", "sha256", "fetched", "profile", "error_id", "error", "file")
    readonly_fields = ("round_link", "length", "file")
    content_type = "application/octet-stream"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return cast("QuerySet[Any]", super().get_queryset(request).defer("content", "url"))

    def file_of(self, row: Attachment) -> tuple[str, bytes]:
        return row.path or row.name, bytes(row.content or b"")

    @admin.display(description="round")
    def round_link(self, row: Attachment) -> SafeString:
        return columns.inside(row.round)

    @admin.display(description="size", ordering="size")
    def length(self, row: Attachment) -> str:
        return columns.size(row.size)

    @admin.display(description="state")
    def state(self, row: Attachment) -> SafeString:
        return badge("error", row.error) if row.error_id else badge("ready" if row.size is not None else "queued")

    @admin.display(description="file")
    def file(self, row: Attachment) -> SafeString:
        if row.size is None:
            return format_html("{}", "–")
        return format_html('<a class="d-link" href="{}">{}</a>', columns.admin_url(row, "download"), "download")
