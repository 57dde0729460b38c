"""The one user interface: dashboard, records, round pages. One module per noun; Django's autodiscover finds them through here."""

from tasks.admin import (
    agents,
    checks,
    code,
    conversation,
    evidence,
    issued,
    logins,
    pages,
    pipeline,
    queue,
    reported,
    requests,
    rounds,
    runs,
    service,
    users,
)

__all__ = [
    "agents",
    "checks",
    "code",
    "conversation",
    "evidence",
    "issued",
    "logins",
    "pages",
    "pipeline",
    "queue",
    "reported",
    "requests",
    "rounds",
    "runs",
    "service",
    "users",
]
