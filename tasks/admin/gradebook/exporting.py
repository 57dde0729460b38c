"""The grade-book's files: CSV for spreadsheets, results for Gradescope, everything in one archive. Made when they are asked for."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from importlib import import_module
from typing import IO, Any

from django.http import FileResponse, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.text import slugify
from django.views.decorators.http import require_safe

from tasks.admin.downloads import kept
from tasks.admin.gradebook.page import BookPage
from tasks.models import GradeBook

IN_MEMORY = 8_000_000  # bytes of a file that are held before it is written to the disk


@dataclass(frozen=True)
class Export:
    """`module` of `tasks.classroom.exports` writes it."""

    module: str
    label: str
    what: str
    ending: str
    media_type: str


EXPORTS = {
    one.module: one
    for one in (
        Export("results", "Results", "CSV: a line for every check of every report", "csv", "text/csv; charset=utf-8"),
        Export("grades", "Grades", "CSV: a line for every student and brief", "csv", "text/csv; charset=utf-8"),
        Export("gradescope", "Gradescope", "ZIP: a results.json for every student", "zip", "application/zip"),
        Export("archive", "Everything", "ZIP: all of it, with screenshots", "zip", "application/zip"),
    )
}


def links(request: HttpRequest, book: GradeBook) -> list[dict[str, str]]:
    return [{"label": one.label, "what": one.what, "url": reverse(f"admin:tasks_gradebook_{name}", args=[book.pk])} for name, one in EXPORTS.items()]


class Exporting(BookPage):
    def get_urls(self) -> list[URLPattern]:
        return [*(self._url(one) for one in EXPORTS.values()), *super().get_urls()]

    def _url(self, export: Export) -> URLPattern:
        def view(request: HttpRequest, object_id: str) -> HttpResponse:
            return self.export_view(request, object_id, export)

        return path(
            f"<path:object_id>/{export.module}/download/", self.admin_site.admin_view(require_safe(view)), name=f"tasks_gradebook_{export.module}"
        )

    def export_view(self, request: HttpRequest, object_id: str, export: Export) -> Any:
        book = self.book_or_404(request, object_id)
        out: IO[Any] = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - the answer closes it
        import_module(f"tasks.classroom.exports.{export.module}").write(book, out)
        out.seek(0)
        name = f"{slugify(book.name) or 'grade-book'}-{export.module}-{timezone.now():%Y-%m-%d}.{export.ending}"
        return FileResponse(out, content_type=export.media_type, headers=kept(name))
