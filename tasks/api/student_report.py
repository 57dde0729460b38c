"""`GET /report/<token>`: a student's own scores, for whoever was given the link (`tasks.classroom.links`). 404 until the grade-book is published.

The page shows what strangers' services and models wrote, and lies on the admin's origin: it has no script, form or frame, and its policy allows none.
"""

from __future__ import annotations

from django.core.signing import BadSignature
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.views.decorators.http import require_safe

from tasks.admin.downloads import image
from tasks.admin.gradebook.student import student_context
from tasks.api import throttle
from tasks.api.problems import problem
from tasks.classroom import links
from tasks.models import GradeBook, Submission

WRONG_LINKS = 30  # from one address, in
WRONG_LINKS_SECONDS = 60
POLICY = (
    "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; form-action 'none'; "
    "base-uri 'none'; object-src 'none'; frame-ancestors 'none'"
)
HEADERS = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex, nofollow, noarchive", "Referrer-Policy": "no-referrer"}


@require_safe
def report(request: HttpRequest, token: str) -> HttpResponse:
    found = _found(request, token)
    if isinstance(found, HttpResponse):
        return found
    context = student_context(*found, image=lambda shot: reverse("student-report-picture", args=[token, shot]))
    response = render(request, "site/report.html", {**context, "title": f"{found[0].name}: {found[1].email}"})
    response["Content-Security-Policy"] = POLICY
    return _private(response)


@require_safe
def picture(request: HttpRequest, token: str, shot: int) -> HttpResponse:
    found = _found(request, token)
    if isinstance(found, HttpResponse):
        return found
    row = links.picture(*found, shot)
    if row is None:
        raise Http404("There is no such picture.")
    return _private(image(row.name, row.media_type, bytes(row.content)))


def _found(request: HttpRequest, token: str) -> tuple[GradeBook, Submission] | HttpResponse:
    """Book and submission; the answer to who guesses. Who has a link that was made here is never told to wait."""
    try:
        book, submission = links.read(token)
    except BadSignature:
        wait = throttle.wrong(request, "wrong-link", WRONG_LINKS, WRONG_LINKS_SECONDS)
        if wait:
            return problem(429, "too-many-wrong-links", f"Too many links that do not exist; wait {wait} s.", headers={"Retry-After": str(wait)})
        raise Http404("There is no such report.") from None
    found = links.published(book, submission)
    if found is None:
        raise Http404("There is no such report, or it is not published yet.")
    return found


def _private(response: HttpResponse) -> HttpResponse:
    for name, value in HEADERS.items():
        response[name] = value
    return response


urlpatterns = [
    path("report/<str:token>", report, name="student-report"),
    path("report/<str:token>/pictures/<int:shot>", picture, name="student-report-picture"),
]
