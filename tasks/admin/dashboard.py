"""The index: what needs attention, today's numbers, the last day by hour, and where the time goes. A constant number of queries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from statistics import median
from typing import Any
from urllib.parse import urlencode

from django.db.models import Case, Count, IntegerField, Min, Q, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce, TruncHour
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from tasks.admin import columns
from tasks.admin.badges import look
from tasks.admin.filters import attention
from tasks.admin.state import workers_alive
from tasks.models import CodeVersion, Round, StageRun
from tasks.pipeline import STAGES

HOURS = 24
SAMPLES = 3_000  # stage runs that the medians are taken of
ATTENTION_ROWS = 10


@dataclass(frozen=True)
class Tile:
    label: str
    value: str
    url: str
    icon: str
    tone: str
    note: str = ""


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """django-unfold's DASHBOARD_CALLBACK. Staff without the right to see rounds get the list of what they may see."""
    if not request.user.has_perm("tasks.view_round") and not request.user.has_perm("tasks.change_round"):
        return context
    now = timezone.now()
    alive = workers_alive(now)
    numbers = count(now)
    return {
        **context,
        "title": "Dashboard",
        "board": {
            "now": now,
            "alive": alive,
            "empty": not numbers["any"],
            "tiles": tiles(now, numbers, spent(now), alive),
            "attention": attention_rows(now),
            "attention_count": numbers["attention"],
            "attention_url": rounds_url(show="attention"),
            "hours": hours(now),
            "medians": medians(now),
        },
    }


def rounds_url(**query: str) -> str:
    return f"{reverse('admin:tasks_round_changelist')}?{urlencode(query)}"


def count(now: datetime) -> dict[str, Any]:
    """Every number of the tiles. "Today" begins at midnight UTC and counts by the time of receipt. Only what is open, of today or needs attention is
    gone through, however many rounds there have been."""
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    of_today = Round.objects.filter(received_at__gte=midnight(now)).aggregate(
        received=Count("pk"),
        succeeded=Count("pk", filter=Q(status="succeeded", degraded_id="")),
        degraded=Count("pk", filter=~Q(degraded_id="")),
        failed=Count("pk", filter=Q(status="failed")),
    )
    in_progress = Round.objects.open().aggregate(
        open=Count("pk"),
        running=Count("pk", filter=Q(status="running")),
        waiting=Count("pk", filter=Q(status="waiting")),
        overdue=Count("pk", filter=Q(deadline_at__lt=now, notified_at=None)),
        oldest_due=Min("next_run_at", filter=free & Q(next_run_at__lte=now)),
    )
    return {**of_today, **in_progress, "attention": Round.objects.filter(attention()).count(), "any": Round.objects.exists()}


def spent(now: datetime) -> dict[str, Any]:
    """Tokens and cost of the versions made today, in one query. Ids grow with time, so that only today's rows are read: they are long."""
    before = CodeVersion.objects.filter(created_at__lt=midnight(now)).order_by("-pk").values("pk")[:1]
    today = CodeVersion.objects.filter(pk__gt=Coalesce(Subquery(before), 0), created_at__gte=midnight(now))
    return today.aggregate(versions=Count("pk"), priced=Count("cost"), tokens_in=Sum("tokens_in"), tokens_out=Sum("tokens_out"), cost=Sum("cost"))


def midnight(now: datetime) -> datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def tiles(now: datetime, numbers: dict[str, Any], used: dict[str, Any], alive: int) -> list[Tile]:
    today = {"received_at__gte": midnight(now).isoformat(sep=" ")}
    written = f"{reverse('admin:tasks_codeversion_changelist')}?{urlencode({'created_at__gte': midnight(now).isoformat(sep=' ')})}"
    tokens = (used["tokens_in"] or 0) + (used["tokens_out"] or 0)
    oldest = numbers["oldest_due"]
    age = (now - oldest).total_seconds() if oldest else 0.0

    def tile(name: str, label: str, state: str, note: str = "", **query: str) -> Tile:
        shown = look(state)
        return Tile(label, f"{numbers[name]:,}", rounds_url(**query), shown.icon, shown.tone if numbers[name] else "grey", note)

    return [
        tile("received", "received", "queued", "today", **today),
        tile("open", "in progress", "running", f"{numbers['running']} running, {numbers['waiting']} waiting", show="open"),
        tile("overdue", "overdue", "overdue", "nobody told in time", show="overdue"),
        tile("failed", "failed", "failed", "today", status__exact="failed", **today),
        tile("degraded", "degraded", "degraded", "today", show="degraded", **today),
        tile("succeeded", "succeeded", "succeeded", "today, in full", status__exact="succeeded", degraded_id__isempty="1", **today),
        Tile(
            "queue age",
            columns.units(age) if oldest else "0 s",
            rounds_url(show="due"),
            "schedule",
            "orange" if age > 30 else "grey",
            "oldest due round",
        ),
        Tile("workers", str(alive), reverse("admin:tasks_worker_changelist"), "memory", "green" if alive else "red", "alive"),
        Tile(
            "tokens",
            columns.count(tokens),
            written,
            "token",
            "blue" if tokens else "grey",
            f"today, {columns.count(used['tokens_out'] or 0)} of them out",
        ),
        Tile(
            "cost",
            columns.dollars(used["cost"] or Decimal(0)),
            written,
            "payments",
            "blue" if used["cost"] else "grey",
            f"today, {used['priced']} of {used['versions']} versions priced",
        ),
    ]


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
