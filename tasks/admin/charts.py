"""The dashboard's two charts: the last day by hour and outcome, and where the time goes. A constant number of queries."""

from __future__ import annotations

from datetime import datetime, timedelta
from statistics import median
from typing import Any
from urllib.parse import urlencode

from django.db.models import Case, Count, Q, Subquery, Value, When
from django.db.models.functions import Coalesce, TruncHour
from django.urls import reverse

from tasks.admin import columns
from tasks.admin.tiles import rounds_url
from tasks.models import Round, StageRun
from tasks.pipeline import STAGES

HOURS = 24
SAMPLES = 3_000  # stage runs that the medians are taken of


def hours(now: datetime) -> dict[str, Any]:
    """Rounds of the last 24 hours by hour of receipt and outcome, as stacked columns whose parts link to their rounds."""
    this_hour = now.replace(minute=0, second=0, microsecond=0)
    first = this_hour - timedelta(hours=HOURS - 1)
    outcome = Case(
        When(status="failed", then=Value("failed")),
        When(status__in=Round.OPEN, then=Value("open")),
        When(~Q(degraded_id=""), then=Value("degraded")),
        default=Value("succeeded"),
    )
    rows = (
        Round.objects.filter(received_at__gte=first)
        .annotate(hour=TruncHour("received_at"), outcome=outcome)
        .values("hour", "outcome")
        .annotate(count=Count("pk"))
        .order_by("hour")
    )
    counts: dict[datetime, dict[str, int]] = {first + timedelta(hours=index): {} for index in range(HOURS)}
    for row in rows:
        counts.setdefault(row["hour"], {})[row["outcome"]] = row["count"]
    top = max((sum(parts.values()) for parts in counts.values()), default=0)
    columns_ = [_column(hour, parts, top) for hour, parts in counts.items()]
    legend = [{"name": name, "tone": tone, "count": sum(parts.get(name, 0) for parts in counts.values())} for name, tone in OUTCOMES.items()]
    return {"columns": columns_, "top": top, "legend": legend, "total": sum(item["count"] for item in legend)}


OUTCOMES = {"failed": "red", "degraded": "orange", "open": "blue", "succeeded": "green"}
FILTERS = {
    "failed": {"status__exact": "failed"},
    "degraded": {"status__exact": "succeeded", "degraded_id__isempty": "0"},
    "open": {"show": "open"},
    "succeeded": {"status__exact": "succeeded", "degraded_id__isempty": "1"},
}


def _column(hour: datetime, parts: dict[str, int], top: int) -> dict[str, Any]:
    span = {"received_at__gte": hour.isoformat(sep=" "), "received_at__lt": (hour + timedelta(hours=1)).isoformat(sep=" ")}
    return {
        "label": f"{hour:%H}",
        "parts": [
            {
                "tone": tone,
                "height": f"{100 * parts[name] / top:.1f}",
                "url": rounds_url(**FILTERS[name], **span),
                "title": f"{hour:%H:%M} UTC: {parts[name]} {name}",
            }
            for name, tone in OUTCOMES.items()
            if parts.get(name)
        ],
    }


def medians(now: datetime) -> list[dict[str, Any]]:
    """Median seconds of the finished runs of each stage in the last 24 hours (of the newest 3,000 runs)."""
    first = now - timedelta(hours=HOURS)
    before = StageRun.objects.filter(started_at__lt=first).order_by("-pk").values("pk")[:1]  # as in `spent`
    runs = StageRun.objects.filter(pk__gt=Coalesce(Subquery(before), 0), outcome="done", finished_at__isnull=False, started_at__gte=first)
    seconds: dict[str, list[float]] = {}
    for stage, started, finished in runs.order_by("-id").values_list("stage", "started_at", "finished_at")[:SAMPLES]:
        if finished is not None:
            seconds.setdefault(stage, []).append((finished - started).total_seconds())
    middle = {stage: median(values) for stage, values in seconds.items()}
    top = max(middle.values(), default=0.0) or 1.0
    since = (now - timedelta(hours=HOURS)).replace(microsecond=0).isoformat(sep=" ")
    return [
        {
            "stage": stage,
            "text": columns.units(middle[stage]) if stage in middle else "–",
            "count": len(seconds.get(stage, [])),
            "width": f"{100 * middle.get(stage, 0.0) / top:.1f}",
            "url": f"{reverse('admin:tasks_stagerun_changelist')}?{urlencode({'stage': stage, 'outcome__exact': 'done', 'started_at__gte': since})}",
        }
        for stage in STAGES
    ]
