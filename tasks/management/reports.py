"""What `manage.py evaluate` does with reports: which are meant, evaluating them in this process, and what is printed of them."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from typing import Any

from django.core.management.base import CommandError, OutputWrapper
from django.db.models import QuerySet
from django.utils import timezone

from tasks.classroom.evaluating import queue, work
from tasks.jobs import enqueue_reports
from tasks.models import CheckResult, IssuedTask, RepoReport, Submission

State = RepoReport.State
CHUNK = 500
LONGEST_NAP = 1.0
OPTIONS = {"brief": "--brief", "round_number": "--round-number", "email": "--email", "errors": "--errors", "again": "--again", "queue": "--queue"}


def chosen(options: dict[str, Any]) -> list[int]:
    """Ids of the reports that are meant: those that wait, practice among them; of the class those with a fault of ours (--errors), or all (--again).
    Wrong names end with code 2."""
    reports = RepoReport.objects.all()
    if options["errors"] or options["again"]:
        reports = reports.filter(issued__submission__is_practice=False)
    for brief in options["brief"]:
        if not IssuedTask.objects.filter(brief_id=brief).exists():
            raise CommandError(f"No task of the brief {brief!r} was issued.", returncode=2)
    if options["brief"]:
        reports = reports.filter(issued__brief_id__in=options["brief"])
    if options["round_number"] is not None:
        reports = reports.filter(issued__round=options["round_number"])
    if options["email"]:
        reports = reports.filter(issued__submission__in=[_student(email) for email in options["email"]])
    if options["errors"]:
        reports = queue.with_our_errors(reports)
    elif not options["again"]:
        reports = reports.filter(state__in=(State.QUEUED, State.RUNNING))
    return list(reports.order_by("pk").values_list("pk", flat=True))


def start(ids: list[int], options: dict[str, Any]) -> None:
    """Put them into the queue, those that were evaluated before anew."""
    if options["errors"] or options["again"]:
        for rows in chunks(ids):
            queue.evaluate_again(rows.exclude(state=State.RUNNING, lease_until__gte=timezone.now()))
    elif options["queue"] and ids:
        enqueue_reports()


def run(ids: list[int], err: OutputWrapper) -> None:
    """Until each is evaluated, by this process or by a worker. One that is looked at again later is waited for."""
    while left := count(ids, State.QUEUED, State.RUNNING):
        _show(err, len(ids) - left, len(ids))
        lease = next((lease for rows in chunks(ids) if (lease := queue.claim(rows)) is not None), None)
        if lease is not None:
            work.carry_out(lease)
        else:
            queue.take_back_lost()
            time.sleep(LONGEST_NAP)
    _show(err, len(ids), len(ids))


def count(ids: list[int], *states: str) -> int:
    return sum(rows.filter(state__in=states).count() for rows in chunks(ids))


def told(ids: list[int]) -> Iterator[dict[str, Any]]:
    """Each report, for programs."""
    for rows in chunks(ids):
        for report in rows.select_related("issued__submission").prefetch_related("check_results").order_by("pk"):
            checks = [
                {"key": item.key, "source": item.source, "status": item.status, "score": item.score, "title": item.title, "reason": item.reason}
                for item in report.check_results.all()
            ]
            named = {"email": report.issued.submission.email, "task": report.issued.task, "round": report.issued.round}
            yield {"report": report.pk, **named, "state": report.state, "error": report.error, "seconds": report.seconds, "checks": checks}


def line(told: dict[str, Any]) -> str:
    checks = told["checks"]
    passed = sum(check["status"] == CheckResult.Status.PASS for check in checks)
    said = told["error"] if told["state"] != State.DONE else f"{passed} of {len(checks)} pass"
    return f"{told['report']} {told['email']} {told['task']} round {told['round']}: {told['state']}, {said}"


def chunks(ids: list[int]) -> Iterator[QuerySet[RepoReport]]:
    for begin in range(0, len(ids), CHUNK):
        yield RepoReport.objects.filter(pk__in=ids[begin : begin + CHUNK])


def _student(email: str) -> Submission:
    row = Submission.every.filter(email__iexact=email.strip()).order_by("is_practice").first()
    if row is None:
        raise CommandError(f"There is no submission of {email!r}: `manage.py submissions list` names them all.", returncode=2)
    return row


def _show(err: OutputWrapper, done: int, whole: int) -> None:
    if sys.stderr.isatty():
        err.write(f"\r{done:>6,} of {whole:,} evaluated ", ending="" if done < whole else "\n")
