"""Practice: a brief sent to any service, reported and evaluated as a class's would be, and no part of any class.

In: an e-mail address, a brief, a service and its secret. Out: an `IssuedTask` of a submission that is marked as practice. Sending, reporting and
evaluating are the same code as for a class; what differs is here: who may begin one and how often, and that it is tried for minutes, not for a day
(`tasks.classroom.tries`).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from tasks import http
from tasks.classroom import briefs, issue, rows, sending
from tasks.classroom.sealing import seal, unseal
from tasks.classroom.tries import PRACTICE_HOURS
from tasks.errors import AddressRefused, Conflict, Misconfigured
from tasks.models import IssuedTask, RepoReport, Submission
from tasks.payload import round_number

A_DAY = 20  # tasks of one person in 24 hours: each costs a model's answer there and an evaluation here
EVALUATED_WITHIN = timedelta(minutes=30)  # a report that is not evaluated by then stands in nobody's way
STOPPED = "Stopped by hand: nothing more is sent, and no report is waited for."
Status = IssuedTask.Status
ENDED = (Status.GIVEN_UP, Status.UNCERTAIN)


def practices() -> QuerySet[IssuedTask]:
    return IssuedTask.objects.filter(submission__is_practice=True)


def of(email: str) -> QuerySet[IssuedTask]:
    """One person's, the newest first."""
    return practices().filter(submission__email__iexact=email.strip())


def under_way() -> QuerySet[IssuedTask]:
    """Practices that something is still to come of: an answer of the service, a report in time, or an evaluation."""
    now = timezone.now()
    reports = RepoReport.objects.filter(issued=OuterRef("pk")).order_by()
    busy = reports.filter(state__in=(RepoReport.State.QUEUED, RepoReport.State.RUNNING), received_at__gte=now - EVALUATED_WITHIN)
    awaited = Q(status=Status.ACCEPTED, deadline_at__gte=now) & ~Exists(reports)
    return practices().filter(Q(status__in=IssuedTask.OPEN) | awaited | Q(Exists(busy)))


def start(user_email: str, brief: str, endpoint: str, secret: str, round: int = 1) -> IssuedTask:
    """Store the task and have it sent. `Conflict` names what does not fit, or the limit that was reached; it never quotes the secret."""
    email, address = _fit(user_email, endpoint, secret)
    with transaction.atomic():
        student = _student(email, address, secret.strip())
        _check_limits(student)
        made = _made(brief, email, seed(), round)
        row = _issue(student, made, briefs.task_id(made), None)
        sending.enqueue_when_due()
    return row


def seed() -> str:
    """The hour, but not the class's: who practises in it is not told the numbers of the class's task, and gives the repository another name."""
    return f"practice-{briefs.seed_of(timezone.now())}"


def next_round(issued: IssuedTask) -> IssuedTask:
    """The round after this one, of the same task, to the same service. `Conflict` before this one was reported, and when it is there already."""
    if not issued.submission.is_practice:
        raise Conflict("This task is the class's: its next round is issued to the class.")
    first = issued.first or issued
    with transaction.atomic():
        student = Submission.every.select_for_update().get(pk=issued.submission_id)
        if not issued.reports.exists():
            raise Conflict(f"Round {issued.round} was not reported yet: a round follows a report.")
        if first.later.filter(round__gt=issued.round).exclude(status__in=ENDED).exists():
            raise Conflict(f"The round after {issued.round} was sent already.")
        _check_limits(student)
        try:
            unseal(student.sealed_secret, student.email)
        except Misconfigured:
            raise Conflict("The secret cannot be read any more: begin a new practice and type it again.") from None
        row = _issue(student, _made(first.brief_id, student.email, first.seed, issued.round + 1), first.task, first)
        sending.enqueue_when_due()
    return row


def keep(body: dict[str, Any], brief_id: str, endpoint: str, secret: str) -> IssuedTask:
    """Store a request that the operator makes up as practice, outside of the limits; who calls sends it.

    `Conflict` for one that holds too little or was sent before, and while another one of that address is still to be sent: that one would go to this
    endpoint with this secret."""
    if missing := [name for name in ("email", "task", "nonce", "brief", "evaluation_url") if not body.get(name)]:
        raise Conflict(f"The request has no {missing[0]}: add it.")
    email, address, secret = rows.email(str(body["email"])), rows.endpoint(endpoint), rows.secret(secret)
    fields = {name: str(body[name]) for name in ("task", "nonce", "brief", "evaluation_url")}
    number = round_number(body.get("round", 1))
    with transaction.atomic():
        student = _student(email, address, secret)
        own = IssuedTask.objects.filter(submission=student)
        if (open_one := own.filter(status__in=IssuedTask.OPEN).first()) is not None:
            raise Conflict(f"{open_one.task} of {email} is still to be sent: wait for it, stop it in the admin, or use another --email.")
        if IssuedTask.objects.filter(nonce=body["nonce"]).exists():
            raise Conflict("A task with this nonce was sent before, and its report would be taken for this one's: give the request another nonce.")
        first = own.filter(task=fields["task"], round=1).first() if number > 1 else None
        lists = {"checks": body.get("checks") or [], "attachments": body.get("attachments") or []}
        fixed = {"submission": student, "brief_id": brief_id, "round": number, "first": first, "retry_hours": PRACTICE_HOURS, "seed": ""}
        return IssuedTask.objects.create(**fixed, **fields, **lists)


def has_next(issued: IssuedTask) -> bool:
    """Whether the brief has a round after this one."""
    try:
        return issued.round < len(briefs.variants(issued.brief_id))
    except briefs.BriefError:
        return False


def stop(issued: IssuedTask) -> bool:
    """Wait for this one no longer, so that another may begin. False when it is just being sent, or over. A report that comes all the same is kept."""
    if issued.reports.exists() or not issued.submission.is_practice:
        return False
    waiting = IssuedTask.objects.filter(pk=issued.pk, status__in=(Status.PENDING, Status.WAITING, Status.ACCEPTED))
    return bool(waiting.update(status=Status.GIVEN_UP, error=STOPPED, next_try_at=None))


def _fit(email: str, endpoint: str, secret: str) -> tuple[str, str]:
    """Both addresses as they are stored. The guard judges that of the service now, as far as it can without looking up its name."""
    if not secret.strip():
        raise Conflict("The secret is empty: type the one that the service compares with.")
    try:
        person, address = rows.email(email), rows.endpoint(endpoint)
        rows.secret(secret)
        http.check_url(address)
    except rows.Unfit as error:
        raise Conflict(str(error)) from None
    except AddressRefused as error:
        raise Conflict(f"Nothing can be sent to this endpoint. {error.message}") from None
    return person, address


def _student(email: str, endpoint: str, secret: str) -> Submission:
    """The person's practice row, locked, with the service and the secret that were typed last; a limit that is hit next takes them back."""
    now = timezone.now()
    Submission.every.bulk_create(
        [Submission(email=email, endpoint=endpoint, sealed_secret=seal(secret, email), submitted_at=now, is_practice=True)], ignore_conflicts=True
    )
    row = Submission.every.select_for_update().get(email__iexact=email, is_practice=True)
    row.endpoint, row.sealed_secret, row.submitted_at, row.is_active = endpoint, seal(secret, row.email), now, True
    row.save(update_fields=["endpoint", "sealed_secret", "submitted_at", "is_active", "updated_at"])
    return row


def _check_limits(student: Submission) -> None:
    mine = practices().filter(submission=student)
    if open_one := under_way().filter(submission=student).first():
        raise Conflict(f"{open_one.task} round {open_one.round} is still under way: wait for its end, or stop it.")
    if mine.filter(created_at__gte=timezone.now() - timedelta(days=1)).count() >= A_DAY:
        raise Conflict(f"{A_DAY} practice tasks were sent in the last 24 hours, and no more are: go on tomorrow.")


def _made(brief: str, email: str, seed: str, round: int) -> briefs.Made:
    try:
        return briefs.make(brief, email, seed, round)
    except briefs.BriefError as error:
        raise Conflict(str(error)) from None


def _issue(student: Submission, made: briefs.Made, task: str, first: IssuedTask | None) -> IssuedTask:
    row = issue.unsaved(student, made, task, first, evaluation_url=f"{settings.PUBLIC_URL}/notify", retry_hours=PRACTICE_HOURS)
    row.save()
    return row
