"""The one user interface: dashboard, records, round pages. One module per noun; Django's autodiscover finds them through here."""

from tasks.admin import (
    agents,
    checks,
    code,
    conversation,
    evidence,
    logins,
    pages,
    pipeline,
    queue,
    requests,
    rounds,
    runs,
    service,
    submissions,
    users,
)

__all__ = [
    "agents",
    "checks",
    "code",
    "conversation",
    "evidence",
    "logins",
    "pages",
    "pipeline",
    "queue",
    "requests",
    "rounds",
    "runs",
    "service",
    "submissions",
    "users",
]
