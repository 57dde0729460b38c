"""One sentence that says how a round stands, and what can be done about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from tasks.admin.columns import clock, units
from tasks.models import Round, Worker

SILENT_AFTER_SECONDS = 15.0


def workers_alive(now: datetime | None = None) -> int:
    """Workers whose heartbeat is at most 15 seconds old."""
    now = now or timezone.now()
    return Worker.objects.filter(stopped_at=None, seen_at__gte=now - timedelta(seconds=SILENT_AFTER_SECONDS)).count()


def is_held(round_: Round, now: datetime) -> bool:
    """A worker's lease is on it, so it cannot be taken up again now."""
    return bool(round_.lease_until and round_.lease_until >= now)


@dataclass(frozen=True)
class State:
    """`sentence` explains, `tone` colours it, the rest says which buttons stand beside it."""

    sentence: str
    tone: str
    held: bool
    deployed: bool
    rerun_from: tuple[str, ...]


def explain(round_: Round, now: datetime, *, alive: int, deployed: bool) -> State:
    held = is_held(round_, now)
    first = "generate" if round_.status == "succeeded" else round_.stage
    stages = tuple(dict.fromkeys((first, "generate")))
    tone = {"failed": "red", "succeeded": "orange" if round_.degraded_id else "green", "queued": "grey"}.get(round_.status, "blue")
    return State(_sentence(round_, now, alive), tone, held, deployed, () if held else stages)


def doing(round_: Round, now: datetime, alive: int) -> str:
    """What an open round is at, and what it waits for."""
    worker = "a worker takes it next" if alive else "but no worker is running: start one with `manage.py worker`"
    match round_.status:
        case "queued":
            return f"Queued for {round_.stage}, {worker}"
        case "running":
            if not is_held(round_, now):
                return f"The worker on {round_.stage} went silent; the round is taken up again when another worker sees it"
            again = f", attempt {round_.attempt}" if round_.attempt > 1 else ""
            return f"A worker is on {round_.stage}{again}"
    ahead = (round_.next_run_at - now).total_seconds()
    then = f"looks again in {units(ahead)}" if ahead > 0 else f"due, {worker}"
    return f"Waits in {round_.stage}: {(round_.waiting_for or 'no reason given').rstrip('.')}; {then}"


def _sentence(round_: Round, now: datetime, alive: int) -> str:
    if round_.is_open:
        stop = "." if round_.status == "running" and not is_held(round_, now) else ";"
        return f"{doing(round_, now, alive)}{stop} {clock(round_, now)['text']}."
    if round_.status == "failed":
        return f"Failed in {round_.stage}: {round_.error or round_.error_id or 'no reason given'}"
    live = f"page live after {units((round_.live_at - round_.received_at).total_seconds())}" if round_.live_at else "page not seen live"
    told = f"evaluator told after {units((round_.notified_at - round_.received_at).total_seconds())}" if round_.notified_at else "evaluator not told"
    less = f" Less than asked: {round_.degraded or round_.degraded_id}" if round_.degraded_id else ""
    return f"Done: {live}, {told}.{less}"
