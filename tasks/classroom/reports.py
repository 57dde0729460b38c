"""Take a report: what a student's service says it made of an issued task.

The nonce, which nobody can guess, shows that the sender has the request: who does not name one that was sent learns nothing of who takes part; who
does is told which of the other fields is another one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import msgspec
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from tasks.address_guard import parse_url
from tasks.errors import AddressRefused
from tasks.jobs import enqueue_reports
from tasks.models import IssuedTask, RepoReport
from tasks.payload import MAX_DEPTH, Rejected, check_storable, round_number

LIMITS = {"email": 254, "task": 200, "nonce": 100, "repo_url": 500, "commit_sha": 64, "pages_url": 500}
SHA = re.compile(r"[0-9a-f]{40}", re.IGNORECASE)
MOST = 100  # different reports on one issued task
TRIES = 3
ARRIVED = ("pending", "waiting", "given_up", "uncertain")  # a report shows better than any answer that the task was received


class ReportIn(msgspec.Struct):
    """The seven fields of the protocol; unknown keys are tolerated."""

    email: str
    task: str
    round: int | str
    nonce: str
    repo_url: str
    commit_sha: str
    pages_url: str


class Unknown(Rejected):
    """A report that fits nothing that was sent; counted, since it may be a guess."""


@dataclass(frozen=True)
class Received:
    """`repeated`: this very report was there before; `late`: it came after the deadline, and is kept."""

    issued: IssuedTask
    repeated: bool
    late: bool


def receive(data: dict[str, Any]) -> Received:
    """Store the report, to be evaluated. `Rejected` names the field and the reason, `Unknown` what does not fit to what was sent."""
    report = validate(data)
    for _ in range(TRIES):
        issued = find(report)
        try:
            with transaction.atomic():
                return store(issued, report)
        except IntegrityError:  # the same report came at the same moment, or the task is being erased: look again
            continue
    raise Rejected(503, "busy", "The same report came several times at once; post it again.", retry_after=1)


def validate(data: dict[str, Any]) -> ReportIn:
    for key, value in data.items():
        check_storable(key, key[:100], 1)
        check_storable(value, key[:100], MAX_DEPTH)
    for key in (*LIMITS, "round"):
        if data.get(key) is None:
            raise Rejected(400, "missing", f"{key} is missing.", key)
    try:
        report = msgspec.convert(data, ReportIn)
    except msgspec.ValidationError as error:
        text = str(error)
        field = text.rpartition("`$.")[2].rstrip("`")
        raise Rejected(400, "invalid", f"{field}: {text.split(' - at')[0]}.", field) from None
    round_number(report.round)
    for key, limit in LIMITS.items():
        value = getattr(report, key).strip()
        if not value:
            raise Rejected(400, "blank", f"{key} is empty.", key)
        if len(value) > limit:
            raise Rejected(400, "too-long", f"{key} has {len(value):,} characters; at most {limit:,} are taken.", key)
        setattr(report, key, value)
    for key in ("repo_url", "pages_url"):
        try:
            parse_url(getattr(report, key))
        except AddressRefused as error:
            raise Rejected(400, "invalid", f"{key}: {error.message}", key) from None
    if not SHA.fullmatch(report.commit_sha):
        raise Rejected(400, "invalid", "commit_sha must be the commit's full 40 hexadecimal digits, as `git rev-parse HEAD` says.", "commit_sha")
    report.commit_sha = report.commit_sha.lower()
    return report


def find(report: ReportIn) -> IssuedTask:
    """The task that this is a report on."""
    rows = IssuedTask.objects.select_related("submission").filter(nonce=report.nonce)
    issued = rows.only("task", "round", "status", "deadline_at", "submission__email").first()
    if issued is None:
        raise Unknown(400, "unknown-nonce", "No task was sent with this nonce: report the nonce of the request, unchanged.", "nonce")
    given = {
        "email": (report.email.lower(), issued.submission.email.lower()),
        "task": (report.task, issued.task),
        "round": (round_number(report.round), issued.round),
    }
    wrong = [name for name, (said, sent) in given.items() if said != sent]
    if wrong:
        named = " and ".join(wrong)
        raise Unknown(400, f"other-{wrong[0]}", f"The nonce belongs to another {named}: report the {named} of the request, unchanged.", wrong[0])
    return issued


def store(issued: IssuedTask, report: ReportIn) -> Received:
    """Count a repeat, else add the report; inside a transaction."""
    now = timezone.now()
    late = issued.deadline_at is not None and now > issued.deadline_at
    same = RepoReport.objects.filter(issued=issued, repo_url=report.repo_url, commit_sha=report.commit_sha, pages_url=report.pages_url)
    repeated = bool(same.update(repeats=F("repeats") + 1))
    if not repeated:
        if RepoReport.objects.filter(issued=issued).count() >= MOST:
            raise Rejected(400, "too-many", f"{MOST} different reports came for this nonce; no more are taken.", "nonce")
        urls = {"repo_url": report.repo_url, "pages_url": report.pages_url}
        RepoReport.objects.create(issued=issued, commit_sha=report.commit_sha, received_at=now, is_late=late, **urls)
        settled = {"status": IssuedTask.Status.ACCEPTED, "accepted_at": now, "next_try_at": None, "error": ""}
        IssuedTask.objects.filter(pk=issued.pk, status__in=ARRIVED).update(**settled)
        enqueue_reports()
    return Received(issued, repeated, late)
