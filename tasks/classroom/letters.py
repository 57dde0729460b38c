"""One issued task on its way to the student's service: claimed, posted, settled.

A claim is committed before the POST and the outcome after it, so each try is made once: what a killed sender had under way becomes `uncertain` and is
not sent again by itself. Only the POST itself runs in another thread; it sees no database and is the only place that holds the secret.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils import timezone

from tasks import http
from tasks.classroom import tries
from tasks.classroom.sealing import unseal
from tasks.errors import AddressRefused, Misconfigured, TaskError
from tasks.model_errors import retry_after
from tasks.models import IssuedTask, IssueTry, RepoReport
from tasks.redaction import without

SECONDS = 30.0
LOST_SECONDS = 3 * SECONDS  # after that nobody is sending it any more
ANSWER_BYTES = 64 * 1024
KEPT = 1000  # characters of an answer
DUE = (IssuedTask.Status.PENDING, IssuedTask.Status.WAITING)
LOST = "The sender stopped before the answer came. Send it again: with the same nonce nothing is done twice."


@dataclass(frozen=True)
class Letter:
    """What one try needs. `number` is the try's in this series, which fences its outcome."""

    issued_id: int
    try_id: int
    number: int
    url: str
    secret: str = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True)
class Answer:
    """What came back. `status` None: no answer; `asked`: seconds that the service wants to be left alone; `hopeless`: trying again is no use."""

    status: int | None
    text: str
    error: str
    seconds: float
    asked: float = 0.0
    hopeless: bool = False


def due() -> QuerySet[IssuedTask]:
    """What may be sent now. A student who does not take part any more is sent nothing."""
    return IssuedTask.objects.filter(status__in=DUE, next_try_at__lte=timezone.now(), submission__is_active=True)


def claim(pk: int) -> Letter | None:
    """Take a due row to send it now; None when somebody else did, or its secret cannot be read (the row then says so)."""
    row = due().select_related("submission").filter(pk=pk).first()
    if row is None:
        return None
    student = row.submission
    mine = IssuedTask.objects.filter(pk=pk, status=row.status, tries=row.tries, next_try_at=row.next_try_at)
    try:
        secret = unseal(student.sealed_secret, student.email)
    except Misconfigured as error:
        mine.update(status=IssuedTask.Status.GIVEN_UP, error=error.message[:500], next_try_at=None)
        return None
    now = timezone.now()
    begun = {"sent_at": now, "deadline_at": now + timedelta(seconds=tries.REPORT_SECONDS), "endpoint": student.endpoint, "tries": F("tries") + 1}
    with transaction.atomic():
        if not mine.update(**begun, status=IssuedTask.Status.SENDING, next_try_at=None, status_code=None, error=""):
            return None
        number = IssueTry.objects.filter(issued=pk).count() + 1
        made = IssueTry.objects.create(issued_id=pk, number=number, url=student.endpoint, started_at=now)
    return Letter(pk, made.pk, row.tries + 1, student.endpoint, secret, request(row, secret))


def request(row: IssuedTask, secret: str) -> bytes:
    """The protocol's request: https://github.com/sanand0/tools-in-data-science-public, project-llm-code-deployment."""
    body = {
        "email": row.submission.email,
        "secret": secret,
        "task": row.task,
        "round": row.round,
        "nonce": row.nonce,
        "brief": row.brief,
        "checks": row.checks,
        "evaluation_url": row.evaluation_url,
        "attachments": row.attachments,
    }
    return json.dumps(body).encode()


def post(letter: Letter, *, trusted: bool = False) -> Answer:
    """One POST. Exactly 200 is success, whatever the body; no redirect is followed, which could carry the secret elsewhere. `trusted`: the operator
    typed the address, so that it may be a private one."""
    began = time.monotonic()
    try:
        headers = {"Content-Type": "application/json"}
        answer = http.fetch(letter.url, method="POST", body=letter.body, headers=headers, seconds=SECONDS, max_bytes=ANSWER_BYTES, trusted=trusted)
    except TaskError as error:
        # A status whose body is too long, compressed or cut off is that status all the same.
        status = int(error.detail[5:8]) if error.detail.startswith("HTTP ") else None
        said = without(error.message, letter.secret)[:500]
        return Answer(status, "", said, time.monotonic() - began, hopeless=isinstance(error, AddressRefused))
    text = without(answer.text, letter.secret)[:KEPT]
    if answer.status == 200:
        return Answer(200, text, "", answer.seconds)
    asked = retry_after(answer.headers.get("retry-after", "")) if answer.status in (429, 503) else None
    return Answer(answer.status, text, f"The service answered {answer.status}; only 200 counts.", answer.seconds, asked or 0.0)


def settle(letter: Letter, answer: Answer) -> str:
    """Store what came of it; the row's new status. A report that came meanwhile shows better than any answer that the task has arrived."""
    now, reached = timezone.now(), answer.status == 200
    with transaction.atomic():
        found = {"seconds": answer.seconds, "status_code": answer.status, "answer": answer.text, "error": "" if reached else answer.error}
        IssueTry.objects.filter(pk=letter.try_id).update(**found)
        row = IssuedTask.objects.filter(pk=letter.issued_id, tries=letter.number, status__in=("sending", "uncertain"))
        if reached or RepoReport.objects.filter(issued=letter.issued_id).exists():
            row.update(status=IssuedTask.Status.ACCEPTED, accepted_at=now, status_code=answer.status, error="", next_try_at=None)
            return str(IssuedTask.Status.ACCEPTED)
        rules = IssuedTask.objects.filter(pk=letter.issued_id).values_list("retry_hours", "submission__is_practice").first()
        hours, practice = rules or (None, False)
        plan = tries.next_practice_try if practice else tries.next_try
        first = IssueTry.objects.filter(issued=letter.issued_id).order_by("-id")[: letter.number]
        first_at = min((made.started_at for made in first), default=now)
        until = now + timedelta(seconds=answer.asked) if answer.asked else None
        again = None if answer.hopeless or hours is None else plan(letter.number, first_at, hours, until)
        status = IssuedTask.Status.WAITING if again else IssuedTask.Status.GIVEN_UP
        row.update(status=status, status_code=answer.status, error=answer.error[:500], next_try_at=again)
    return str(status)


def recover() -> int:
    """Rows that a sender left behind when it was killed: `accepted` where a report has come, else `uncertain`; how many those are."""
    now = timezone.now()
    lost = IssuedTask.objects.filter(status=IssuedTask.Status.SENDING, sent_at__lt=now - timedelta(seconds=LOST_SECONDS))
    reported = Exists(RepoReport.objects.filter(issued=OuterRef("pk")))
    lost.filter(reported).update(status=IssuedTask.Status.ACCEPTED, accepted_at=now)
    ids = list(lost.values_list("pk", flat=True))
    IssueTry.objects.filter(issued__in=ids, seconds=None, error="").update(error=LOST)
    return IssuedTask.objects.filter(pk__in=ids, status=IssuedTask.Status.SENDING).update(status=IssuedTask.Status.UNCERTAIN, error=LOST)


def is_busy() -> bool:
    """Whether somebody is sending at this moment."""
    return IssuedTask.objects.filter(status=IssuedTask.Status.SENDING).exists()
