"""The practice pages: send a brief to a service, watch it, read the report. One's own, or for whoever may see the class everybody's."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from django.contrib import messages
from django.contrib.admin.models import ADDITION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, reverse
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from tasks.admin import practice_page, state
from tasks.admin.downloads import image
from tasks.admin.frame import framed
from tasks.admin.practice_form import NO_ADDRESS, PracticeForm, may_type_any, own_email
from tasks.admin.rounds import STOP_POLLING
from tasks.classroom import practice
from tasks.errors import Conflict
from tasks.models import IssuedTask, Screenshot

SHOWN = 50  # practices in the list
Page = Callable[[str, str, Callable[..., HttpResponse], Callable[[HttpRequest], bool]], URLPattern]


def may_practise(request: HttpRequest) -> bool:
    return bool(request.user.is_staff and request.user.has_perm("tasks.practise_submission"))


def visible(request: HttpRequest) -> QuerySet[IssuedTask]:
    """The practices that this person may see: nobody's where the account has no address."""
    if may_type_any(request):
        return practice.practices()
    return practice.of(own_email(request)) if own_email(request) else practice.practices().none()


def find(request: HttpRequest, pk: int) -> IssuedTask:
    """404 for what is somebody else's, too: nobody learns that it is there."""
    row = visible(request).select_related("submission", "first").defer("submission__sealed_secret").filter(pk=pk).first()
    if row is None:
        raise Http404("There is no such practice.")
    return row


@sensitive_post_parameters("secret")
@sensitive_variables("form")
def practices_view(request: HttpRequest) -> HttpResponse:
    """GET: the form and the list. POST: send it, and on to its page."""
    nobody = not may_type_any(request) and not own_email(request)
    if nobody and request.method == "POST":
        raise PermissionDenied(NO_ADDRESS)
    form = None if nobody else PracticeForm(request, request.POST or None)
    if form is not None and request.method == "POST" and form.is_valid() and (row := form.start()):
        _write_down(request, row)
        return _to(row)
    rows = visible(request).select_related("submission").only("task", "round", "brief_id", "status", "error", "created_at", "submission__email")
    context = {
        "form": form,
        "nobody": NO_ADDRESS if nobody else "",
        "person": getattr(form, "person", ""),
        "rows": [practice_page.line(row) for row in rows.prefetch_related("reports")[:SHOWN]],
        "shown": SHOWN,
        "everybody": may_type_any(request),
        "no_worker": not state.workers_alive(),
    }
    return framed(request, "admin/tasks/practice/list.html", "Practice", context)


def practice_view(request: HttpRequest, pk: int) -> HttpResponse:
    row = find(request, pk)
    return framed(request, "admin/tasks/practice/page.html", f"Practice: {row}", practice_page.context(row))


def live_view(request: HttpRequest, pk: int) -> HttpResponse:
    """How far it is. At the end the poll stops and the page is loaded once more, with the report."""
    context = practice_page.live_context(find(request, pk))
    response = render(request, "admin/tasks/practice/_live.html", context)
    response["Cache-Control"] = "no-store"
    if not context["open"]:
        response.status_code = STOP_POLLING
        response["HX-Refresh"] = "true"
    return response


def picture_view(request: HttpRequest, pk: int, shot: int) -> HttpResponse:
    """A screenshot of what this practice reported."""
    row = Screenshot.objects.filter(pk=shot, report__issued=find(request, pk)).first()
    if row is None:
        raise Http404("There is no such picture.")
    return image(row.name, row.media_type, bytes(row.content))


def next_view(request: HttpRequest, pk: int) -> HttpResponse:
    row = find(request, pk)
    try:
        made = practice.next_round(row)
    except Conflict as error:
        messages.error(request, str(error))
        return _to(row)
    _write_down(request, made)
    return _to(made)


def stop_view(request: HttpRequest, pk: int) -> HttpResponse:
    row = find(request, pk)
    if not practice.stop(row):
        messages.error(request, "It is just being sent, or over already: look again in a moment.")
    return _to(row)


def _write_down(request: HttpRequest, row: IssuedTask) -> None:
    LogEntry.objects.create(
        user_id=cast(int, request.user.pk),
        content_type=ContentType.objects.get_for_model(IssuedTask),
        object_id=str(row.pk),
        object_repr=str(row),
        action_flag=ADDITION,
        change_message="practice",
    )


def _to(row: IssuedTask) -> HttpResponse:
    return HttpResponseRedirect(reverse("admin:practice", args=[row.pk]))


def urls(page: Page) -> list[URLPattern]:
    return [
        page("practice/", "practices", require_http_methods(["GET", "HEAD", "POST"])(practices_view), may_practise),
        page("practice/<int:pk>/", "practice", require_safe(practice_view), may_practise),
        page("practice/<int:pk>/live/", "practice_live", require_safe(live_view), may_practise),
        page("practice/<int:pk>/pictures/<int:shot>/", "practice_picture", require_safe(picture_view), may_practise),
        page("practice/<int:pk>/next/", "practice_next", require_POST(next_view), may_practise),
        page("practice/<int:pk>/stop/", "practice_stop", require_POST(stop_view), may_practise),
    ]
