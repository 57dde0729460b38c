"""Results, feedback and messages of agents."""

from __future__ import annotations

import math
from typing import Any

from django.db import transaction
from django.utils import timezone

from tasks.models import CodeVersion, LogFile, Message, Result, TaskRequest
from tasks.orchestrator.assignments import wake

MAX_LOG = 2_000_000  # characters of a raw log that are kept
EVALUATOR, CODER = "evaluator", "coder"


def report(
    task: TaskRequest,
    agent: str,
    *,
    version: CodeVersion | None = None,
    accuracy: float | None = None,
    loss: float | None = None,
    run_time: float | None = None,
    metrics: dict[str, Any] | None = None,
    passed: bool | None = None,
    raw_log: str = "",
) -> Result:
    """Store a result. Its raw log becomes the file `run_<id>.log` of the task. An evaluator's verdict may be what the task's round waits for."""
    with transaction.atomic():
        result = Result.objects.create(
            task_request=task,
            version=version,
            agent=agent,
            accuracy=_finite(accuracy),
            loss=_finite(loss),
            run_time=_finite(run_time),
            metrics=metrics or {},
            passed=passed,
        )
        if raw_log:
            result.log = log(task, f"run_{result.pk}.log", raw_log, agent)
            result.save(update_fields=["log"])
        wake(task)
    return result


def log(task: TaskRequest, filename: str, content: str, agent: str = "") -> LogFile:
    """Keep a log of the task; one of that name is replaced. Of a longer one the end is kept."""
    kept = content[-MAX_LOG:]
    row, _ = LogFile.objects.update_or_create(
        task_request=task,
        filename=filename,
        defaults={"content": kept, "size": len(kept.encode("utf-8", "replace")), "agent": agent, "modified_at": timezone.now()},
    )
    return row


def say(
    task: TaskRequest,
    sender: str,
    content: str,
    *,
    recipient: str = "",
    role: str = "",
    kind: str = Message.Kind.MESSAGE,
    version: CodeVersion | None = None,
    data: dict[str, Any] | None = None,
) -> Message:
    """Add to the task's conversation."""
    return Message.objects.create(
        task_request=task,
        round=version.round if version else None,
        version=version,
        sender=sender,
        recipient=recipient,
        role=role,
        kind=kind,
        body=content,
        data=data or {},
    )


def feed_back(task: TaskRequest, evaluator: str, text: str, *, version: CodeVersion | None = None, data: dict[str, Any] | None = None) -> Message:
    """What the coder should change: a message to it with the role `feedback`."""
    with transaction.atomic():
        message = say(
            task,
            evaluator,
            text,
            recipient=task.coder or CODER,
            role=str(Message.Kind.FEEDBACK),
            kind=Message.Kind.FEEDBACK,
            version=version,
            data=data,
        )
        wake(task)
    return message


def _finite(number: float | None) -> float | None:
    return number if number is not None and math.isfinite(number) else None
