"""Does the service keep up? Rounds that have no page yet come first; what only makes pages better stands back while they could come too late.

At the pace of the last minute: how long until everybody who waits has a page, and is that well inside the time that the last of them has for it?
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, Max, Min
from django.utils import timezone

from tasks.deadline import Deadline
from tasks.models import CodeVersion, Round

WINDOW_SECONDS = 60.0  # over which the pace is measured; less when the oldest of the waiting rounds is younger
CALL_SECONDS = 60.0  # what the last of them needs for itself
MARGIN = 0.5  # share of the time left that the work ahead may take


def is_behind(now: datetime | None = None) -> bool:
    """Are there rounds without a page that may not get theirs in time, as things go?"""
    now = now or timezone.now()
    waiting = Round.objects.due(now).filter(stage__in=["attachments", "generate"], version=None, deadline_at__gt=now)
    found = waiting.aggregate(count=Count("pk"), first=Min("received_at"), last=Max("received_at"))
    if not found["count"]:
        return False
    span = min(WINDOW_SECONDS, max(1.0, (now - found["first"]).total_seconds()))
    made = CodeVersion.objects.filter(created_at__gte=now - timedelta(seconds=span)).count()
    left = Deadline(found["last"], settings.TASK_DEADLINE_SECONDS).budget("generate", now) - CALL_SECONDS
    return needed(found["count"], made, span) > left * MARGIN


def needed(waiting: int, made: int, span: float) -> float:
    """Seconds until all that wait are served, when `made` were in the last `span` seconds (none: as if it had been one)."""
    return waiting * span / max(made, 1)
