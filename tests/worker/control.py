"""The tests' hand in the database of the worker processes: `python -m tests.worker.control` answers one JSON call a line."""

from __future__ import annotations

import json
import os
import sys
import time
from datetime import timedelta
from typing import Any

import django


def ready() -> None:
    from django.db import connection

    connection.ensure_connection()


def clear(running: int | None) -> None:
    """Every row that a worker makes or takes, but the row of the worker that goes on running."""
    from django_q.models import OrmQ, Task

    from tasks.models import ContainerRun, IssuedTask, Submission, TaskRequest, Worker, WriteBudget

    for model in (OrmQ, Task, TaskRequest, ContainerRun, WriteBudget, IssuedTask, Submission):
        model.objects.all().delete()
    Worker.objects.exclude(pid=running).delete()


def enqueue(function: str, *args: Any, **options: Any) -> float:
    """The time right after the message was stored."""
    from django_q.tasks import async_task

    async_task(f"tests.worker.jobs.{function}", *args, **options)
    return time.time()


def make_round(**seconds: float) -> int:
    """A round of which the named times lie so many seconds ahead; a lease belongs to a worker that is gone."""
    from django.utils import timezone

    from tests.factories import make_round as make

    times = {name: timezone.now() + timedelta(seconds=value) for name, value in seconds.items()}
    leased = {"status": "running", "lease_owner": "elsewhere:1:1:99:abc"} if "lease_until" in times else {}
    return make(**times, **leased).pk


def run_program(text: str, **limits: Any) -> int:
    """Ask for a run of this Python program."""
    from tasks import runs

    return runs.submit(files={"main.py": text.encode()}, limits=limits).pk


def runs_rows() -> list[list[Any]]:
    """State, reason and output of every run, the oldest first."""
    from tasks.models import ContainerRun

    return [list(row) for row in ContainerRun.objects.order_by("pk").values_list("status", "reason", "stdout", "lease_owner")]


def report(url: str) -> int:
    """A student's report of this page, to be evaluated."""
    from tasks.jobs import enqueue_reports
    from tests.classroom.evaluating.work import make_report

    made = make_report(pages_url=url)
    enqueue_reports()
    return int(made.pk)


def report_row(pk: int) -> list[Any]:
    from tasks.models import RepoReport

    return list(RepoReport.objects.values_list("state", "attempt", "lease_owner", "error").get(pk=pk))


def post(*bodies: dict[str, Any]) -> None:
    """Accept requests as /ready does."""
    from tasks.intake import accept

    for body in bodies:
        accept(body)


def states() -> dict[str, int]:
    """How many rounds have which status."""
    from django.db.models import Count

    from tasks.models import Round

    return dict(Round.objects.order_by().values_list("status").annotate(Count("pk")))


def story() -> list[dict[str, Any]]:
    """What was done for each round, and by which worker."""
    from tasks.models import Round

    rounds = Round.objects.select_related("task_request").prefetch_related("stage_runs", "deployments", "notifications").order_by("pk")
    return [
        {
            "task": item.task_request.task,
            "nonce": item.nonce,
            "repo": item.task_request.repo_name,
            "runs": [[run.stage, run.attempt, run.outcome] for run in item.stage_runs.all()],
            "workers": sorted({run.worker.rpartition(":")[0].rpartition(":")[0] for run in item.stage_runs.all()}),
            "commits": [row.commit_sha for row in item.deployments.all()],
            "deliveries": [row.outcome for row in item.notifications.all()],
        }
        for item in rounds
    ]


def round_row(pk: int) -> dict[str, Any]:
    from tasks.models import Round

    row = Round.objects.filter(pk=pk).values("status", "lease_owner", "lease_until", "enqueued_at").get()
    return {name: value if isinstance(value, str) else value and value.timestamp() for name, value in row.items()}


def workers() -> list[dict[str, Any]]:
    from tasks.models import Worker

    rows = Worker.objects.order_by("pk").values("name", "pid", "processes", "restarts", "seen_at", "progress_at", "stopped_at")
    return [{name: value.timestamp() if hasattr(value, "timestamp") else value for name, value in row.items()} for row in rows]


def budgets() -> list[list[float]]:
    """The times of the writes with each token."""
    from tasks.models import WriteBudget

    return list(WriteBudget.objects.values_list("stamps", flat=True))


def queue() -> list[Any]:
    """Function and arguments of every message in the table."""
    from django_q.models import OrmQ

    return [[row.task["func"], *row.task["args"]] for row in OrmQ.objects.order_by("pk")]


def hold_database(path: str, seconds: float) -> None:
    """SQLite: keep the write lock, noting the start."""
    from django.db import transaction

    from tests.worker.jobs import note

    with transaction.atomic():
        note(path, "locked")
        time.sleep(seconds)


def hold_rounds(path: str, seconds: float) -> None:
    """PostgreSQL: nobody else can read or write rounds for so long."""
    from django.db import connection, transaction

    from tests.worker.jobs import note

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE tasks_round IN ACCESS EXCLUSIVE MODE")
        note(path, "locked")
        time.sleep(seconds)


def cut_connections() -> int:
    """PostgreSQL: end every other connection to this database; how many."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
        return cursor.fetchone()[0]


if __name__ == "__main__":
    answers = os.fdopen(os.dup(1), "w")
    django.setup()
    for line in sys.stdin:
        name, args, options = json.loads(line)
        print(json.dumps(globals()[name](*args, **options)), file=answers, flush=True)
