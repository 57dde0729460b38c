"""Remove what is old, in this order: tasks, replaced rounds, raw answers, screenshots, the service's own rows, log lines and, when asked for,
repositories of the local host. Each step stands alone and may be run again, so an end at any moment loses nothing but time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.apps import apps
from django.db.models import Q, QuerySet

from tasks.errors import TaskError
from tasks.models import Round, Submission, WriteBudget
from tasks.retention import history, issued, log_files, repositories, service_rows
from tasks.retention.ages import Ages
from tasks.retention.batches import Batches

TASKS, REPLACED = "tasks", "replaced rounds"
MOST_TOLD = 20  # of rows that something refers to
Take = Callable[[list[Any]], int]


@dataclass
class Pruned:
    """What went (or would go): by the names that people know, and all rows by model. `problems` are sentences for the operator."""

    counts: dict[str, int] = field(default_factory=dict)
    rows: Counter[str] = field(default_factory=Counter)
    repositories: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    finished: bool = True
    longest: float = 0.0  # seconds of the longest transaction


def prune(ages: Ages, batches: Batches, *, by: str, repos: bool = False, dry_run: bool = False) -> Pruned:
    """`by` is who asks, for the line that takes a raw answer's place."""
    pruned = Pruned()
    for what, rows, take in steps(ages, by, pruned.rows):
        pruned.counts[what] = left(rows, ages).count() if dry_run else batches.run(what, rows, take)
    pruned.counts["rounds"] = rounds(ages).count() if dry_run else pruned.rows["tasks.Round"]
    if batches.finished:
        outside(ages, pruned, repos=repos, dry_run=dry_run)
    pruned.finished, pruned.longest = batches.finished, batches.longest
    pruned.problems += batches.refused[:MOST_TOLD]
    return pruned


def steps(ages: Ages, by: str, removed: Counter[str]) -> Iterator[tuple[str, QuerySet, Take]]:
    """(what, the rows that may go, what a batch does)"""
    yield TASKS, history.quiet_tasks(ages.rounds), partial(history.delete_tasks, since=ages.rounds, removed=removed)
    yield REPLACED, history.replaced_rounds(ages.rounds), partial(history.delete_rounds, since=ages.rounds, removed=removed)
    yield "issued tasks", issued.quiet_issued(ages.rounds), partial(issued.delete_issued, since=ages.rounds, removed=removed)
    yield "submissions", issued.unused_submissions(ages.rounds), delete(issued.unused_submissions(ages.rounds), removed)
    yield "raw answers", history.worded_versions(ages.answers), partial(history.blank, since=ages.answers, by=by, now=ages.now)
    yield "screenshots", history.old_screenshots(ages.answers), delete(history.old_screenshots(ages.answers), removed)
    for what, rows in service_rows.old_rows(ages):
        yield what, rows, delete(rows, removed)
    budgets = service_rows.unused_budgets(ages, WriteBudget.objects.all())
    yield "write budgets", budgets, partial(service_rows.delete_budgets, ages=ages, removed=removed)


def delete(rows: QuerySet, removed: Counter[str]) -> Take:
    return partial(service_rows.delete, rows=rows, removed=removed)


def rounds(ages: Ages) -> QuerySet[Round]:
    """All that go, with their task or before it."""
    return Round.objects.filter(
        Q(task_request__in=history.quiet_tasks(ages.rounds).order_by()) | Q(pk__in=history.replaced_rounds(ages.rounds).order_by())
    )


def left(rows: QuerySet, ages: Ages) -> QuerySet:
    """What a step would find after the steps before it, which nobody took."""
    if rows.model is Submission:
        return rows | issued.freed_submissions(ages.rounds)
    names = {column.name for column in rows.model._meta.concrete_fields if column.is_relation}
    if "round" in names:
        rows = rows.exclude(round__in=rounds(ages).order_by())
    if "task_request" in names:
        rows = rows.exclude(task_request__in=history.quiet_tasks(ages.rounds).order_by())
    return rows


def outside(ages: Ages, pruned: Pruned, *, repos: bool, dry_run: bool) -> None:
    """What is not in the database. A disk that refuses is a problem to be told, and no reason to leave the rest."""
    try:
        pruned.counts["log lines"] = log_files.remove(lambda: log_files.newer_than(ages.logs), dry_run=dry_run)
    except OSError as error:
        pruned.problems.append(f"The log could not be rewritten: {error}. Run the command as the user that the service runs as.")
    if not repos:
        return
    try:
        orphans = repositories.orphans(ages.rounds)
        pruned.repositories = [kept.name for kept in orphans if dry_run or repositories.remove(kept)]
    except (OSError, TaskError) as error:
        pruned.problems.append(f"Not all repositories could be removed: {error}. Run the command again.")
    pruned.counts["repositories"] = len(pruned.repositories)


def named(rows: Counter[str]) -> dict[str, int]:
    """Counts by model, under the names that the admin uses."""
    return {str(apps.get_model(label)._meta.verbose_name_plural): number for label, number in sorted(rows.items()) if number}
