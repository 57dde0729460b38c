"""One run in a worker: taken in hand, carried out, its end written down."""

from __future__ import annotations

import base64
import hashlib
import logging
from dataclasses import replace
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from tasks.errors import Misconfigured
from tasks.jobs import enqueue_run
from tasks.lease import LEASE_SECONDS, owner_name
from tasks.models import Artefact, ContainerRun
from tasks.redaction import redact
from tasks.runners import Job, Report, get_runner
from tasks.runs.asked import limits_of
from tasks.runs.lost import DIED, name_of
from tasks.runs.watch import RowWatch, clean
from tasks.worker import stopping

log = logging.getLogger(__name__)


def run_next() -> None:
    """Carry out the oldest run that waits, if there is one and not enough of them run already; then see that the next one gets its turn."""
    run = claim()
    if run is None:
        return
    try:
        carry_out(run)
    finally:
        waiting = ContainerRun.objects.filter(status=ContainerRun.Status.QUEUED).order_by("id").first()
        if waiting:
            enqueue_run(waiting.pk)


def claim() -> ContainerRun | None:
    """The oldest waiting run, now ours; None when none waits or half of the workers have one.

    Whoever claims locks the oldest row first (SQLite: everything), so that claims come one after another and the count of those that run is true."""
    waiting = ContainerRun.objects.filter(status=ContainerRun.Status.QUEUED)
    while waiting.exists():
        with transaction.atomic():
            run = waiting.select_for_update(of=("self",)).select_related("version").order_by("id").first()
            if run is None:  # another took it while we waited for the lock
                continue
            now = timezone.now()
            active = ContainerRun.objects.filter(status__in=["preparing", "running"], lease_until__gte=now).count()
            if active >= max(1, settings.WORKERS // 2):
                return None
            run.status, run.taken_at = ContainerRun.Status.PREPARING, now
            run.lease_owner, run.lease_until = f"{owner_name()}:run", now + timedelta(seconds=LEASE_SECONDS)
            run.save(update_fields=["status", "taken_at", "lease_owner", "lease_until"])
            return run
    return None


def carry_out(run: ContainerRun) -> None:
    """Run it to its end and write down how it ended. Never raises."""
    watch = RowWatch(run)
    try:
        runner = get_runner(run.runner)
        reason = runner.unavailable()
        report = Report("internal_error", reason) if reason else runner.run(job_of(run), watch)
    except Misconfigured as error:
        report = Report("internal_error", error.message)
    except Exception as error:
        log.exception("run %s failed", run.pk, extra={"run": run.pk})
        report = Report("internal_error", f"A fault of ours, it is in the log: {type(error).__name__}.")
    watch.flush()
    if report.status == "cancelled" and stopping():
        report = replace(report, status="internal_error", reason=DIED)
    finish(run, report)


def job_of(run: ContainerRun) -> Job:
    """What the runner needs of the row: the version's files, and over them those that were posted with the run."""
    files = run.version.tree() if run.version else {}
    files |= {path: base64.b64decode(content) for path, content in run.files.items()}
    limits = limits_of(run.limits)
    return Job(tuple(run.command), files, run.stdin.encode(), limits=limits, name=name_of(run))


def finish(run: ContainerRun, report: Report) -> None:
    """The run's last state and its artefacts, in one transaction, unless it was taken from us meanwhile."""
    with transaction.atomic():
        mine = ContainerRun.objects.filter(pk=run.pk, lease_owner=run.lease_owner, status__in=["preparing", "running"])
        if not mine.update(
            status=report.status,
            reason=redact(report.reason)[:500],
            exit_code=report.exit_code,
            signal=report.signal,
            wall_ms=report.wall_ms,
            cpu_ms=report.cpu_ms,
            memory_peak_kb=report.memory_peak_kb,
            stdout_truncated=report.stdout_truncated,
            stderr_truncated=report.stderr_truncated,
            applied=report.applied,
            left_out={clean(path): why for path, why in report.left_out.items()},
            finished_at=timezone.now(),
            lease_owner="",
            lease_until=None,
        ):
            return
        Artefact.objects.bulk_create(
            Artefact(run=run, path=path, content=content, size=len(content), sha256=hashlib.sha256(content).hexdigest())
            for path, content in sorted(report.artefacts.items())
        )
