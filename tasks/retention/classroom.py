"""What hangs on a student's submission: the tasks that were issued to them, every try to, every report with what its evaluation left, grades and
overrides; and what the admin noted of those rows."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import QuerySet

from tasks.models import CheckResult, Grade, GradeOverride, IssuedTask, IssueTry, RepoReport, Screenshot, Submission


def counted(submissions: QuerySet[Submission]) -> dict[str, int]:
    """How many rows would go with these, but for themselves."""
    issued = IssuedTask.objects.filter(submission__in=submissions)
    reports = RepoReport.objects.filter(issued__in=issued)
    hanging: tuple[QuerySet[Any], ...] = (
        issued,
        IssueTry.objects.filter(issued__in=issued),
        reports,
        CheckResult.objects.filter(report__in=reports),
        Screenshot.objects.filter(report__in=reports),
        Grade.objects.filter(submission__in=submissions),
        GradeOverride.objects.filter(submission__in=submissions),
    )
    return {rows.model._meta.label: rows.count() for rows in hanging}


def clear(submissions: QuerySet[Submission]) -> Counter[str]:
    """Remove it, so that the submissions themselves can go. In the caller's transaction."""
    gone: Counter[str] = Counter()
    issued = IssuedTask.objects.filter(submission__in=submissions)
    noted: tuple[QuerySet[Any], ...] = (
        issued,
        RepoReport.objects.filter(issued__in=issued),
        Grade.objects.filter(submission__in=submissions),
        GradeOverride.objects.filter(submission__in=submissions),
        submissions,  # what `tasks.classroom.gradebook.changes` notes of overrides, also of those that are cleared by now
    )
    for rows in noted:
        ids = list(map(str, rows.values_list("pk", flat=True)))
        gone.update(LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(rows.model), object_id__in=ids).delete()[1])
    gone.update(issued.exclude(first=None).delete()[1])  # later rounds protect the first
    gone.update(issued.delete()[1])
    return gone
