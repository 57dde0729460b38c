"""Lock, unlock, publish, withdraw: each a button, for whoever may publish grade-books."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern
from django.utils import timezone

from tasks.admin import columns
from tasks.admin.base import post_url
from tasks.admin.gradebook.page import BookPage
from tasks.classroom.gradebook import changes, locking
from tasks.errors import Conflict
from tasks.models import GradeBook


@dataclass(frozen=True)
class State:
    sentence: str
    tone: str


def explain(book: GradeBook) -> State:
    """How the book stands, in two sentences."""
    if book.locked_at:
        by = f" by {book.locked_by}" if book.locked_by else ""
        settled = f"Locked on {book.locked_at:%d %b %Y %H:%M} UTC{by}: the scores stay as they were then."
    else:
        settled = "Open: the scores are computed from the checks as they are now."
    if book.is_published:
        return State(f"{settled} Every student sees their own report.", "green" if book.locked_at else "orange")
    if book.publish_at:
        return State(f"{settled} Students see their own report from {book.publish_at:%d %b %Y %H:%M} UTC on.", "blue")
    return State(f"{settled} No student sees a report.", "grey" if book.locked_at else "blue")


class Settling(BookPage):
    def get_urls(self) -> list[URLPattern]:
        views = {"lock": self.lock_view, "unlock": self.unlock_view, "publish": self.publish_view, "withdraw": self.withdraw_view}
        return [*(post_url(self, name, view) for name, view in views.items()), *super().get_urls()]

    def lock_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._settle(request, object_id, lambda book: f"Locked, with the grades of {columns.of(locking.lock(book, request.user), 'student')}.")

    def unlock_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def unlock(book: GradeBook) -> str:
            locking.unlock(book, request.user)
            return "Unlocked: the scores are computed anew."

        return self._settle(request, object_id, unlock)

    def publish_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def publish(book: GradeBook) -> str:
            changes.set_rules(book, request.user, publish_at=timezone.now().replace(microsecond=0))
            return "Published: every student sees their own report."

        return self._settle(request, object_id, publish)

    def withdraw_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def withdraw(book: GradeBook) -> str:
            changes.set_rules(book, request.user, publish_at=None)
            return "Withdrawn: no student sees a report."

        return self._settle(request, object_id, withdraw)

    def _settle(self, request: HttpRequest, object_id: str, change: Callable[[GradeBook], str]) -> HttpResponse:
        book = self.book_or_404(request, object_id)
        if not request.user.has_perm("tasks.publish_gradebook"):
            raise PermissionDenied
        try:
            messages.success(request, change(book))
        except Conflict as error:
            messages.error(request, str(error))
        return HttpResponseRedirect(columns.admin_url(book))
