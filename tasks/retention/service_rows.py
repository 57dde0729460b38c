"""What else would grow: rows that belong to no task."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from django.apps import apps
from django.db.models import QuerySet

from tasks.models import WriteBudget
from tasks.retention.ages import Ages

# Model, its moment, and which age counts. What is not installed is left out; a row that is open, or belongs to an open round, stays.
SHELVES = (
    ("tasks.ContainerRun", "created_at", "rounds"),
    ("tasks.CompiledCheck", "created_at", "rounds"),
    ("admin.LogEntry", "action_time", "rounds"),
    ("tasks.LogFile", "modified_at", "logs"),
    ("tasks.IdempotencyKey", "created_at", "logs"),
    ("django_q.Success", "stopped", "logs"),
    ("django_q.Failure", "stopped", "logs"),
    ("axes.AccessAttempt", "attempt_time", "logs"),
    ("axes.AccessFailureLog", "attempt_time", "logs"),
    ("axes.AccessLog", "attempt_time", "logs"),
    ("django_q.OrmQ", "lock", "idle"),
    ("tasks.Worker", "seen_at", "idle"),
    ("sessions.Session", "expire_date", "now"),
)


def old_rows(ages: Ages) -> Iterator[tuple[str, QuerySet]]:
    """(name, rows) of each kind."""
    for label, moment, age in SHELVES:
        try:
            model = apps.get_model(label)
        except LookupError:
            continue
        rows = model._default_manager.filter(**{f"{moment}__lt": getattr(ages, age)})
        if statuses := getattr(model, "OPEN", ()):
            rows = rows.exclude(status__in=statuses)
        yield str(model._meta.verbose_name_plural).lower(), rows


def delete(ids: list[Any], rows: QuerySet, removed: Counter[str]) -> int:
    """Those of the rows that may still go."""
    gone, found = rows.filter(pk__in=ids).delete()
    removed.update(found)
    return found.get(rows.model._meta.label, gone)


def unused_budgets(ages: Ages, rows: Iterable[WriteBudget]) -> QuerySet[WriteBudget]:
    """Of tokens that wrote nothing for a week and that GitHub does not ask to wait: forgetting them changes nothing."""
    edge = ages.idle.timestamp()
    unused = (row for row in rows if max(map(float, row.stamps), default=0.0) < edge and (row.blocked_until is None or row.blocked_until < ages.now))
    return WriteBudget.objects.filter(pk__in=[row.pk for row in unused])


def delete_budgets(ids: list[Any], ages: Ages, removed: Counter[str]) -> int:
    return delete(ids, unused_budgets(ages, WriteBudget.objects.select_for_update().filter(pk__in=ids)), removed)
