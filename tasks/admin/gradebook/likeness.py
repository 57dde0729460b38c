"""The hints on similar reports: pairs to look at, never a verdict."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_safe

from tasks.admin.gradebook import words
from tasks.admin.gradebook.page import BookPage
from tasks.admin.tiles import may_see
from tasks.classroom.gradebook import similar
from tasks.classroom.gradebook.similar import Hint
from tasks.models import RepoReport

PER_PAGE = 50
FILES = 6  # names that are written out


class Likeness(BookPage):
    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_safe(self.similar_view))
        return [path("<path:object_id>/similar/", view, name="tasks_gradebook_similar"), *super().get_urls()]

    def similar_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        book = self.book_or_404(request, object_id)
        page = Paginator(similar.hints(book), PER_PAGE).get_page(request.GET.get("p"))
        lines = [_line(hint, reports=may_see(request, RepoReport)) for hint in page]
        return self.book_page(request, book, "similar", {"hints": lines, "page": page, "page_query": ""})


def _line(hint: Hint, *, reports: bool) -> dict[str, Any]:
    sides = ((hint.a_email, hint.a_report), (hint.b_email, hint.b_report))
    return {
        "students": [{"email": email, "url": reverse("admin:tasks_reporeport_change", args=[report]) if reports else ""} for email, report in sides],
        "brief": hint.brief_id,
        "round": hint.round,
        "share": words.share(hint.share, 0),
        "meter": f"{100 * min(1.0, max(0.0, hint.share)):.0f}",
        "files": hint.same_files[:FILES],
        "more": max(0, len(hint.same_files) - FILES),
        "why": hint.why,
    }
