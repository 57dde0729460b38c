"""What django-q2 calls: ids only. A message says "look at round 17"; whether there is anything to do, the row tells."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import timezone
from django_q.signing import SignedPackage

from tasks.broker import put

LOOK, EVALUATE, RUN = "tasks.jobs.look_at", "tasks.jobs.evaluate", "tasks.jobs.run_program"
PROBE, REPORT = "tasks.jobs.probe_endpoints", "tasks.jobs.evaluate_report"


def message(function: str, row_id: int, **more: Any) -> str:
    """What django-q2's `async_task` would store, made without its detours."""
    job = {
        "id": uuid.uuid4().hex,
        "name": f"{function.rpartition('.')[2]} {row_id}",
        "func": function,
        "args": (row_id,),
        "kwargs": {},
        "ack_failure": True,
        **more,
    }
    return str(SignedPackage.dumps({**job, "started": timezone.now()}))


def enqueue(*round_ids: int, since: datetime | None = None) -> None:
    """Put a message for each round into the queue, in the caller's transaction. A double message is harmless: only one claim succeeds.

    The queue serves first what has waited longest: `since` is when that began (default: now)."""

    def store() -> None:
        put(*(message(LOOK, id) for id in round_ids), since=since)

    if round_ids and settings.REDIS_URL:
        from tasks import redis_broker

        redis_broker.add(round_ids, since or timezone.now(), otherwise=store)
    elif round_ids:
        store()


def look_at(round_id: int) -> None:
    """Run the round's stages until one has to wait. Never raises: the outcome is in the rows."""
    from tasks.pipeline import run_round

    run_round(round_id)


def enqueue_evaluation(round_id: int) -> None:
    """Put "evaluate this round again" into the queue, in the caller's transaction."""
    put(message(EVALUATE, round_id))


def evaluate(round_id: int) -> None:
    """Evaluate the round's chosen version again, and its live page if there is one."""
    from tasks.evaluation import evaluate_again

    evaluate_again(round_id)


def enqueue_run(run_id: int) -> None:
    """Put "a program waits" into the queue, in the caller's transaction. Which one is run is settled when a worker is free: the oldest."""
    put(message(RUN, run_id, timeout=settings.RUN_TIMEOUT_SECONDS))


def run_program(run_id: int) -> None:
    """Run the program that has waited longest. Never raises."""
    from tasks.runs import run_next

    run_next()


def enqueue_probes() -> None:
    """Put "students' endpoints wait to be asked" into the queue, in the caller's transaction. Which ones, the rows tell."""
    put(message(PROBE, 0))


def probe_endpoints(_: int) -> None:
    """Ask endpoints for half a minute at most."""
    from tasks.classroom.probe_queue import ask_next

    ask_next()


def enqueue_reports() -> None:
    """Put "a report waits" into the queue, in the caller's transaction. Which one is evaluated, the rows tell: the oldest due."""
    put(message(REPORT, 0, timeout=settings.RUN_TIMEOUT_SECONDS))


def evaluate_report(_: int) -> None:
    """Evaluate the report that has been due longest. Never raises."""
    from tasks.classroom.evaluating.work import evaluate_next

    evaluate_next()


def prune(**options: Any) -> None:
    """Some seconds of the nightly prune (`manage.py prune --nightly`)."""
    from tasks.retention.nightly import Options, run_slice

    run_slice(Options(**options))


def send_issued() -> None:
    """Some seconds of sending issued tasks that are due."""
    from tasks.classroom.sending import run_slice

    run_slice()


def issue_round(**options: Any) -> None:
    """Make the issued tasks that a person asked for in the admin, and have them sent."""
    from tasks.classroom.issue import Order, run

    run(Order.of(options))
