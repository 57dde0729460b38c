"""Prune each night, by the workers themselves: `manage.py prune --nightly` writes one row, each worker's supervisor looks at it now and then.

The row is a schedule of django-q2, so that the admin shows it; django-q2's own scheduler is off. Of any number of workers one gets the night's run,
and does it as jobs of some seconds each, so that rounds are not kept waiting.
"""

from __future__ import annotations

import ast
import logging
from dataclasses import asdict, dataclass
from datetime import datetime, time, timedelta

from django.db import transaction
from django.utils import timezone
from django_q.models import Schedule
from django_q.tasks import async_task

from tasks.retention.ages import ANSWERS_DAYS, LOGS_DAYS, ROUNDS_DAYS, Ages

log = logging.getLogger(__name__)

NAME, JOB = "nightly prune", "tasks.jobs.prune"
AT = time(3, 17)  # UTC
SLICE_SECONDS = 10.0


@dataclass(frozen=True)
class Options:
    """What a night's run is told, days and all."""

    rounds_days: float = ROUNDS_DAYS
    answers_days: float = ANSWERS_DAYS
    logs_days: float = LOGS_DAYS
    repos: bool = False


def switch_on(options: Options) -> datetime:
    """From now on each night, with these options in place of former ones; when the first time is."""
    first = next_night(timezone.now())
    row = {"func": JOB, "kwargs": repr(asdict(options)), "schedule_type": Schedule.DAILY, "repeats": -1, "next_run": first}
    Schedule.objects.update_or_create(name=NAME, defaults=row)
    return first


def switch_off() -> bool:
    """Whether it was on."""
    return bool(Schedule.objects.filter(name=NAME).delete()[0])


def next_night(now: datetime) -> datetime:
    today = now.replace(hour=AT.hour, minute=AT.minute, second=0, microsecond=0)
    return today if today > now else today + timedelta(days=1)


def enqueue_when_due() -> bool:
    """Put the night's first job into the queue when its time has come; True for the one caller that did."""
    now = timezone.now()
    with transaction.atomic():
        row = Schedule.objects.filter(name=NAME, next_run__lte=now).first()
        if row is None or not Schedule.objects.filter(pk=row.pk, next_run=row.next_run).update(next_run=next_night(now)):
            return False
        async_task(JOB, **ast.literal_eval(row.kwargs or "{}"))
    return True


def run_slice(options: Options) -> None:
    """Some seconds of pruning; what is left is the next job's."""
    from tasks.retention.batches import Batches
    from tasks.retention.pruning import prune

    ages = Ages.of_days(options.rounds_days, options.answers_days, options.logs_days)
    pruned = prune(ages, Batches(SLICE_SECONDS), by="the nightly prune", repos=options.repos)
    log.info("Pruned: %s.", ", ".join(f"{number} {what}" for what, number in pruned.counts.items() if number) or "nothing")
    for problem in pruned.problems:
        log.error("Prune: %s", problem)
    if not pruned.finished:
        async_task(JOB, **asdict(options))
