"""Programs on the live monitor: what runs with the end of its output, what waits for its turn, and what has just ended."""

from __future__ import annotations

import shlex
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Case, IntegerField, QuerySet, Value, When
from django.db.models.functions import Right
from django.utils import timezone

from tasks.admin import columns
from tasks.admin.badges import badge
from tasks.models import ContainerRun

RUNS_SHOWN = 20
TAIL_LINES = 8
TAIL_CHARACTERS = 2_000  # of each stream that are read: an output may have megabytes
LONGEST = timedelta(hours=1)  # a run lasts five minutes at most; what was asked for earlier than this is not looked at


def runs() -> QuerySet[ContainerRun]:
    return ContainerRun.objects.select_related("task_request").defer("stdout", "stderr", "stdin", "files", "applied", "left_out")


def open_runs(now: datetime) -> list[dict[str, Any]]:
    """What runs before what waits, the longest first."""
    rank = Case(When(status="running", then=Value(0)), When(status="preparing", then=Value(1)), default=Value(2), output_field=IntegerField())
    tails = {"out": Right("stdout", TAIL_CHARACTERS), "err": Right("stderr", TAIL_CHARACTERS)}
    shown: QuerySet[Any] = runs().filter(status__in=ContainerRun.OPEN).annotate(**tails).order_by(rank, "pk")[:RUNS_SHOWN]
    return [
        {
            "row": run,
            "badge": badge(run.status),
            "link": columns.inside(run),
            "task": columns.inside(run.task_request),
            "command": columns.one_line(shlex.join(map(str, run.command)) if isinstance(run.command, list) else str(run.command), 200),
            "clock": clock(run, now),
            "limits": limits(run),
            "streams": [{"name": name, "text": tail(text)} for name, text in (("stdout", run.out), ("stderr", run.err)) if text],
        }
        for run in shown
    ]


def clock(run: ContainerRun, now: datetime) -> dict[str, str]:
    """Time so far and the share of what it may take; a run that waits has none."""
    if run.status != ContainerRun.Status.RUNNING or run.started_at is None:
        waited = columns.ago(run.created_at, now)
        return {"text": f"waits for {waited}" if run.status == ContainerRun.Status.QUEUED else "is being prepared", "share": "", "tone": "grey"}
    used = max(0.0, (now - run.started_at).total_seconds())
    most = number(run, "wall_seconds")
    if not most:
        return {"text": columns.units(used), "share": "", "tone": "blue"}
    share = min(100.0, 100 * used / most)
    left = f"{columns.units(most - used)} left" if used < most else "time is up"
    return {"text": f"{columns.units(used)} of {columns.units(most)}, {left}", "share": f"{share:.0f}", "tone": "orange" if share > 80 else "blue"}


def limits(run: ContainerRun) -> str:
    """What it may use beside time."""
    parts = [(number(run, "memory_mb"), "MB of memory"), (number(run, "cpu_seconds"), "s of processor"), (number(run, "processes"), "processes")]
    return ", ".join(f"{value:g} {unit}" for value, unit in parts if value)


def number(run: ContainerRun, name: str) -> float:
    value = run.limits.get(name) if isinstance(run.limits, dict) else None
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0


def tail(text: str) -> str:
    return "\n".join(line[:300] for line in text.rstrip("\n").splitlines()[-TAIL_LINES:])


def ended_runs(since: datetime, most: int) -> list[dict[str, Any]]:
    now = timezone.now()
    asked = runs().filter(created_at__gte=since - LONGEST, finished_at__gte=since).exclude(status__in=ContainerRun.OPEN)
    return [
        {
            "at": run.finished_at,
            "ago": columns.ago(run.finished_at, now),
            "badge": badge(run.status),
            "link": columns.inside(run),
            "text": columns.one_line(run.reason or (f"ran for {columns.units(run.wall_ms / 1000)}" if run.wall_ms is not None else "")),
        }
        for run in asked.order_by("-finished_at")[:most]
        if run.finished_at
    ]
