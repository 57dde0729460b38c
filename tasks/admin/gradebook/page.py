"""What every page of a grade-book shares: its frame, the links to the others, and who may come in."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import SafeString

from tasks.admin.badges import badge
from tasks.admin.base import Paged
from tasks.models import GradeBook, Submission

PAGES = {"change": "sheet", "weights": "rules and weights", "pictures": "screenshots", "similar": "similarity"}


class BookPage(Paged):
    """The record's pages, for whoever may see grade-books."""

    def book_or_404(self, request: HttpRequest, object_id: str) -> GradeBook:
        book = self.row_or_403(request, object_id)
        if book is None:
            raise Http404("There is no such grade-book.")
        return book  # type: ignore[no-any-return]

    def student_or_404(self, submission_id: int) -> Submission:
        """Somebody of the class; who only practises has no grades."""
        student = Submission.objects.defer("sealed_secret").filter(pk=submission_id).first()
        if student is None:
            raise Http404("There is no such student.")
        return student

    def refused(self) -> HttpResponse:
        raise PermissionDenied

    def book_page(self, request: HttpRequest, book: GradeBook, name: str, extra: dict[str, Any]) -> TemplateResponse:
        """`gradebook/<name>.html` in the book's frame."""
        context = {**frame(book, name), "may_publish": request.user.has_perm("tasks.publish_gradebook"), **extra}
        return self.framed(request, book, f"admin/tasks/gradebook/{name}.html", context)


def frame(book: GradeBook, here: str) -> dict[str, Any]:
    nav = [{"name": name, "label": label, "url": reverse(f"admin:tasks_gradebook_{name}", args=[book.pk])} for name, label in PAGES.items()]
    return {"book": book, "here": here, "nav": nav, "badges": badges(book)}


def badges(book: GradeBook) -> list[SafeString]:
    """Whether the book is settled, and whether students see it."""
    if book.is_published:
        seen = badge("book published")
    elif book.publish_at:
        seen = badge("book planned", f"from {book.publish_at:%d %b %Y %H:%M} UTC")
    else:
        seen = badge("book unpublished")
    return [badge("book locked" if book.locked_at else "book open"), seen]


def locked_note(book: GradeBook) -> str:
    """Why nothing that scores depend on can be changed; empty where it can."""
    if book.locked_at is None:
        return ""
    by = f" by {book.locked_by}" if book.locked_by else ""
    when = f"{book.locked_at:%d %b %Y %H:%M} UTC{by}"
    return f"This grade-book was locked on {when}: weights and scores stay as they were then. Unlock it on its sheet to change them."
