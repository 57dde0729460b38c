"""What somebody sees who guessed a password too often (django-axes counts; its settings are in the login block of the settings)."""

from __future__ import annotations

import math
from typing import Any

from axes.helpers import get_client_ip_address, get_cool_off
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import timezone


def username(request: HttpRequest, credentials: dict[str, Any] | None = None) -> str:
    """The name that is counted: no longer than a user's can be, which the login form does not see to."""
    name = str((credentials or request.POST).get(User.USERNAME_FIELD) or "")
    return name[: getattr(User._meta.get_field(User.USERNAME_FIELD), "max_length", None)]


def answer(request: HttpRequest, original_response: HttpResponse | None, credentials: dict[str, Any] | None = None) -> HttpResponse:
    """429 with the time that is left and the cure; the same for a user that does not exist."""
    wait = seconds_left(request, credentials)
    context = {
        **admin.site.each_context(request),
        "title": "Too many wrong passwords",
        "failures": settings.AXES_FAILURE_LIMIT,
        "minutes": math.ceil(wait / 60),
    }
    page = render_to_string("admin/locked_out.html", context, request)
    return HttpResponse(page, status=429, headers={"Retry-After": str(wait), "Cache-Control": "no-store"})


def seconds_left(request: HttpRequest, credentials: dict[str, Any] | None) -> int:
    attempts = AccessAttempt.objects.filter(username=username(request, credentials), ip_address=get_client_ip_address(request))
    last = attempts.aggregate(last=Max("attempt_time"))["last"] or timezone.now()
    return max(1, math.ceil((last + get_cool_off(request) - timezone.now()).total_seconds()))
