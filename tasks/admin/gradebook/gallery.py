"""The contact sheet: the desktop screenshot of every student of one brief and round, with the score."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_safe

from tasks.admin import pictures
from tasks.admin.gradebook import words
from tasks.admin.gradebook.page import BookPage
from tasks.admin.tiles import may_see
from tasks.classroom.gradebook.sheet import sheet
from tasks.models import GradeBook, RepoReport, Screenshot

PER_PAGE = 60


class Gallery(BookPage):
    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_safe(self.pictures_view))
        return [path("<path:object_id>/pictures/", view, name="tasks_gradebook_pictures"), *super().get_urls()]

    def pictures_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """`brief` and `round` of the address choose; else the first round with a report."""
        book = self.book_or_404(request, object_id)
        shown = sheet(book)
        places = sorted({place for row in shown.rows for place, of in row.rounds.items() if of.report_id is not None})
        asked = (request.GET.get("brief", ""), request.GET.get("round", ""))
        chosen = next((place for place in places if (place[0], str(place[1])) == asked), places[0] if places else None)
        found = [(row, row.rounds[chosen]) for row in shown.rows if chosen in row.rounds and row.rounds[chosen].report_id] if chosen else []
        page = Paginator(found, PER_PAGE).get_page(request.GET.get("p"))
        desktops = _desktops([of.report_id or 0 for _, of in page])
        reports = may_see(request, RepoReport)
        shots = [
            {
                "email": row.email,
                "score": words.points(of.score),
                "image": pictures.image_url(desktops[of.report_id]) if of.report_id in desktops else "",
                "url": reverse("admin:tasks_reporeport_change", args=[of.report_id]) if reports else _student(book, row.submission_id),
            }
            for row, of in page
        ]
        query = urlencode({"brief": chosen[0], "round": chosen[1]}) if chosen else ""
        context: dict[str, Any] = {
            "places": [
                {"brief": brief, "round": number, "on": (brief, number) == chosen, "url": f"?{urlencode({'brief': brief, 'round': number})}"}
                for brief, number in places
            ],
            "shots": shots,
            "page": page,
            "page_query": query,
        }
        return self.book_page(request, book, "pictures", context)


def _desktops(reports: list[int]) -> dict[int | None, int]:
    """The newest desktop screenshot's id by report."""
    rows = Screenshot.objects.filter(report__in=reports, name="desktop").order_by("pk")
    return dict(rows.values_list("report_id", "pk"))


def _student(book: GradeBook, submission_id: int) -> str:
    return reverse("admin:tasks_gradebook_student", args=[book.pk, submission_id])
