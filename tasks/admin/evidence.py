"""What checks left to look at: screenshots, with the view that serves their images, and the predicates made of English checks."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from tasks.admin import columns, pictures
from tasks.admin.badges import badge
from tasks.admin.base import ReadOnlyAdmin
from tasks.admin.downloads import image
from tasks.admin.pipeline import OfRound
from tasks.admin.tiles import may_see
from tasks.models import CompiledCheck, GradeBook, RepoReport, Round, Screenshot


def picture_of(pk: str) -> Screenshot | None:
    """Any screenshot, where the admin's own list has those of rounds alone."""
    try:
        return Screenshot.objects.filter(pk=pk).first()
    except (ValueError, ValidationError, OverflowError):
        return None


@admin.register(Screenshot)
class ScreenshotAdmin(OfRound):
    list_display = ("thumbnail", "name", "round_link", "seen_on", "pixels", "media_type", "made")
    list_filter = ("name", ("deployment", admin.EmptyFieldListFilter), "created_at")
    list_select_related = ("round__task_request", "version__task_request", "deployment")
    search_fields = ("round__task_request__task", "round__task_request__email", "deployment__commit_sha__istartswith")
    search_help_text = "task, e-mail or start of a commit"
    list_display_links = ("name",)
    fields = ("name", "round_link", "seen_on", "pixels", "media_type", "made", "full")
    readonly_fields = ("round_link", "seen_on", "pixels", "made", "full")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        deferred = ("content", "version__prompt", "version__raw_answer", "round__brief", "round__checks")
        queryset = cast("QuerySet[Any]", super().get_queryset(request)).filter(report=None)
        return queryset.select_related(*self.list_select_related).defer(*deferred)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_safe(self.image_view), cacheable=True)
        return [path("<path:object_id>/image/", view, name="tasks_screenshot_image"), *super().get_urls()]

    def image_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """A round's picture, for whoever may see screenshots or rounds; a report's, for whoever may see reports or grade-books."""
        of_rounds = self.has_view_permission(request) or may_see(request, Round)
        of_reports = may_see(request, RepoReport) or may_see(request, GradeBook)
        if not (of_rounds or of_reports):
            raise PermissionDenied
        row = picture_of(unquote(object_id))
        if row is None:
            return HttpResponse(status=404)
        if not (of_rounds if row.report_id is None else of_reports):
            raise PermissionDenied
        return image(row.name, row.media_type, bytes(row.content))

    @admin.display(description="picture")
    def thumbnail(self, row: Screenshot) -> SafeString:
        return pictures.thumbnail(row.pk, columns.admin_url(row), f"Screenshot of {row.round}, {row.name}")

    @admin.display(description="picture")
    def full(self, row: Screenshot) -> SafeString:
        return pictures.shown([pictures.picture(row, columns.looked_at(row))])

    @admin.display(description="looked at")
    def seen_on(self, row: Screenshot) -> str:
        return columns.looked_at(row)

    @admin.display(description="pixels", ordering="width")
    def pixels(self, row: Screenshot) -> str:
        return f"{row.width} × {row.height}"

    @admin.display(description="made (UTC)", ordering="created_at")
    def made(self, row: Screenshot) -> SafeString:
        return columns.when(row.created_at)


@admin.register(CompiledCheck)
class CompiledCheckAdmin(ReadOnlyAdmin):
    list_display = ("check_text", "state", "operation", "model", "made")
    list_filter = (("predicate", admin.EmptyFieldListFilter), "model", "created_at")
    search_fields = ("text", "model")
    fields = ("text", "state", "predicate", "model", "key", "made")
    readonly_fields = ("state", "made")

    @admin.display(description="check", ordering="text")
    def check_text(self, row: CompiledCheck) -> str:
        return columns.one_line(row.text, 110) or "–"

    @admin.display(description="state")
    def state(self, row: CompiledCheck) -> SafeString:
        return badge("ready" if row.predicate else "undecided", "" if row.predicate else "the model could not turn it into a predicate")

    @admin.display(description="operation")
    def operation(self, row: CompiledCheck) -> str:
        return columns.one_line(str(row.predicate.get("op") or "–"), 40) if isinstance(row.predicate, dict) else "–"

    @admin.display(description="made (UTC)", ordering="created_at")
    def made(self, row: CompiledCheck) -> SafeString:
        return columns.when(row.created_at)
