"""Taking a round up again: from a stage, or only its notification. The admin's buttons and the commands `rerun` and `renotify` call this."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from tasks.models import Message, Round
from tasks.pipeline import STAGES


def rerun(round_: Round, from_stage: str = "") -> bool:
    """Queue the round again from `from_stage` (default: the stage it stopped in). False when a worker holds it right now.

    From `attachments` or `generate` the code is asked for anew; later stages take the version there is."""
    stage = from_stage or round_.stage
    if stage not in STAGES:
        raise ValueError(f"{stage!r} is no stage: use one of {', '.join(STAGES)}.")
    fields: dict[str, object] = {"stage": stage, "error_id": "", "error": "", "degraded_id": "", "degraded": "", "finished_at": None}
    if list(STAGES).index(stage) <= list(STAGES).index("generate"):
        fields |= {"reruns": round_.reruns + 1, "version": None, "live_at": None}
    return _requeue(round_, fields, f"run again from {stage}")


def renotify(round_: Round) -> bool:
    """Queue one more notification of what is deployed. False when a worker holds the round right now or nothing is deployed yet."""
    if not round_.deployments.exists():
        return False
    return _requeue(round_, {"stage": "notify", "error_id": "", "error": "", "finished_at": None}, "notify again")


def reevaluate(round_: Round) -> bool:
    """Queue one more evaluation of the round's chosen version and, where it is published, of the live page. Nothing is published or sent. False when
    there is no version."""
    from tasks.jobs import enqueue_evaluation

    if round_.version_id is None:
        return False
    with transaction.atomic():
        say(round_, "evaluate again")
        enqueue_evaluation(round_.pk)
    return True


def _requeue(round_: Round, fields: dict[str, object], what: str) -> bool:
    from tasks.jobs import enqueue

    now = timezone.now()
    with transaction.atomic():
        free = Round.objects.filter(pk=round_.pk).exclude(lease_until__gte=now)
        changed = free.update(
            status="queued",
            attempt=0,
            notify_asked_at=now,
            waiting_for="",
            lease_owner="",
            lease_until=None,
            next_run_at=now,
            enqueued_at=now,
            **fields,
        )
        if changed:
            say(round_, what)
            enqueue(round_.pk)
    return bool(changed)


def say(round_: Round, what: str) -> None:
    """An operator's step, in the task's conversation."""
    body = f"Round {round_.number}: {what}."
    Message.objects.create(task_request_id=round_.task_request_id, round_id=round_.pk, sender="operator", kind="event", body=body)
