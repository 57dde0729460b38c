"""Pages of the admin that belong to no record: the live monitor and the doctor, each with the fragment that it polls; the briefs and practice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.views.decorators.http import require_http_methods, require_safe

from tasks.admin import briefs, doctor, monitor, my_report, practice
from tasks.admin.frame import framed
from tasks.admin.tiles import may_see
from tasks.doctor.examination import latest
from tasks.models import Round


def may_see_monitor(request: HttpRequest) -> bool:
    return may_see(request, Round)


def monitor_view(request: HttpRequest) -> HttpResponse:
    return framed(request, "admin/tasks/monitor/page.html", "Monitor", monitor.live_context(request))


def monitor_live_view(request: HttpRequest) -> HttpResponse:
    """The poll never comes to an end by itself, since something may begin at any time: it only slows down."""
    response = render(request, "admin/tasks/monitor/_live.html", monitor.live_context(request))
    response["Cache-Control"] = "no-store"
    return response


def doctor_view(request: HttpRequest) -> HttpResponse:
    return framed(request, "admin/tasks/doctor/page.html", "Doctor", doctor.findings_context(latest()))


def briefs_view(request: HttpRequest) -> HttpResponse:
    return framed(request, "admin/tasks/briefs/list.html", "Briefs", briefs.list_context())


def brief_view(request: HttpRequest, name: str) -> HttpResponse:
    return framed(request, "admin/tasks/briefs/one.html", name, briefs.one_context(request, name))


def urls() -> list[URLPattern]:
    def page(route: str, name: str, view: Callable[..., HttpResponse], may: Callable[[HttpRequest], bool]) -> URLPattern:
        def guarded(request: HttpRequest, **named: Any) -> HttpResponse:
            if not may(request):
                raise PermissionDenied
            return view(request, **named)

        return path(route, admin.site.admin_view(guarded), name=name)

    return [
        page("monitor/", "monitor", require_safe(monitor_view), may_see_monitor),
        page("monitor/live/", "monitor_live", require_safe(monitor_live_view), may_see_monitor),
        page("doctor/", "doctor", require_safe(doctor_view), doctor.may_see_doctor),
        page("doctor/findings/", "doctor_findings", require_http_methods(["GET", "HEAD", "POST"])(doctor.findings_view), doctor.may_see_doctor),
        page("briefs/", "briefs", require_safe(briefs_view), briefs.may_see_briefs),
        page("briefs/<str:name>/", "brief", require_safe(brief_view), briefs.may_see_briefs),
        page("briefs/<str:name>/files/<int:number>/download/", "brief_file", require_safe(briefs.file_view), briefs.may_see_briefs),
        *practice.urls(page),
        *my_report.urls(page),
    ]


admin.site.extra_urls = urls  # type: ignore[attr-defined]  # the skin's own hook
