"""Issued tasks and submissions that are old.

A later round refers to its round 1 and every task to its submission, and nothing goes that is referred to: they are taken in that order.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from tasks.models import Grade, GradeOverride, IssuedTask, RepoReport, Submission


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
    """Neither handed in, changed nor graded since, and nothing that was sent there is kept."""
    issued = IssuedTask.objects.filter(submission=OuterRef("pk")).order_by()
    return _idle(since).exclude(Exists(issued))


def freed_submissions(since: datetime) -> QuerySet[Submission]:
    """Those that nothing would hold any more once the quiet tasks are gone."""
    quiet = quiet_issued(since).order_by()
    kept = IssuedTask.objects.filter(submission=OuterRef("pk")).exclude(Q(pk__in=quiet.values("pk")) | Q(first__in=quiet.values("pk")))
    return _idle(since).exclude(Exists(kept.order_by()))


def _idle(since: datetime) -> QuerySet[Submission]:
    rows = Submission.every.filter(submitted_at__lt=since, updated_at__lt=since)  # practice grows old like the class's
    kept = Grade.objects.filter(submission=OuterRef("pk"), made_at__gte=since).order_by()
    overridden = GradeOverride.objects.filter(submission=OuterRef("pk"), updated_at__gte=since).order_by()
    return rows.exclude(Exists(kept)).exclude(Exists(overridden))
