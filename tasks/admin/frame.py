"""A page of the admin that belongs to no record, in the skin's frame."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.template.response import TemplateResponse


def framed(request: HttpRequest, template: str, title: str, extra: dict[str, Any]) -> TemplateResponse:
    request.current_app = admin.site.name  # type: ignore[attr-defined]
    return TemplateResponse(request, template, {**admin.site.each_context(request), "title": title, "is_fullwidth": "1", **extra})
