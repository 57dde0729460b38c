"""Grade-books: the list, a book's sheet as its page, and the pages around it."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin
from django.contrib.admin.models import ADDITION, LogEntry
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from tasks.admin import columns
from tasks.admin.base import counted
from tasks.admin.gradebook import exporting, settling, table
from tasks.admin.gradebook.exporting import Exporting
from tasks.admin.gradebook.forms import BookForm
from tasks.admin.gradebook.gallery import Gallery
from tasks.admin.gradebook.likeness import Likeness
from tasks.admin.gradebook.marking import Marking
from tasks.admin.gradebook.page import badges, frame
from tasks.admin.gradebook.settling import Settling
from tasks.admin.gradebook.weights import Weighing
from tasks.classroom.gradebook.sheet import sheet
from tasks.models import GradeBook, GradeColumn


@admin.register(GradeBook)
class GradeBookAdmin(Settling, Weighing, Marking, Gallery, Likeness, Exporting):
    actions: Any = None
    list_display = ("name", "state", "briefs_shown", "rule", "checks", "made")
    list_filter = (("locked_at", admin.EmptyFieldListFilter), "publish_at", "created_at")
    list_filter_submit = False
    list_fullwidth = True
    list_select_related = ("locked_by",)
    search_fields = ("name", "note")
    page_template = "admin/tasks/gradebook/page.html"

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """A locked book holds settled grades: it is unlocked first."""
        locked = isinstance(obj, GradeBook) and obj.locked_at is not None
        return super().has_delete_permission(request, obj) and not locked

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """The book, and how many columns and overrides go with it."""
        _, counts, _, kept = super().get_deleted_objects(objs, request)
        return [str(row) for row in objs], counts, set(), kept

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("locked_by").annotate(column_count=counted(GradeColumn, "book"))

    # -- columns --------------------------------------------------------------------------------------------------------------------------

    @admin.display(description="state", ordering="locked_at")
    def state(self, row: GradeBook) -> SafeString:
        return format_html_join(" ", "{}", ((one,) for one in badges(row)))

    @admin.display(description="briefs")
    def briefs_shown(self, row: GradeBook) -> str:
        return columns.one_line(", ".join(map(str, row.briefs)), 110) or "all that were issued"

    @admin.display(description="counts", ordering="best_of")
    def rule(self, row: GradeBook) -> str:
        best = f"best {row.best_of}" if row.best_of else "all"
        return best if row.late_factor == 1 else f"{best}, late × {row.late_factor:g}"

    @admin.display(description="checks")
    def checks(self, row: GradeBook) -> int:
        return int(getattr(row, "column_count", 0))

    @admin.display(description="made (UTC)", ordering="created_at")
    def made(self, row: GradeBook) -> SafeString:
        return columns.when(row.created_at)

    # -- pages ----------------------------------------------------------------------------------------------------------------------------

    def page_context(self, request: HttpRequest, row: GradeBook) -> dict[str, Any]:
        return {
            **frame(row, "change"),
            **table.context(row, sheet(row), request.GET),
            "state": settling.explain(row),
            "exports": exporting.links(request, row),
            "may_publish": request.user.has_perm("tasks.publish_gradebook"),
        }

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """A new book: its name and rules; weights come with the checks."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = BookForm(request.POST or None)
        if not request.user.has_perm("tasks.publish_gradebook"):
            form.fields["publish_at"].disabled = True
        if request.method == "POST" and form.is_valid():
            book = form.save()
            LogEntry.objects.log_actions(cast(int, request.user.pk), [book], ADDITION, "made")
            self.message_user(request, f"The grade-book {book.name} is made: every check weighs 1 until you say otherwise.")
            return HttpResponseRedirect(columns.admin_url(book))
        context = {**self.admin_site.each_context(request), "title": "New grade-book", "opts": self.opts, "form": form, "is_fullwidth": "1"}
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/tasks/gradebook/add.html", context)
