"""Runs whose worker died, and those whose message was lost: the part of the supervisors."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.utils import timezone

from tasks.jobs import enqueue_run
from tasks.models import ContainerRun
from tasks.runners import get_runner

DIED = "The worker that ran it stopped. Start it again."


def name_of(run: ContainerRun) -> str:
    """What a runner outside calls it."""
    return f"deployer-{run.uuid.hex}"


def end_dead(worker: str, is_alive: Callable[[int], bool]) -> int:
    """End the runs of this worker's processes that died; how many are still held by living ones. For the supervisor, each second."""
    held = 0
    for run in ContainerRun.objects.filter(status__in=ContainerRun.OPEN, lease_owner__startswith=f"{worker}:"):
        pid = run.lease_owner.removeprefix(f"{worker}:").partition(":")[0]
        if pid.isdecimal() and is_alive(int(pid)):
            held += 1
        else:
            _died(run)
    return held


def _died(run: ContainerRun) -> None:
    """The program ended with its worker; what runs outside of this machine is ended now."""
    mine = ContainerRun.objects.filter(pk=run.pk, status__in=ContainerRun.OPEN, lease_owner=run.lease_owner, lease_until=run.lease_until)
    if mine.update(status=ContainerRun.Status.INTERNAL_ERROR, reason=DIED, finished_at=timezone.now(), lease_owner="", lease_until=None):
        get_runner(run.runner).discard(name_of(run))


def take_back() -> None:
    """What a vanished worker ran has ended with it; what waits without a message gets one.

    The dispatcher's part: called every second by every supervisor."""
    now = timezone.now()
    open_runs = ContainerRun.objects.filter(status__in=ContainerRun.OPEN)
    for run in open_runs.filter(lease_until__lt=now):
        _died(run)
    waits = open_runs.filter(status=ContainerRun.Status.QUEUED, enqueued_at__lt=now - timedelta(seconds=15)).order_by("id")
    oldest = waits.first()
    if oldest is None or not waits.filter(pk=oldest.pk, enqueued_at=oldest.enqueued_at).update(enqueued_at=now):
        return
    enqueue_run(oldest.pk)
