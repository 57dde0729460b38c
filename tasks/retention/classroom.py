"""The instructor's side: issued tasks with their tries and reports, and the submissions that they were sent to.

A later round refers to its round 1 and every task to its submission, and none of these goes by itself while something refers to it; so they are taken
in that order.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from tasks.models import IssuedTask, IssueTry, RepoReport, Submission


def of_person(email: str) -> tuple[QuerySet, ...]:
    """Everything of one student, what refers to others first."""
    theirs = IssuedTask.objects.filter(submission__email__iexact=email.strip()).order_by()
    return (
        RepoReport.objects.filter(issued__in=theirs).order_by(),
        IssueTry.objects.filter(issued__in=theirs).order_by(),
        theirs.filter(first__isnull=False),
        theirs,
        Submission.objects.filter(email__iexact=email.strip()).order_by(),
    )


def erase(email: str, erased: Counter[str]) -> None:
    """Delete it, and what the admin noted of it. A sender that is on one of these tasks finds its row gone."""
    with transaction.atomic():
        list(Submission.objects.select_for_update().filter(email__iexact=email.strip()).values_list("pk", flat=True))
        for rows in of_person(email):
            ids = list(map(str, rows.values_list("pk", flat=True)))
            entries = LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(rows.model), object_id__in=ids)
            erased.update(entries.delete()[1])
            erased.update(rows.delete()[1])


def look(email: str) -> Counter[str]:
    """How many rows of each model `erase` would take."""
    theirs = {rows.model: rows.count() for rows in of_person(email)}  # of issued tasks the last, which are all
    return +Counter({model._meta.label: number for model, number in theirs.items()})


# -- by age --------------------------------------------------------------------------------------------------------------------------------


def quiet_issued(since: datetime) -> QuerySet[IssuedTask]:
    """Rounds 1, with which nothing has happened since that moment, nor with a later round of theirs, and of which nothing is still to be sent."""
    late = Q(created_at__gte=since) | Q(sent_at__gte=since) | Q(accepted_at__gte=since) | Q(status__in=IssuedTask.OPEN)
    reported = RepoReport.objects.filter(Q(received_at__gte=since) | Q(evaluated_at__gte=since)).order_by()
    later = IssuedTask.objects.filter(first=OuterRef("pk")).order_by()
    rows = IssuedTask.objects.filter(first=None).exclude(late).exclude(Exists(reported.filter(issued=OuterRef("pk"))))
    return rows.exclude(Exists(later.filter(late))).exclude(Exists(reported.filter(issued__first=OuterRef("pk"))))


def delete_issued(ids: list[int], since: datetime, removed: Counter[str]) -> int:
    """Those of the rounds 1 that may still go, with their later rounds."""
    rows = list(quiet_issued(since).filter(pk__in=ids).values_list("pk", flat=True))
    for chosen in (IssuedTask.objects.filter(first__in=rows), IssuedTask.objects.filter(pk__in=rows)):
        removed.update(chosen.delete()[1])
    return len(rows)


def unused_submissions(since: datetime) -> QuerySet[Submission]:
    """Neither handed in nor changed since, and nothing that was sent there is kept."""
    issued = IssuedTask.objects.filter(submission=OuterRef("pk")).order_by()
    return _idle(since).exclude(Exists(issued))


def freed_submissions(since: datetime) -> QuerySet[Submission]:
    """Those that nothing would hold any more once the quiet tasks are gone."""
    quiet = quiet_issued(since).order_by()
    kept = IssuedTask.objects.filter(submission=OuterRef("pk")).exclude(Q(pk__in=quiet.values("pk")) | Q(first__in=quiet.values("pk")))
    return _idle(since).exclude(Exists(kept.order_by()))


def _idle(since: datetime) -> QuerySet[Submission]:
    return Submission.objects.filter(submitted_at__lt=since, updated_at__lt=since)
