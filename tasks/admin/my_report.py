"""The student's own view: the scores of the submission that has the account's e-mail address, in every grade-book that is published. Nothing before.

Everybody who may log in here may open it, since it shows nobody but oneself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from tasks.admin.downloads import image
from tasks.admin.frame import framed
from tasks.admin.gradebook.student import student_context
from tasks.admin.practice_form import own_email
from tasks.classroom import links
from tasks.models import GradeBook, Submission

Page = Callable[[str, str, Callable[..., HttpResponse], Callable[[HttpRequest], bool]], URLPattern]


def may_see_own(request: HttpRequest) -> bool:
    return bool(request.user.is_active and request.user.is_staff)


def own_submission(request: HttpRequest) -> Submission | None:
    email = own_email(request)
    return Submission.objects.defer("sealed_secret").filter(email__iexact=email).first() if email else None


def published_books() -> list[GradeBook]:
    """The newest first."""
    return list(GradeBook.objects.filter(publish_at__lte=timezone.now()).order_by("-publish_at", "-pk"))


def my_report_view(request: HttpRequest) -> HttpResponse:
    student, books = own_submission(request), published_books()
    chosen = next((book for book in books if str(book.pk) == request.GET.get("book", "")), books[0] if books else None)
    context: dict[str, Any] = {"email": own_email(request), "known": student is not None, "books": books, "chosen": chosen}
    if student is not None and chosen is not None:
        picture = reverse("admin:my_report")
        context |= student_context(chosen, student, image=lambda shot: f"{picture}{chosen.pk}/pictures/{shot}/")
    return framed(request, "admin/tasks/my_report.html", "My report", context)


def picture_view(request: HttpRequest, book: int, shot: int) -> HttpResponse:
    student = own_submission(request)
    found = links.published(book, student.pk) if student else None
    row = links.picture(*found, shot) if found else None
    if row is None:
        raise Http404("There is no such picture.")
    return image(row.name, row.media_type, bytes(row.content))


def urls(page: Page) -> list[URLPattern]:
    return [
        page("my-report/", "my_report", require_safe(my_report_view), may_see_own),
        page("my-report/<int:book>/pictures/<int:shot>/", "my_report_picture", require_safe(picture_view), may_see_own),
    ]
