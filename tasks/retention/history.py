"""Tasks and rounds that are old, and the bulk that rounds leave behind.

A task goes whole, with all its rounds, when nothing of it is open and nothing has happened with it since the given moment: a round of it may revise
the page, run the earlier rounds' checks and publish their attachments, so while the task is young all of that stays. The one thing that goes before
is a round that was posted again (same number, a later nonce) and of which nothing is used any more: else a task posted anew each day would grow for
ever. Raw answers, prompts and screenshots are for looking at only and go first.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from django.db.models import CharField, DateTimeField, Exists, F, Model, OuterRef, Q, QuerySet, TextField, Value
from django.db.models.functions import Cast, Concat, Length

from tasks.models import CodeVersion, Deployment, GeneratedFile, Round, Screenshot, TaskRequest

AHEAD = frozenset(("deadline_at", "next_run_at", "lease_until"))  # moments that were to come, and tell of nothing that happened
PRUNED = "[pruned on "  # what stands in place of a text that went begins so


def quiet_tasks(since: datetime) -> QuerySet[TaskRequest]:
    """Made before that moment, nothing open, and not a row hangs on them that tells of a later one."""
    tasks = TaskRequest.objects.filter(created_at__lt=since)
    for relation in TaskRequest._meta.related_objects:
        model: type[Model] = relation.related_model  # type: ignore[assignment]
        told = Q()
        for moment in model._meta.concrete_fields:
            if isinstance(moment, DateTimeField) and moment.name not in AHEAD:
                told |= Q(**{f"{moment.name}__gte": since})
        if statuses := getattr(model, "OPEN", ()):
            told |= Q(status__in=statuses)
        if told:
            tasks = tasks.exclude(Exists(model._default_manager.filter(told, **{relation.field.name: OuterRef("pk")}).order_by()))
    return tasks


def replaced_rounds(since: datetime) -> QuerySet[Round]:
    """Ended before that moment, posted again since with a result, and no other round uses a version or an attachment of theirs."""
    other = ~Q(round=OuterRef("pk"))
    again = Round.objects.filter(task_request=OuterRef("task_request"), number=OuterRef("number"), pk__gt=OuterRef("pk"))
    used = (
        Deployment.objects.filter(other, version__round=OuterRef("pk")),
        Round.objects.filter(~Q(pk=OuterRef("pk")), version__round=OuterRef("pk")),
        GeneratedFile.objects.filter(attachment__round=OuterRef("pk")).filter(~Q(version__round=OuterRef("pk")) | Q(version__round=None)),
    )
    rounds = Round.objects.exclude(status__in=Round.OPEN).filter(received_at__lt=since, finished_at__lt=since)
    rounds = rounds.filter(Exists(again.exclude(status__in=Round.OPEN).filter(deployments__isnull=False).order_by()))
    for rows in used:
        rounds = rounds.exclude(Exists(rows.order_by()))
    return rounds


def worded_versions(since: datetime) -> QuerySet[CodeVersion]:
    """Older versions that still have their prompt or raw answer. An answer that was not parsed yet stays: it was paid for."""
    kept = ~Q(prompt__startswith=PRUNED) & ~Q(raw_answer__startswith=PRUNED)
    versions = CodeVersion.objects.filter(kept & (Q(prompt__gt="") | Q(raw_answer__gt="")), created_at__lt=since)
    return versions.exclude(status=CodeVersion.Status.ANSWERED).exclude(round__in=Round.objects.open().order_by())


def old_screenshots(since: datetime) -> QuerySet[Screenshot]:
    """Those of students' reports stay with the report: grades are asked about for longer."""
    return Screenshot.objects.filter(created_at__lt=since, report=None).exclude(round__in=Round.objects.open().order_by())


# -- what a batch does, inside its transaction ---------------------------------------------------------------------------------------------


def lock(rounds: QuerySet[Round]) -> list[int]:
    """Keep workers and operators off these rounds until the transaction ends; their ids. (SQLite: the transaction itself does.)"""
    return list(rounds.select_for_update().order_by("pk").values_list("pk", flat=True))


def lock_tasks(ids: list[int]) -> bool:
    """Rounds before tasks, as a worker takes them; with the tasks locked nobody can add a round either. False when one came in between: it is not
    locked, and to wait for it now could be to wait for each other."""
    rounds = Round.objects.filter(task_request__in=ids)
    held = lock(rounds)
    list(TaskRequest.objects.select_for_update().filter(pk__in=ids).order_by("pk").values_list("pk", flat=True))
    return held == list(rounds.order_by("pk").values_list("pk", flat=True))


def delete_tasks(ids: list[int], since: datetime, removed: Counter[str]) -> int:
    lock_tasks(ids)
    return count(quiet_tasks(since).filter(pk__in=ids), removed)


def delete_rounds(ids: list[int], since: datetime, removed: Counter[str]) -> int:
    lock(Round.objects.filter(pk__in=ids))
    return count(replaced_rounds(since).filter(pk__in=ids), removed)


def count(rows: QuerySet, removed: Counter[str]) -> int:
    """Delete the rows with all that hangs on them; how many of their own kind. `removed` is told the rest by model."""
    ids = list(rows.order_by().values_list("pk", flat=True))
    _, found = rows.model._default_manager.filter(pk__in=ids).delete()
    removed.update(found)
    return found.get(rows.model._meta.label, 0)


def blank(ids: list[int], since: datetime, by: str, now: datetime) -> int:
    """Put a line in place of prompt and raw answer that says when they went, by whom, and how long they were."""
    rows = worded_versions(since).filter(pk__in=ids)
    return rows.update(prompt=_note("prompt", by, now), raw_answer=_note("raw_answer", by, now))


def _note(name: str, by: str, now: datetime) -> Concat:
    length = Cast(Length(F(name)), CharField())
    head, tail = f"{PRUNED}{now:%d %b %Y} by {by}: it had ", " characters]"
    return Concat(Value(head), length, Value(tail), output_field=TextField())
