"""The form's sheet into submissions: choose a file, see what would happen, confirm."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters

from tasks.admin import columns
from tasks.admin.badges import badge
from tasks.admin.base import List
from tasks.admin.submission_form import SheetForm
from tasks.classroom import upload
from tasks.classroom.submissions import Import, import_csv
from tasks.errors import SheetRefused
from tasks.models import Submission

SHOWN = 300  # lines of each table of a preview


class Importing(List):
    """Adds the page `import/`, for whoever may add and change submissions."""

    def may_import(self, request: HttpRequest) -> bool:
        return self.has_add_permission(request) and self.has_change_permission(request)

    def get_urls(self) -> list[URLPattern]:
        return [path("import/", self.admin_site.admin_view(self.import_view), name="tasks_submission_import"), *super().get_urls()]

    @method_decorator(sensitive_post_parameters())
    def import_view(self, request: HttpRequest) -> HttpResponse:
        """GET: the form. POST with a file: what would happen. POST with `sheet`, the sealed file of that preview: it happens."""
        if not self.may_import(request):
            raise PermissionDenied
        if "sheet" in request.POST:
            return self._confirmed(request)
        form = SheetForm(request.POST or None, request.FILES or None) if request.method == "POST" else SheetForm()
        if request.method == "POST" and form.is_valid():
            text, zone = form.cleaned_data["file"], form.cleaned_data["zone"]
            try:
                found = import_csv(text, dry_run=True, zone=zone)
            except SheetRefused as error:
                form.add_error("file", error.message)
            else:
                return self._page(request, form, preview(found) | {"sheet": upload.pack(text, zone, cast(int, request.user.pk))})
        return self._page(request, form, {})

    def _confirmed(self, request: HttpRequest) -> HttpResponse:
        good_rows = "good_rows" in request.POST
        try:
            text, zone = upload.unpack(request.POST["sheet"], cast(int, request.user.pk))
            done = import_csv(text, good_rows=good_rows, zone=zone)
        except SheetRefused as error:
            messages.error(request, error.message)
            return HttpResponseRedirect(reverse("admin:tasks_submission_import"))
        if not done.stored:
            messages.error(
                request, f"Nothing was imported: {columns.of(len(done.bad), 'row')} cannot be used, and only the good ones were not asked for."
            )
            return HttpResponseRedirect(reverse("admin:tasks_submission_import"))
        what = f"Imported: {sentence(done)}."
        LogEntry.objects.create(
            user_id=cast(int, request.user.pk),
            content_type=ContentType.objects.get_for_model(Submission),
            object_repr="the form's sheet",
            action_flag=CHANGE,
            change_message=what,
        )
        messages.success(request, what)
        return HttpResponseRedirect(reverse("admin:tasks_submission_changelist"))

    def _page(self, request: HttpRequest, form: SheetForm, extra: dict[str, Any]) -> TemplateResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": "Import submissions",
            "opts": self.opts,
            "form": form,
            "is_fullwidth": "1",
            **extra,
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/tasks/submission/import.html", context)


def sentence(found: Import) -> str:
    """12 new, 3 changed, 40 unchanged, 1 skipped."""
    counts = f"{found.new:,} new, {found.changed:,} changed, {found.unchanged:,} unchanged, {found.skipped:,} skipped"
    return f"{counts}, {len(found.bad):,} left out" if found.bad else counts


def preview(found: Import) -> dict[str, Any]:
    return {
        "found": found,
        "sentence": sentence(found),
        "changes": [{"change": change, "badge": badge(change.what)} for change in found.changes[:SHOWN]],
        "bad": found.bad[:SHOWN],
        "hints": found.hints[:SHOWN],
        "shown": SHOWN,
    }
