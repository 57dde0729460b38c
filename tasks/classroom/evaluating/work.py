"""One report in a worker: taken in hand, evaluated, its results written down."""

from __future__ import annotations

import logging
import os
import time

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.utils import timezone

from tasks import pace
from tasks.browser import slots
from tasks.classroom.evaluating import queue
from tasks.classroom.evaluating.examine import Examined, examine
from tasks.classroom.evaluating.lease import ReportLease
from tasks.classroom.evaluating.looking import LookAgain
from tasks.errors import LeaseLost, TaskError
from tasks.models import CheckResult, RepoReport, Screenshot
from tasks.redaction import redact

log = logging.getLogger(__name__)

PAUSES = tuple(map(float, os.environ.get("DEPLOYER_PAGE_AGAIN_SECONDS", "20,60").split(",")))  # before the second look, and before the third


def evaluate_next() -> None:
    """Evaluate the report that has been due longest, if rounds have what they need; then see that the next one gets its turn. Never raises.

    What finds no place here is left due: whoever holds a place goes on with it, and the supervisors ask for it every few seconds."""
    try:
        with slots.take(0.0, "evaluations", places()) as free:
            lease = queue.claim() if free and not pace.is_behind() else None
            if lease is None:
                return
            carry_out(lease)
        queue.enqueue_when_due()
    except (DatabaseError, InterfaceError):
        log.exception("a report could not be evaluated: the database does not answer")


def places() -> int:
    """How many reports are evaluated at once on this machine: half of the workers stay free for rounds."""
    return max(1, settings.WORKERS // 2)


def carry_out(lease: ReportLease) -> str:
    """Evaluate it and write down what came of it; the report's state afterwards, empty when it was taken from us. Raises for the database alone."""
    started = time.monotonic()
    try:
        with lease.heartbeat():
            report = RepoReport.objects.select_related("issued__first", "issued__submission").filter(pk=lease.round_id).first()
            if report is None:
                return ""
            try:
                found = examine(report, lease, last=report.attempt >= queue.LOOKS)
            except LookAgain as again:
                seconds = PAUSES[min(report.attempt, len(PAUSES)) - 1] if again.counts else again.seconds
                queue.put_off(lease, seconds, again.reason, counts=again.counts)
                return RepoReport.State.QUEUED
            except TaskError as error:
                if error.retry and report.attempt < queue.LOOKS:
                    reason = f"It is looked at again soon: {error.message}"
                    queue.put_off(lease, PAUSES[report.attempt - 1], redact(reason), counts=True)
                    return RepoReport.State.QUEUED
                log.warning("report %s could not be evaluated: %s %s", report.pk, error.message, redact(error.detail))
                return _give_up(lease, redact(error.message))
            return _store(lease, report, found, time.monotonic() - started)
    except LeaseLost:
        log.info("report %s was taken by somebody else", lease.round_id)
        return ""
    except (DatabaseError, InterfaceError):
        raise
    except KeyboardInterrupt:  # of the command
        lease.release()
        raise
    except Exception as error:
        log.exception("report %s could not be evaluated", lease.round_id)
        try:
            return _give_up(lease, f"A fault of ours, it is in the log: {type(error).__name__}. Evaluate it again.")
        except LeaseLost:
            return ""


def _store(lease: ReportLease, report: RepoReport, found: Examined, seconds: float) -> str:
    """The results in place of the former ones, in one transaction."""
    with lease.fenced():
        report.check_results.all().delete()
        report.screenshots.all().delete()
        CheckResult.objects.bulk_create(found.results)
        Screenshot.objects.bulk_create(found.shots)
        values = {"facts": found.facts, "prints": found.prints, "seconds": round(seconds, 2), "evaluated_at": timezone.now()}
        RepoReport.objects.filter(pk=report.pk).update(state=RepoReport.State.DONE, error="", **values, **queue.FREE)
    return RepoReport.State.DONE


def _give_up(lease: ReportLease, reason: str) -> str:
    """ERROR: former results stay as they are."""
    with lease.fenced():
        rows = RepoReport.objects.filter(pk=lease.round_id)
        rows.update(state=RepoReport.State.ERROR, error=reason[:500], evaluated_at=timezone.now(), **queue.FREE)
    return RepoReport.State.ERROR
