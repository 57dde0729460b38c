"""Runs as they are asked for: stored, refused, cancelled, removed."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from tasks.errors import RunRefused
from tasks.jobs import enqueue_run
from tasks.models import CodeVersion, ContainerRun, TaskRequest
from tasks.runners import Limits
from tasks.runners.base import MOST

PROGRAMS = ("main.py", "execute.py", "app.py", "run.py", "train.py", "script.py")
_PATH = re.compile(r"[\w.-][\w. -]*(?:/[\w.-][\w. -]*){0,5}")


def submit(
    *,
    task: TaskRequest | None = None,
    version: CodeVersion | None = None,
    command: Sequence[str] = (),
    files: Mapping[str, bytes] | None = None,
    stdin: str = "",
    limits: Mapping[str, Any] | None = None,
    agent: str = "",
) -> ContainerRun:
    """Store a run and put it into the queue. Without a command the version's Python program is run; `RunRefused` says what does not fit."""
    for path in files or {}:
        if not _PATH.fullmatch(path) or ".." in path.split("/"):
            raise RunRefused(f"{path!r} is no path below the working folder: use names such as data/input.csv.")
    paths = [*(files or {}), *(version.files.values_list("path", flat=True) if version else ())]
    run = ContainerRun(
        task_request=task or (version.task_request if version else None),
        round=version.round if version else None,
        version=version,
        agent=agent,
        runner=settings.RUNNER,
        command=list(command) or default_command(paths),
        files={path: base64.b64encode(content).decode() for path, content in (files or {}).items()},
        stdin=stdin,
        limits=asdict(limits_of(limits or {})),
    )
    with transaction.atomic():
        run.enqueued_at = timezone.now()
        run.save()
        enqueue_run(run.pk)
    return run


def default_command(paths: Sequence[str]) -> list[str]:
    """`python <program>` for the one program that the files hold."""
    programs = [path for path in paths if path.endswith(".py") and "/" not in path]
    chosen = next((name for name in PROGRAMS if name in programs), programs[0] if len(programs) == 1 else "")
    if not chosen:
        raise RunRefused(f"Say what to run: `command` is missing, and none of the files is called {', '.join(PROGRAMS)}.")
    return ["python3", chosen]


def limits_of(asked: Mapping[str, Any]) -> Limits:
    """The asked limits over the usual ones; `RunRefused` for one that is unknown, not a positive number, or beyond what is allowed."""
    chosen: dict[str, float | int] = {}
    for name, value in asked.items():
        most = getattr(MOST, name, None)
        if most is None:
            raise RunRefused(f"There is no limit called {name!r}: use {', '.join(asdict(MOST))}.")
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= most:
            raise RunRefused(f"The limit {name} must be above 0 and at most {most:g}.")
        chosen[name] = type(most)(value)
        if not chosen[name]:
            raise RunRefused(f"The limit {name} must be at least 1.")
    return replace(Limits(), **chosen)  # type: ignore[arg-type]


def cancel(run: ContainerRun) -> None:
    """Ask for its end. One that still waits is over at once; one that runs is ended by the worker that watches it."""
    now = timezone.now()
    waiting = ContainerRun.objects.filter(pk=run.pk, status=ContainerRun.Status.QUEUED)
    if not waiting.update(status=ContainerRun.Status.CANCELLED, reason="It was cancelled before it started.", finished_at=now, cancel_asked_at=now):
        ContainerRun.objects.filter(pk=run.pk, status__in=ContainerRun.OPEN, cancel_asked_at=None).update(cancel_asked_at=now)


def remove(run: ContainerRun) -> None:
    """Delete the row. A worker that runs it finds it gone within half a second and ends the program."""
    run.delete()
