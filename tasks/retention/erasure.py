"""Erase one person's data: everything that is stored under an e-mail address, and a report of what cannot be reached from here.

The order lets it be broken off anywhere and run again: open rounds end first (a worker that is on one finds its lease gone at its next write), then
go the repositories and log lines that only the rows lead to, then the rows. A worker may have been making a repository at that very moment, so they
are looked for once more at the end. Nothing on GitHub is deleted: the report names what is there.
"""

from __future__ import annotations

import json
import logging
import time
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from urllib.parse import quote

from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction
from django.db.models import CharField, JSONField, Model, Q, QuerySet, TextField
from django.utils import timezone

from tasks.errors import TaskError
from tasks.evaluators.prose import sentences
from tasks.models import CompiledCheck, Deployment, Round, Submission, TaskRequest
from tasks.prose.compiler import key
from tasks.retention import classroom, history, log_files, repositories

log = logging.getLogger(__name__)

ENDED = "Ended by an operator: the data of this person are being erased."
SETTLE_SECONDS = 3.0  # what a worker that was publishing gets to come to its next write


@dataclass
class Erased:
    """What went (or would go). `stays` are addresses of repositories elsewhere; `mentions` counts other people's rows with the address in them."""

    tasks: int = 0
    rounds: int = 0
    ended: int = 0
    log_lines: int = 0
    rows: Counter[str] = field(default_factory=Counter)
    repositories: list[str] = field(default_factory=list)
    stays: list[str] = field(default_factory=list)
    mentions: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    @property
    def nothing(self) -> bool:
        return not (self.tasks or self.rows or self.log_lines or self.repositories)


def tasks_of(email: str) -> QuerySet[TaskRequest]:
    return TaskRequest.objects.filter(email__iexact=email.strip()) if email.strip() else TaskRequest.objects.none()


def look(email: str) -> Erased:
    """What `erase` would do."""
    tasks = tasks_of(email)
    rounds = Round.objects.filter(task_request__in=tasks)
    found = Erased(tasks=tasks.count(), rounds=rounds.count(), ended=rounds.open().count(), stays=elsewhere(tasks))
    for rows in addressed(email):
        found.rows[rows.model._meta.label] = rows.count()
        if rows.model is Submission:
            found.rows.update(classroom.counted(rows))
    found.rows = +found.rows
    found.repositories = [kept.name for kept in repositories.of_markers(markers(tasks))]
    found.log_lines = log_files.remove(lambda: about_others(email, set(rounds.values_list("pk", flat=True))), dry_run=True)
    found.mentions = mentions(email)
    return found


def erase(email: str) -> Erased:
    tasks = tasks_of(email)
    erased = Erased(stays=elsewhere(tasks))
    ids, marked = list(tasks.values_list("pk", flat=True)), markers(tasks)
    rounds = list(Round.objects.filter(task_request__in=ids).order_by("pk").only("pk", "brief", "checks"))
    publishing = end(ids, erased)
    compiled = {key(text, round_.brief) for round_ in rounds for text in sentences(round_.checks)}
    outside(email, {round_.pk for round_ in rounds}, marked, erased)
    with wiped():
        for pk in ids:
            erase_task(pk, erased)
        for rows in addressed(email):
            with transaction.atomic():
                if rows.model is Submission:
                    erased.rows.update(classroom.clear(rows))
                erased.rows.update(rows.delete()[1])
        with transaction.atomic():
            erased.rows.update(CompiledCheck.objects.filter(key__in=compiled).delete()[1])
    if publishing:
        time.sleep(SETTLE_SECONDS)
    take_repositories(marked, erased)
    erased.tasks, erased.rounds = erased.rows["tasks.TaskRequest"], erased.rows["tasks.Round"]
    erased.mentions = mentions(email)
    log.info("The data of one person were erased: %s tasks, %s rounds.", erased.tasks, erased.rounds)
    return erased


# -- steps ---------------------------------------------------------------------------------------------------------------------------------


def end(tasks: list[int], erased: Erased) -> bool:
    """End what is open. True when a worker was just publishing one of these."""
    now = timezone.now()
    with transaction.atomic():
        rounds = Round.objects.filter(task_request__in=tasks)
        history.lock(rounds)
        publishing = rounds.open().filter(stage="publish", lease_until__gte=now).exists()
        fields = {"status": Round.Status.FAILED, "error_id": "erased", "error": ENDED, "waiting_for": "", "finished_at": now}
        erased.ended = rounds.open().update(**fields, lease_owner="", lease_until=None, enqueued_at=None)
    return publishing


def outside(email: str, rounds: set[int], marked: set[str], erased: Erased) -> None:
    """Repositories and log lines."""
    take_repositories(marked, erased)
    try:
        erased.log_lines = log_files.remove(lambda: about_others(email, rounds))
    except OSError as error:
        erased.problems.append(f"The log could not be rewritten: {error}. Run `prune --erase` again as the user that the service runs as.")


def take_repositories(marked: set[str], erased: Erased) -> None:
    try:
        erased.repositories += [kept.name for kept in repositories.of_markers(marked) if repositories.remove(kept)]
    except (OSError, TaskError) as error:
        erased.problems.append(f"Not all repositories could be removed: {error}. They go with `prune --repos --rounds-days 0`.")


def erase_task(pk: int, erased: Erased) -> None:
    """The task with all that hangs on it, whatever came in since it was looked up; and what the admin noted of them."""
    gone = False
    while not gone:
        with transaction.atomic():
            gone = history.lock_tasks([pk])
            if gone:
                rounds = Round.objects.filter(task_request=pk).values_list("pk", flat=True)
                for model, ids in ((TaskRequest, [pk]), (Round, list(rounds))):
                    entries = LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(model), object_id__in=list(map(str, ids)))
                    erased.rows.update(entries.delete()[1])
                erased.rows.update(TaskRequest.objects.filter(pk=pk).delete()[1])


# -- what belongs to a person ----------------------------------------------------------------------------------------------------------------


def addressed(email: str) -> Iterator[QuerySet]:
    """Rows of every other model that has a column `email`, but for people who log in to the admin."""
    for model in apps.get_app_config("tasks").get_models():
        if model is not TaskRequest and any(column.name == "email" for column in model._meta.concrete_fields):
            yield model._default_manager.filter(email__iexact=email.strip()).order_by()


def markers(tasks: QuerySet[TaskRequest]) -> set[str]:
    return set(tasks.values_list("marker", flat=True))


def elsewhere(tasks: QuerySet[TaskRequest]) -> list[str]:
    """Addresses of repositories that another service holds; of one that was only named, and may be in the making, its name."""
    urls = set(Deployment.objects.filter(round__task_request__in=tasks).exclude(host="local").values_list("repo_url", flat=True))
    rows = tasks.exclude(repo_host__in=("", "local")).exclude(repo_name="")
    urls |= {url or f"{name} (named on {host}, perhaps not made)" for url, name, host in rows.values_list("repo_url", "repo_name", "repo_host")}
    return sorted(urls)


def about_others(email: str, rounds: Collection[int]) -> log_files.Keep:
    """Keeps the lines that neither hold the address, as it is or in a URL, nor tell of one of these rounds. A longer address that ends in the same
    letters goes as well: a line too many is no loss."""
    plain = email.strip().lower()
    needles = {form.encode() for form in (json.dumps(plain)[1:-1], quote(plain, safe="").lower(), quote(plain).lower())}

    def keep(line: bytes) -> bool:
        if any(needle in line.lower() for needle in needles):
            return False
        try:
            said = json.loads(line) if b'"round"' in line else {}
        except ValueError:
            return True
        return not (isinstance(said, dict) and said.get("round") in rounds)

    return keep


def mentions(email: str) -> dict[str, int]:
    """How many other rows, by the admin's names, hold the address somewhere in their texts."""
    found = {}
    taken = set(tasks_of(email).values_list("pk", flat=True))
    for model in (*apps.get_app_config("tasks").get_models(), get_user_model()):
        texts = [column.name for column in model._meta.concrete_fields if isinstance(column, CharField | TextField | JSONField)]
        if texts:
            rows = model._default_manager.filter(reduce(or_, (Q(**{f"{name}__icontains": email.strip()}) for name in texts)))
            if number := without(rows, taken, email.strip()).count():
                found[str(model._meta.verbose_name_plural)] = number
    return found


def without(rows: QuerySet, tasks: set[int], email: str) -> QuerySet:
    """Rows that neither hang on one of these tasks nor on the person's submission."""
    model: type[Model] = rows.model
    if model is TaskRequest:
        return rows.exclude(pk__in=tasks)
    names = {column.name for column in model._meta.concrete_fields}
    if model._meta.app_label == "tasks":
        own = next((path for path in PERSONS if path.partition("__")[0] in names), None)
        rows = rows.exclude(**{f"{own}__iexact": email}) if own else rows
    relations = {column.name for column in model._meta.concrete_fields if column.is_relation}  # an issued task's `round` is a number
    path = next((path for path in PATHS if path.partition("__")[0] in relations), None)
    return rows.exclude(**{f"{path}__in": tasks}) if path else rows


PERSONS = ("email", "submission__email", "issued__submission__email", "report__issued__submission__email")
PATHS = ("task_request", "round__task_request", "version__task_request", "run__task_request")


@contextmanager
def wiped() -> Iterator[None]:
    """SQLite: what is deleted in this block is overwritten in the file, and the write-ahead log is emptied behind it."""
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        yield
        return
    with connection.cursor() as cursor:
        before = cursor.execute("PRAGMA secure_delete").fetchone()[0]
        cursor.execute("PRAGMA secure_delete = ON")
        try:
            yield
        finally:
            cursor.execute(f"PRAGMA secure_delete = {int(before)}")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
