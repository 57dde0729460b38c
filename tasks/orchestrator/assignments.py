"""Tasks that agents post. With a built-in coder or evaluator the task gets a round, which goes through the ordinary pipeline."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from tasks.errors import Conflict
from tasks.jobs import enqueue
from tasks.models import Attachment, Message, Round, TaskRequest
from tasks.payload import AttachmentIn

BUILTIN = "builtin"  # as a task's coder or evaluator: the service's own generator, its evaluate stage
OUTSIDE_SECONDS = 3 * 24 * 3600  # for a round that waits for an agent's part
MOVES = {  # what may follow; a word that is not here is an agent's own and may be set at any time
    "created": {"running", "completed", "failed"},
    "running": {"completed", "failed"},
    "completed": {"running"},
    "failed": {"running"},
}


class IllegalMove(Conflict):
    """The status may not follow the one that the task has."""


def create(
    *,
    name: str,
    agent: str,
    dataset: str = "",
    description: str = "",
    coder: str = "",
    evaluator: str = "",
    brief: str = "",
    checks: Sequence[Any] = (),
    attachments: Sequence[AttachmentIn] = (),
) -> TaskRequest:
    """Store a task, and a round for it when the service takes a part."""
    with transaction.atomic():
        task = TaskRequest.objects.create(
            name=name, dataset=dataset, description=description, creator_agent=agent, coder=coder, evaluator=evaluator, status="created"
        )
        if BUILTIN in {coder, evaluator}:
            start(task, brief or description or name, list(checks), attachments)
    return task


def start(task: TaskRequest, brief: str, checks: list[Any], attachments: Sequence[AttachmentIn] = ()) -> Round:
    """The task's first round, in the caller's transaction. Nobody is notified: the agents look."""
    now = timezone.now()
    outside = bool({task.coder, task.evaluator} - {BUILTIN})
    seconds = OUTSIDE_SECONDS if outside else settings.TASK_DEADLINE_SECONDS
    asked = [brief, checks, "", [[item.name, item.url] for item in attachments]]
    round_ = Round.objects.create(
        task_request=task,
        number=1,
        nonce=uuid.uuid4().hex,
        brief=brief,
        checks=checks,
        fingerprint=hashlib.sha256(msgspec.json.encode(asked, order="sorted")).hexdigest(),
        received_at=now,
        deadline_at=now + timedelta(seconds=seconds),
        next_run_at=now,
        enqueued_at=now,
    )
    Attachment.objects.bulk_create(
        Attachment(round=round_, position=position, name=item.name, url=item.url) for position, item in enumerate(attachments)
    )
    TaskRequest.objects.filter(pk=task.pk).update(status="running")
    task.status = "running"
    enqueue(round_.pk)
    return round_


def set_status(task: TaskRequest, status: str, agent: str, reason: str = "") -> None:
    """Set the status and keep who did it and why as an event; `IllegalMove` for one that cannot follow."""
    known = MOVES.get(task.status)
    if status == task.status:
        return
    if known is not None and status in MOVES and status not in known:
        raise IllegalMove(f"A task that is {task.status} cannot become {status}; it may become {', '.join(sorted(known))}.")
    with transaction.atomic():
        if not TaskRequest.objects.filter(pk=task.pk, status=task.status).update(status=status):
            raise IllegalMove("The task's status was changed by another just now; read it again.")
        body = f"{task.status} → {status}" + (f": {reason}" if reason else "")
        Message.objects.create(task_request=task, sender=agent, kind=Message.Kind.EVENT, body=body, data={"from": task.status, "to": status})
    task.status = status


def shown_status(task: TaskRequest) -> str:
    """An agent's task: as it was set, or how its round went. A course's task: its newest round."""
    rounds = list(task.rounds.all())
    if not rounds:
        return task.status
    newest = max(rounds, key=lambda round_: round_.pk)
    if task.name and task.status in {"completed", "failed"}:
        return task.status
    return {"succeeded": "completed", "failed": "failed"}.get(newest.status, "running")


def wake(task: TaskRequest) -> None:
    """An agent did something that the task's open round may wait for."""
    now = timezone.now()
    for pk in task.rounds.filter(status=Round.Status.WAITING, stage__in=["generate", "evaluate"]).values_list("pk", flat=True):
        if Round.objects.filter(pk=pk, status=Round.Status.WAITING).update(next_run_at=now, enqueued_at=now):
            enqueue(pk)
