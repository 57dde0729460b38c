"""The index: what needs attention, today's numbers, the last day by hour, and where the time goes. A constant number of queries."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Case, IntegerField, Value, When
from django.http import HttpRequest
from django.utils import timezone

from tasks.admin import columns
from tasks.admin.charts import hours, medians
from tasks.admin.counts import count, spent, summary
from tasks.admin.filters import attention
from tasks.admin.start import cards
from tasks.admin.state import workers_alive
from tasks.admin.tiles import for_user, may_see, rounds_url, tiles
from tasks.models import Round

ATTENTION_ROWS = 10


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """django-unfold's DASHBOARD_CALLBACK. Staff without the right to see rounds get what they may do, and the list of what they may see."""
    if not may_see(request, Round):
        return {**context, "title": "Start", "start": cards(request)}
    now = timezone.now()
    alive = workers_alive(now)
    numbers = count(now)
    return {
        **context,
        "title": "Dashboard",
        "board": {
            "now": now,
            "alive": alive,
            "summary": summary(numbers),
            "empty": not numbers["any"],
            "tiles": for_user(request, tiles(now, numbers, spent(now), alive)),
            "attention": attention_rows(now),
            "attention_count": numbers["attention"],
            "attention_url": rounds_url(show="attention"),
            "hours": hours(now),
            "medians": medians(now),
        },
    }


def attention_rows(now: datetime) -> list[dict[str, Any]]:
    """Failed first, then overdue, then degraded; the newest first within each."""
    rank = Case(When(status="failed", then=Value(0)), When(status__in=Round.OPEN, then=Value(1)), default=Value(2), output_field=IntegerField())
    rounds = Round.objects.filter(attention()).select_related("task_request").defer("brief", "checks", "extra")
    return [
        {
            "who": columns.who(round_),
            "where": columns.where(round_, now),
            "time": columns.time_left(round_, now),
            "trouble": columns.trouble(round_),
            "links": columns.links(round_),
        }
        for round_ in rounds.order_by(rank, "-received_at")[:ATTENTION_ROWS]
    ]
