"""Many endpoints asked by a worker. The rows are the queue: `WAITS` in `probe_detail` until a worker takes them, then `ASKING`.

A job is "look whether somebody waits to be asked". One batch is under way at a time, so that the limits of `probing` hold for the installation; a
job is over after half a minute at most and is followed by the next, since a worker has other things to do. What a killed worker was asking is
taken up again two minutes later by the next job, at the latest when its message is delivered again.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from tasks.classroom.probing import ask_many, write_down
from tasks.jobs import enqueue_probes
from tasks.models import Submission
from tasks.worker import stopping

WAITS, ASKING = "waits to be asked", "is being asked"
BATCH = 100
SLICE_SECONDS = 20.0  # in which a job begins new ones
LOST_SECONDS = 120.0  # what is being asked for longer was left by a dead worker


def ask_later(submissions: QuerySet[Submission] | Iterable[int]) -> int:
    """Have a worker ask these, in one transaction; how many were not waiting already. What was known of them stays until then."""
    if isinstance(submissions, QuerySet):
        submissions = submissions.values_list("pk", flat=True)
    ids = list(submissions)
    asked = 0
    with transaction.atomic():
        for start in range(0, len(ids), 500):
            chosen = Submission.objects.filter(pk__in=ids[start : start + 500]).exclude(probe_detail=WAITS)
            asked += chosen.update(probe_detail=WAITS)
        if ids:
            enqueue_probes()
    return asked


def ask_next() -> None:
    """Ask those who wait, for a while; then see that the others get their turn. The job's part."""
    endpoints = claim()
    if not endpoints:
        return
    left = dict(endpoints)
    for pk, probed in ask_many(endpoints, seconds=SLICE_SECONDS, go_on=lambda: not stopping()):
        write_down(pk, left.pop(pk), probed)
    with transaction.atomic():  # not after a fault of ours: it would come again at once, without end
        Submission.objects.filter(pk__in=left, probe_detail=ASKING).update(probe_detail=WAITS)
        if waiting().exists():
            enqueue_probes()


def claim() -> dict[int, str]:
    """Endpoints to ask, now ours; none while another worker is at it. On PostgreSQL whoever claims locks the oldest row first, so that claims come
    one after another; on SQLite a transaction is alone anyway."""
    now = timezone.now()
    with transaction.atomic():
        open_rows = Submission.objects.filter(probe_detail__in=(WAITS, ASKING)).order_by("pk")
        if open_rows.select_for_update().first() is None:
            return {}
        if open_rows.filter(probe_detail=ASKING, probed_at__gte=now - timedelta(seconds=LOST_SECONDS)).exists():
            return {}
        endpoints = dict(open_rows.values_list("pk", "endpoint")[:BATCH])
        Submission.objects.filter(pk__in=endpoints).update(probe_detail=ASKING, probed_at=now)
    return endpoints


def waiting() -> QuerySet[Submission]:
    return Submission.objects.filter(probe_detail=WAITS)


def open_count() -> int:
    """How many wait or are being asked."""
    return Submission.objects.filter(probe_detail__in=(WAITS, ASKING)).count()
