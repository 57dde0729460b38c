"""Who asks: staff with a session, a program with a key, or anyone."""

from __future__ import annotations

from django.http import HttpRequest
from rest_framework.exceptions import AuthenticationFailed

from tasks.api.agents import HEADER, READER, agent_of


def is_trusted(request: HttpRequest) -> bool:
    """Staff with the right to see rounds, or a program whose key has the role reader: may see logs and personal data."""
    if request.headers.get(HEADER):
        try:
            agent = agent_of(request)
        except AuthenticationFailed:
            return False
        return agent is not None and agent.may(READER)
    user = getattr(request, "user", None)
    return bool(user and user.is_active and user.is_staff and (user.has_perm("tasks.view_round") or user.has_perm("tasks.change_round")))


def wants_html(request: HttpRequest) -> bool:
    """A browser's address bar, as against a program: it names text/html before anything else that we have."""
    accept = request.headers.get("Accept", "")
    return "text/html" in accept and "application/json" not in accept.split("text/html")[0]
