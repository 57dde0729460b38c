"""Every log of a task, wherever it is kept: files that agents posted, the output of its runs, the stages of its rounds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Func, IntegerField

from tasks.models import ContainerRun, Round, TaskRequest

PREVIEW_LINES = 50
_RUN = re.compile(r"container_(\d{1,18})\.(stdout|stderr)\.log")
_ROUND = re.compile(r"round_(\d{1,9})_(\d{1,18})\.log")


@dataclass(frozen=True)
class Log:
    filename: str
    content: str
    modified: datetime

    @property
    def size(self) -> int:
        return len(self.content.encode("utf-8", "replace"))

    @property
    def preview(self) -> str:
        """The first 50 lines, or fewer."""
        return "\n".join(self.content.splitlines()[:PREVIEW_LINES])


def all_of(task: TaskRequest) -> list[Log]:
    """The task's logs, the newest first."""
    found = [Log(row.filename, row.content, row.modified_at) for row in task.logs.all()]
    for run in task.runs.all():
        found += _of_run(run)
    found += [_of_round(round_) for round_ in task.rounds.prefetch_related("stage_runs")]
    return sorted(found, key=lambda log: log.modified, reverse=True)


@dataclass(frozen=True)
class Listed:
    """A log without its text. `size` is in bytes."""

    filename: str
    size: int
    modified: datetime


class Octets(Func):
    """How many bytes a text is in UTF-8, counted where it is kept."""

    function = "OCTET_LENGTH"
    output_field = IntegerField()

    def as_sqlite(self, compiler: Any, connection: Any, **more: Any) -> Any:
        return self.as_sql(compiler, connection, template="LENGTH(CAST(%(expressions)s AS BLOB))", **more)


def listing(task: TaskRequest, most: int) -> list[Listed]:
    """The task's logs, the newest first and at most so many of each kind. Files and outputs of runs are not read for it."""
    rows = task.logs.defer("content").order_by("-modified_at", "-id")[:most]
    found = [Listed(row.filename, row.size, row.modified_at) for row in rows]
    columns = ("pk", "created_at", "started_at", "finished_at", "out", "err")
    runs = task.runs.annotate(out=Octets("stdout"), err=Octets("stderr")).order_by("-id").values_list(*columns)[:most]
    for pk, created, started, finished, out, err in runs:
        moment = finished or started or created
        found += [Listed(_run_name(pk, stream), size, moment) for stream, size in (("stdout", out), ("stderr", err)) if size]
    rounds = task.rounds.defer("brief", "checks", "extra").prefetch_related("stage_runs").order_by("-id")[:most]
    found += [Listed(log.filename, log.size, log.modified) for log in map(_of_round, rounds)]
    return sorted(found, key=lambda log: log.modified, reverse=True)


def find(task: TaskRequest, filename: str) -> Log | None:
    """The task's log of that name. No name is ever a path of this machine."""
    row = task.logs.filter(filename=filename).first()
    if row:
        return Log(row.filename, row.content, row.modified_at)
    if match := _RUN.fullmatch(filename):
        run = task.runs.filter(pk=int(match[1])).first()
        return next((log for log in _of_run(run) if log.filename == filename), None) if run else None
    if match := _ROUND.fullmatch(filename):
        round_ = task.rounds.filter(number=int(match[1]), pk=int(match[2])).prefetch_related("stage_runs").first()
        return _of_round(round_) if round_ else None
    return None


def _of_run(run: ContainerRun) -> Iterator[Log]:
    for stream, content in (("stdout", run.stdout), ("stderr", run.stderr)):
        if content:
            yield Log(_run_name(run.pk, stream), content, run.finished_at or run.started_at or run.created_at)


def _run_name(pk: int, stream: str) -> str:
    return f"container_{pk}.{stream}.log"


def _of_round(round_: Round) -> Log:
    lines = [f"{round_.received_at.isoformat()} received"]
    moment = round_.received_at
    for stage in round_.stage_runs.all():
        moment = stage.finished_at or stage.started_at
        lines.append(f"{moment.isoformat()} {stage.stage} #{stage.attempt} {stage.outcome}: {stage.summary}")
        lines += [f"    {line}" for line in stage.detail.splitlines()]
    return Log(f"round_{round_.number}_{round_.pk}.log", "\n".join(lines) + "\n", moment)
