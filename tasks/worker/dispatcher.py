"""From rows to messages: what is due is put into the queue, what a dead worker held is taken back.

Every write is a conditional UPDATE on what was read, so any number of supervisors may do this side by side; a message too many is harmless.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django_q.brokers import get_broker
from django_q.models import OrmQ

from tasks.deadline import place
from tasks.jobs import enqueue
from tasks.models import Round, Worker
from tasks.retention import nightly

BATCH = 200  # rounds a tick
CHUNK = 25  # rounds a transaction: SQLite's write lock is not held for long
OVERLOOKED_SECONDS = float(os.environ.get("DEPLOYER_OVERLOOKED_SECONDS", "15"))  # a message that had no effect for so long may be lost
COLUMNS = ("pk", "enqueued_at", "lease_owner", "received_at", "deadline_at")
FREE = {"status": "queued", "lease_owner": "", "lease_until": None}


def dispatch(workers: int, overlooked_seconds: float = OVERLOOKED_SECONDS) -> int:
    """Put a message into the queue for every due round that has none; how many.

    That is: never enqueued, or under a lease that ran out. A message that was enqueued but did not come to anything for so long is repeated only
    while the queue is nearly empty: in a long queue it is just waiting."""
    now = timezone.now()
    due = Round.objects.due(now)
    rows = due.filter(Q(enqueued_at=None) | ~Q(lease_owner="")).order_by("next_run_at")
    batch = list(rows.values_list(*COLUMNS)[:BATCH])
    rows = due.filter(enqueued_at__lt=now - timedelta(seconds=overlooked_seconds), lease_owner="").order_by("enqueued_at")
    overlooked = list(rows.values_list(*COLUMNS)[: 2 * workers])
    if overlooked:
        batch += overlooked[: max(0, 2 * workers - backlog() - len(batch))]
    sent = 0
    for start in range(0, len(batch), CHUNK):
        with transaction.atomic():
            for pk, enqueued_at, owner, received_at, deadline_at in batch[start : start + CHUNK]:
                if due.filter(pk=pk, enqueued_at=enqueued_at, lease_owner=owner).update(**FREE, enqueued_at=now, waiting_for=""):
                    enqueue(pk, since=place(received_at, deadline_at, now))
                    sent += 1
    return sent


def backlog() -> int:
    """Messages that no cluster has taken yet."""
    return int(get_broker().queue_size())


def release_leases(worker: str, is_alive: Callable[[int], bool]) -> int:
    """Give back the rounds that processes of this worker held when they died, due at once; how many leases are still held by living ones."""
    held = 0
    for pk, owner in Round.objects.leased(f"{worker}:").values_list("pk", "lease_owner"):
        pid = owner.removeprefix(f"{worker}:").partition(":")[0]
        if pid.isdecimal() and is_alive(int(pid)):
            held += 1
        else:
            Round.objects.filter(pk=pk, lease_owner=owner).update(**FREE, enqueued_at=None)
    return held


def tidy() -> None:
    """Messages that nobody took for a day go (their rounds are dispatched anew if need be); so do, after a week, workers that are gone.

    And the nightly prune begins when it is due."""
    now = timezone.now()
    OrmQ.objects.filter(lock__lt=now - timedelta(days=1)).delete()
    Worker.objects.filter(stopped_at=None, seen_at__lt=now - timedelta(hours=1)).update(stopped_at=now)
    Worker.objects.filter(stopped_at__lt=now - timedelta(days=7)).delete()
    nightly.enqueue_when_due()
