"""Versions of the code and their files."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import slugify
from django.views.decorators.http import require_safe

from tasks.admin import columns, pictures, round_page, verdicts
from tasks.admin.badges import badge
from tasks.admin.base import Downloads, PageAdmin, counted, is_list
from tasks.admin.downloads import download
from tasks.models import CodeVersion, GeneratedFile, TaskRequest
from tasks.orchestrator.uploads import as_zip


@admin.register(CodeVersion)
class CodeVersionAdmin(PageAdmin):
    list_display = ("title", "round_link", "kind", "state", "made_by", "tokens", "price", "took", "share", "file_count", "created")
    list_filter = ("status", "kind", "generator", "model", "created_at")
    list_select_related = ("task_request", "round__task_request")
    search_fields = ("task_request__email", "task_request__task", "task_request__name", "model", "inputs_hash")
    search_help_text = "e-mail, task, model or hash of the inputs"
    page_template = "admin/tasks/codeversion/page.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[CodeVersion]:
        queryset = cast("QuerySet[CodeVersion]", super().get_queryset(request)).annotate(files_held=counted(GeneratedFile, "version"))
        return queryset.defer("prompt", "raw_answer") if is_list(request) else queryset.select_related("task_request", "round__task_request")

    @admin.display(description="version", ordering="task_request__task")
    def title(self, version: CodeVersion) -> str:
        return columns.one_line(str(version), 60)

    @admin.display(description="round", ordering="round")
    def round_link(self, version: CodeVersion) -> SafeString:
        return columns.inside(version.round, f"round {version.round.number}" if version.round else "")

    @admin.display(description="state", ordering="status")
    def state(self, version: CodeVersion) -> SafeString:
        return badge(version.status, version.notes)

    @admin.display(description="made by", ordering="model")
    def made_by(self, version: CodeVersion) -> str:
        return columns.one_line(version.model or version.generator, 40)

    @admin.display(description="tokens in / out", ordering="tokens_out")
    def tokens(self, version: CodeVersion) -> str:
        return "–" if version.tokens_in is None and version.tokens_out is None else f"{version.tokens_in or 0:,} / {version.tokens_out or 0:,}"

    @admin.display(description="cost (US$)", ordering="cost")
    def price(self, version: CodeVersion) -> str:
        return columns.dollars(version.cost)

    @admin.display(description="took", ordering="seconds")
    def took(self, version: CodeVersion) -> str:
        return columns.units(version.seconds)

    @admin.display(description="checks passed", ordering="score")
    def share(self, version: CodeVersion) -> str:
        return "–" if version.score is None else f"{100 * version.score:.0f} %"

    @admin.display(description="files", ordering="files_held")
    def file_count(self, version: CodeVersion) -> int:
        return int(getattr(version, "files_held", 0))

    @admin.display(description="created (UTC)", ordering="created_at")
    def created(self, version: CodeVersion) -> SafeString:
        return columns.when(version.created_at)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_safe(self.download_view))
        return [path("<path:object_id>/download/", view, name="tasks_codeversion_download"), *super().get_urls()]

    def download_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """All files of the version as a zip."""
        version = self.row_or_403(request, object_id)
        if version is None:
            return HttpResponse(status=404)
        return download(f"{slugify(str(version)) or 'version'}.zip", as_zip(version), "application/zip")

    def page_context(self, request: HttpRequest, row: CodeVersion) -> dict[str, Any]:
        checks = row.check_results.select_related("version", "deployment", "round").order_by("id")
        checks = checks.defer("version__prompt", "version__raw_answer", "round__brief", "round__checks", "round__extra")
        return {
            **round_page.version_context(row),
            "title": self.title(row),
            "round_link": columns.inside(row.round),
            "task_link": columns.inside(row.task_request),
            "before_link": columns.inside(row.based_on, f"version {row.based_on.number}" if row.based_on else ""),
            "tokens": self.tokens(row),
            "took": self.took(row),
            "share": self.share(row),
            "checks": verdicts.panels(list(checks)),
            "cost": columns.dollars(row.cost),
            "may_see_task": self.admin_site.get_model_admin(TaskRequest).has_view_permission(request),
            "strips": pictures.strips(
                row.screenshots.select_related("deployment", "version").defer("content", "version__prompt", "version__raw_answer")
            ),
        }


@admin.register(GeneratedFile)
class GeneratedFileAdmin(Downloads):
    list_display = ("path", "version_link", "origin", "length", "blob", "file")
    list_filter = ("origin",)
    list_select_related = ("version__task_request",)
    search_fields = ("path", "blob_sha", "version__task_request__task", "version__task_request__email")
    search_help_text = "path, blob sha, task or e-mail"
    fields = ("path", "version_link", "origin", "length", "blob_sha", "file")
    readonly_fields = ("version_link", "length", "file")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return cast(
            "QuerySet[Any]",
            super().get_queryset(request).select_related(*self.list_select_related).defer("content", "version__prompt", "version__raw_answer"),
        )

    def file_of(self, row: GeneratedFile) -> tuple[str, bytes]:
        return row.path, row.data

    @admin.display(description="version", ordering="version")
    def version_link(self, row: GeneratedFile) -> SafeString:
        return columns.inside(row.version)

    @admin.display(description="size", ordering="size")
    def length(self, row: GeneratedFile) -> str:
        return columns.size(row.size)

    @admin.display(description="blob", ordering="blob_sha")
    def blob(self, row: GeneratedFile) -> SafeString:
        return format_html("<code>{}</code>", row.blob_sha[:10])

    @admin.display(description="file")
    def file(self, row: GeneratedFile) -> SafeString:
        return format_html('<a class="d-link" href="{}">{}</a>', columns.admin_url(row, "download"), "download")
