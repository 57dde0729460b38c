"""The live monitor: every open round and program by urgency, and what ended in the last minutes. A constant number of queries, of capped length."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Case, IntegerField, OuterRef, Subquery, Value, When
from django.http import HttpRequest
from django.utils import timezone
from django.utils.text import Truncator

from tasks.admin import columns, state
from tasks.admin.badges import badge
from tasks.admin.counts import in_progress, programs, summary
from tasks.admin.monitor_runs import ended_runs, open_runs
from tasks.admin.tiles import list_url, may_see, rounds_url
from tasks.admin.timeline import of_message, of_run
from tasks.models import ContainerRun, Message, Round, StageRun

ROUNDS_SHOWN = 50
ENDED_SHOWN = 10
ENDED_WITHIN = timedelta(minutes=10)
LOOKED_AT = 300  # newest stage runs among whose rounds those that have ended are looked for: ids grow with time, `finished_at` has no index
FAST_SECONDS, SLOW_SECONDS = 2, 10


def live_context(request: HttpRequest) -> dict[str, Any]:
    """All that moves. Programs are left out for whoever may not see them."""
    now = timezone.now()
    alive = state.workers_alive(now)
    numbers = in_progress(now)
    with_runs = may_see(request, ContainerRun)
    numbers |= programs() if with_runs else {"programs": 0, "programs_running": 0, "programs_waiting": 0}
    busy = bool(numbers["open"] or numbers["programs"])
    rounds = open_rounds(now, alive)
    runs = open_runs(now) if with_runs else []
    return {
        "now": now,
        "alive": alive,
        "busy": busy,
        "summary": summary(numbers),
        "seconds": FAST_SECONDS if busy else SLOW_SECONDS,
        "rounds": rounds,
        "more_rounds": numbers["open"] - len(rounds),
        "open_url": rounds_url(show="open"),
        "runs": runs,
        "more_runs": max(0, numbers["programs"] - len(runs)),
        "runs_url": list_url(ContainerRun, status__in=",".join(ContainerRun.OPEN)),
        "ended": sorted([*ended_rounds(now), *(ended_runs(now - ENDED_WITHIN, ENDED_SHOWN) if with_runs else [])], key=lambda row: row["at"])[::-1],
        "minutes": ENDED_WITHIN.seconds // 60,
        "none_yet": not busy and not Round.objects.exists(),
    }


def open_rounds(now: datetime, alive: int) -> list[dict[str, Any]]:
    """Those about which nobody was told come first, by their deadline: what is late, then what has the least time."""
    told = Case(When(notified_at=None, then=Value(0)), default=Value(1), output_field=IntegerField())
    rounds = Round.objects.open().select_related("task_request").defer("brief", "checks", "extra").order_by(told, "deadline_at", "pk")
    newest = {
        name: Subquery(rows.filter(round=OuterRef("pk")).order_by("-pk").values("pk")[:1])
        for name, rows in (("last_run", StageRun.objects.all()), ("last_message", Message.objects.all()))
    }
    shown: list[Any] = list(rounds.annotate(**newest)[:ROUNDS_SHOWN])
    runs = StageRun.objects.defer("detail").in_bulk({row.last_run for row in shown} - {None})
    said = Message.objects.in_bulk({row.last_message for row in shown} - {None})
    return [
        {
            "row": row,
            "who": columns.who(row),
            "where": columns.where(row, now),
            "time": columns.time_left(row, now),
            "doing": state.doing(row, now, alive),
            "degraded": row.degraded or row.degraded_id,
            "event": event(row, runs.get(row.last_run), said.get(row.last_message), now),
        }
        for row in shown
    ]


def event(round_: Round, run: StageRun | None, message: Message | None, now: datetime) -> dict[str, str]:
    """What was last heard of it."""
    if run:
        run.detail = ""  # it may be long and stays in the database
    entries = [of_run(run, round_.received_at)] if run else []
    entries += [of_message(message, round_.received_at)] if message else []
    if not entries:
        return {"text": "request received", "ago": columns.ago(round_.received_at, now)}
    last = max(entries, key=lambda entry: entry.at)
    text = f"{last.head}: {last.text}" if last.text else last.head
    return {"text": Truncator(columns.one_line(text, 400)).chars(160), "ago": columns.ago(last.at, now)}


def ended_rounds(now: datetime) -> list[dict[str, Any]]:
    recent = StageRun.objects.order_by("-pk").values("round_id")[:LOOKED_AT]
    ended = Round.objects.filter(pk__in=recent, finished_at__gte=now - ENDED_WITHIN).exclude(status__in=Round.OPEN)
    rows = ended.select_related("task_request").defer("brief", "checks", "extra").order_by("-finished_at")[:ENDED_SHOWN]
    return [
        {
            "at": row.finished_at,
            "ago": columns.ago(row.finished_at, now),
            "badge": badge("degraded" if row.status == "succeeded" and row.degraded_id else row.status),
            "link": columns.inside(row),
            "text": columns.one_line(row.error or row.degraded or columns.clock(row, now)["text"]),
        }
        for row in rows
        if row.finished_at
    ]
