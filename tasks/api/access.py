"""Who asks: staff with a session, a program with a key, or anyone."""

from __future__ import annotations

import hmac

from django.conf import settings
from django.http import HttpRequest


def is_trusted(request: HttpRequest) -> bool:
    """Staff with the right to see rounds, or the holder of DEMO_API_KEY (header `X-API-KEY`): may see logs and personal data."""
    key = request.headers.get("X-API-KEY", "")
    if key and settings.DEMO_API_KEY:
        return hmac.compare_digest(key.encode(), settings.DEMO_API_KEY.encode())
    user = getattr(request, "user", None)
    return bool(user and user.is_active and user.is_staff and (user.has_perm("tasks.view_round") or user.has_perm("tasks.change_round")))


def wants_html(request: HttpRequest) -> bool:
    """A browser's address bar, as against a program: it names text/html before anything else that we have."""
    accept = request.headers.get("Accept", "")
    return "text/html" in accept and "application/json" not in accept.split("text/html")[0]
