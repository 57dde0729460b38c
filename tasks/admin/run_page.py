"""What is shown of a run: the whole on its own page, a line and the end of its output in a list. Both are also served alone, for the polls."""

from __future__ import annotations

import shlex
from typing import Any

from django.db.models import QuerySet
from django.db.models.functions import Right
from django.utils import timezone

from tasks.admin import columns, state
from tasks.admin.badges import badge, look
from tasks.models import ContainerRun, TaskRequest
from tasks.orchestrator.uploads import label_of

SHOWN = 20_000  # characters of each stream on the page; the whole is among the task's logs
TAIL = 4_000  # characters of both together in a list
TAIL_LINES = 15
NEWEST = 30  # runs of a task


def figures(run: ContainerRun) -> dict[str, str]:
    """Times and memory in units; while it runs, the time so far."""
    wall = run.wall_ms / 1000 if run.wall_ms is not None else None
    if wall is None and run.status == ContainerRun.Status.RUNNING and run.started_at:
        wall = (timezone.now() - run.started_at).total_seconds()
    return {
        "wall": columns.units(wall),
        "cpu": columns.units(run.cpu_ms / 1000) if run.cpu_ms is not None else "–",
        "memory": columns.size(run.memory_peak_kb * 1024) if run.memory_peak_kb is not None else "–",
    }


def command_of(run: ContainerRun) -> str:
    return shlex.join(map(str, run.command))


def live_context(run: ContainerRun) -> dict[str, Any]:
    """The part that moves, with what it left once it has ended."""
    streams = (("stdout", run.stdout, run.stdout_truncated), ("stderr", run.stderr, run.stderr_truncated))
    return {
        "run": run,
        "badge": badge(run.status),
        "word": look(run.status).word,
        "command": command_of(run),
        "no_worker": run.is_open and not state.workers_alive(),
        **figures(run),
        "streams": [
            {
                "name": name,
                "text": text[-SHOWN:],
                "size": columns.size(len(text.encode("utf-8", "replace"))),
                "truncated": cut,
                "hidden": len(text) > SHOWN,
                "shown": columns.size(SHOWN),
            }
            for name, text, cut in streams
            if text or name == "stdout"
        ],
        "artefacts": [
            {"row": file, "size": columns.size(file.size), "url": columns.admin_url(file, "download")} for file in run.artefacts.defer("content")
        ],
    }


def newest(task: TaskRequest, since: int = 0) -> QuerySet[ContainerRun]:
    """The task's runs with the ends of their outputs, the newest first; those with a higher id than `since` only."""
    rows = task.runs.filter(pk__gt=since).select_related("version").annotate(out_end=Right("stdout", TAIL), err_end=Right("stderr", TAIL))
    return rows.defer("files", "stdin", "stdout", "stderr", "version__prompt", "version__raw_answer").order_by("-id")[:NEWEST]


def row_context(run: ContainerRun) -> dict[str, Any]:
    """What `_row.html` shows."""
    out = getattr(run, "out_end", None)
    err = getattr(run, "err_end", None)
    tail = (run.stdout[-TAIL:] if out is None else out) + (run.stderr[-TAIL:] if err is None else err)
    return {
        "run": run,
        "badge": badge(run.status),
        "word": look(run.status).word,
        "command": command_of(run),
        "version_label": columns.one_line(label_of(run.version), 40) if run.version else "",
        "tail": "\n".join(tail.splitlines()[-TAIL_LINES:]),
        **figures(run),
    }
