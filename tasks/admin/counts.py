"""The numbers of the dashboard and the monitor. Only what is open, of today or needs attention is gone through, however long the history is."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Min, Q, Subquery, Sum
from django.db.models.functions import Coalesce

from tasks.admin import columns
from tasks.admin.filters import attention
from tasks.classroom.evaluating import queue
from tasks.models import AgentKey, CodeVersion, ContainerRun, RepoReport, Round

AGENT_SEEN = timedelta(minutes=15)


def count(now: datetime) -> dict[str, Any]:
    """Every number of the tiles. "Today" begins at midnight UTC and counts by the time of receipt. Only what is open, of today or needs attention is
    gone through, however many rounds there have been."""
    of_today = Round.objects.filter(received_at__gte=midnight(now)).aggregate(
        received=Count("pk"),
        succeeded=Count("pk", filter=Q(status="succeeded", degraded_id="")),
        degraded=Count("pk", filter=~Q(degraded_id="")),
        failed=Count("pk", filter=Q(status="failed")),
    )
    return {
        **of_today,
        **in_progress(now),
        **programs(),
        **agents(now),
        **reports(),
        "attention": Round.objects.filter(attention()).count(),
        "any": Round.objects.exists(),
    }


def in_progress(now: datetime) -> dict[str, Any]:
    """Open rounds by what they do; `oldest_due` is None when a worker has everything that is due."""
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    return Round.objects.open().aggregate(
        open=Count("pk"),
        running=Count("pk", filter=Q(status="running")),
        waiting=Count("pk", filter=Q(status="waiting")),
        queued=Count("pk", filter=Q(status="queued")),
        overdue=Count("pk", filter=Q(deadline_at__lt=now, notified_at=None)),
        oldest_due=Min("next_run_at", filter=free & Q(next_run_at__lte=now)),
    )


def programs() -> dict[str, int]:
    """Open container runs: those that run and those that wait for their turn."""
    waits = Q(status=ContainerRun.Status.QUEUED)
    return ContainerRun.objects.filter(status__in=ContainerRun.OPEN).aggregate(
        programs=Count("pk"), programs_running=Count("pk", filter=~waits), programs_waiting=Count("pk", filter=waits)
    )


def reports() -> dict[str, int]:
    """The class's reports: those that wait for their evaluation, and those that met an error of ours."""
    rows = RepoReport.objects.filter(issued__submission__is_practice=False)
    waiting = rows.filter(state__in=(RepoReport.State.QUEUED, RepoReport.State.RUNNING)).count()
    return {"reports_waiting": waiting, "reports_ours": queue.with_our_errors(rows).count(), "reports": int(rows.exists())}


def agents(now: datetime) -> dict[str, int]:
    """Keys that may be used, and those that were used in the last minutes."""
    valid = AgentKey.objects.filter(Q(expiry_date=None) | Q(expiry_date__gt=now), revoked=False)
    return valid.aggregate(keys=Count("pk"), agents=Count("pk", filter=Q(last_used_at__gte=now - AGENT_SEEN)))


def spent(now: datetime) -> dict[str, Any]:
    """Tokens and cost of the versions made today, in one query. Ids grow with time, so that only today's rows are read: they are long."""
    before = CodeVersion.objects.filter(created_at__lt=midnight(now)).order_by("-pk").values("pk")[:1]
    today = CodeVersion.objects.filter(pk__gt=Coalesce(Subquery(before), 0), created_at__gte=midnight(now))
    return today.aggregate(versions=Count("pk"), priced=Count("cost"), tokens_in=Sum("tokens_in"), tokens_out=Sum("tokens_out"), cost=Sum("cost"))


def midnight(now: datetime) -> datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def summary(numbers: dict[str, Any]) -> str:
    """One line that changes only when something begins, ends or is late: it is read aloud."""
    if not numbers["open"] and not numbers["programs"]:
        return "Nothing is going on."
    rounds = [f"{numbers[name]} {name}" for name in ("overdue", "running", "waiting", "queued") if numbers[name]]
    text = f"{columns.of(numbers['open'], 'round')} open{': ' if rounds else ''}{', '.join(rounds)}."
    if numbers["programs"]:
        text += f" {columns.of(numbers['programs_running'], 'program')} running, {numbers['programs_waiting']} waiting."
    return text
