"""A round for a class: who gets one, made for each and stored as rows that are to be sent. Sending is `tasks.classroom.sending`'s part.

Round 1 goes to every active submission, a later one to every round 1 that was reported, passed or not. Making them again makes only what is missing,
so a run that broke off is taken up by the same order.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django_q.tasks import async_task

from tasks.address_guard import parse_url
from tasks.classroom import briefs, sending
from tasks.classroom.tries import HOURS, MOST_HOURS
from tasks.classroom.uuid7 import uuid7
from tasks.errors import AddressRefused, Conflict
from tasks.models import IssuedTask, RepoReport, Submission

CHUNK = 25  # rows a transaction
PLAN_SECONDS = 20.0  # of one job
JOB = "tasks.jobs.issue_round"
Status = IssuedTask.Status
LOST = (Status.GIVEN_UP, Status.UNCERTAIN)


@dataclass(frozen=True)
class Order:
    """What is to be issued to whom. `emails` and `contains` narrow the class; `began` tells this order's rows from those of the one before."""

    brief: str
    round: int = 1
    emails: tuple[str, ...] = ()
    contains: str = ""
    limit: int | None = None
    again: bool = False
    again_uncertain: bool = False
    hours: float = HOURS
    evaluation_url: str = ""
    began: datetime = field(default_factory=timezone.now)

    @classmethod
    def of(cls, options: dict[str, Any]) -> Order:
        """From what a job was told."""
        given = {name.name: options[name.name] for name in fields(cls) if name.name in options}
        return cls(**{**given, "emails": tuple(options.get("emails", ())), "began": datetime.fromisoformat(options["began"])})

    def options(self) -> dict[str, Any]:
        return {**asdict(self), "emails": list(self.emails), "began": self.began.isoformat()}

    def check(self) -> None:
        """`Conflict` with the cure for what cannot be done."""
        if self.brief not in briefs.names():
            raise Conflict(f"There is no brief {self.brief!r}: use one of {', '.join(briefs.names())}.")
        try:
            briefs.make(self.brief, "student@example.com", briefs.seed_of(self.began), self.round)
        except briefs.BriefError as error:
            raise Conflict(str(error)) from error
        if self.limit is not None and self.limit < 1:
            raise Conflict("The limit must be 1 or more.")
        if not 0 < self.hours <= MOST_HOURS:
            raise Conflict(f"The hours must be more than 0 and at most {MOST_HOURS:g}.")
        try:
            parse_url(self.url())
        except AddressRefused as error:
            raise Conflict(f"The evaluation URL cannot be used: {error.message}") from error
        known = set(Submission.objects.filter(_emails(self.emails)).values_list("email", flat=True)) if self.emails else set()
        if missing := sorted({email.strip().lower() for email in self.emails} - {email.lower() for email in known}):
            raise Conflict(f"No submission of {', '.join(missing)}: import it, or correct the address.")

    def url(self) -> str:
        return self.evaluation_url or f"{settings.PUBLIC_URL}/notify"

    # -- whom it is about ----------------------------------------------------------------------------------------------------------------

    def students(self) -> QuerySet[Submission]:
        rows = Submission.objects.filter(is_active=True)
        if self.emails:
            rows = rows.filter(_emails(self.emails))
        return rows.filter(Q(email__icontains=self.contains) | Q(note__icontains=self.contains)) if self.contains else rows

    def rows(self) -> QuerySet[IssuedTask]:
        """What was made of this brief and round for them."""
        return IssuedTask.objects.filter(brief_id=self.brief, round=self.round, submission__in=self.students())

    def under_way(self) -> QuerySet[IssuedTask]:
        """What counts against the limit: open rows, and those of this order that have ended by now."""
        return self.rows().filter(Q(status__in=IssuedTask.OPEN) | Q(created_at__gte=self.began) | Q(sent_at__gte=self.began))

    def there(self) -> QuerySet[IssuedTask]:
        """Rows that stand in the way of another one: all, but with `again` only the open ones and those that this order made itself."""
        rows = IssuedTask.objects.filter(brief_id=self.brief, round=self.round).order_by()
        return rows.filter(Q(status__in=(*IssuedTask.OPEN, *LOST)) | Q(created_at__gte=self.began)) if self.again else rows

    def missing(self) -> QuerySet[Any]:
        """Submissions, or for a later round the newest reported round 1 of each of their tasks, that have no row yet."""
        if self.round == 1:
            return self.students().exclude(Exists(self.there().filter(submission=OuterRef("pk"))))
        reported = IssuedTask.objects.filter(Exists(RepoReport.objects.filter(issued=OuterRef("pk"))), brief_id=self.brief, round=1)
        newer = reported.order_by().filter(submission=OuterRef("submission"), task=OuterRef("task"), pk__gt=OuterRef("pk"))
        firsts = reported.filter(submission__in=self.students()).exclude(Exists(newer))
        return firsts.exclude(Exists(self.there().filter(submission=OuterRef("submission"), task=OuterRef("task"))))

    def lost(self) -> QuerySet[IssuedTask]:
        """Rows that are taken up again: given up, and where it is asked for those whose answer was lost."""
        statuses = LOST if self.again_uncertain else (Status.GIVEN_UP,)
        return self.rows().filter(status__in=statuses, sent_at__lt=self.began) | self.rows().filter(status__in=statuses, sent_at=None)


def _emails(emails: tuple[str, ...]) -> Q:
    return Q(*[("email__iexact", email.strip()) for email in emails], _connector=Q.OR)


@dataclass
class Planned:
    """Counts: `new` made, `taken_up` put back, `waiting` made before and not accepted yet; of those who get nothing, why."""

    new: int = 0
    taken_up: int = 0
    waiting: int = 0
    accepted: int = 0
    uncertain: int = 0
    not_reported: int = 0
    finished: bool = True


def preview(order: Order) -> Planned:
    """What `plan` would do; nothing is made."""
    order.check()
    found = Planned(waiting=order.rows().filter(status__in=IssuedTask.OPEN).count(), accepted=order.rows().filter(status="accepted").count())
    room = max(0, (order.limit or 10**9) - order.under_way().count())
    found.taken_up = min(room, order.lost().count())
    found.new = min(room - found.taken_up, order.missing().count())
    found.uncertain = 0 if order.again_uncertain else order.rows().filter(status=Status.UNCERTAIN).count()
    if order.round > 1:
        first = IssuedTask.objects.filter(brief_id=order.brief, round=1, submission__in=order.students())
        found.not_reported = first.exclude(Exists(RepoReport.objects.filter(issued=OuterRef("pk")))).count()
    return found


def plan(order: Order, *, seconds: float = float("inf"), progress: sending.Progress = sending.silent) -> Planned:
    """Make what is missing, `CHUNK` rows at a time; after so many `seconds` `finished` is False and the same order goes on from there."""
    found = preview(order)
    whole, end, made = found.new, time.monotonic() + seconds, 0
    ids = list(order.lost().order_by("pk").values_list("pk", flat=True)[: found.taken_up])
    found.taken_up = take_up(IssuedTask.objects.filter(pk__in=ids))
    moment = briefs.seed_of(order.began)
    candidates = list(order.missing().order_by("pk").values_list("pk", flat=True)[:whole])
    for start in range(0, len(candidates), CHUNK):
        if time.monotonic() >= end:
            found.finished = False
            break
        chunk = candidates[start : start + CHUNK]
        made += store(order, list(_made(order, order.missing().filter(pk__in=chunk).order_by("pk"), moment)))
        progress(made, whole)
    found.new = made
    return found


def _made(order: Order, rows: QuerySet[Any], moment: str) -> Iterator[IssuedTask]:
    for row in rows if order.round == 1 else rows.select_related("submission"):
        first = row if isinstance(row, IssuedTask) else None
        student = first.submission if first else row
        made = briefs.make(order.brief, student.email, first.seed if first else moment, order.round)
        task = first.task if first else briefs.task_id(made)
        yield unsaved(student, made, task, first, evaluation_url=order.url(), retry_hours=order.hours)


def unsaved(student: Submission, made: briefs.Made, task: str, first: IssuedTask | None, **fields: Any) -> IssuedTask:
    """The row of what was made for a student, with a nonce of its own; `first` is round 1 of a later round."""
    return IssuedTask(
        submission=student,
        brief_id=made.brief_id,
        round=made.round,
        variant=made.variant,
        seed=made.seed,
        first=first,
        task=task,
        nonce=str(uuid7()),
        brief=made.brief,
        checks=made.checks,
        attachments=made.attachments,
        **fields,
    )


def store(order: Order, rows: list[IssuedTask]) -> int:
    """Add the rows of those who have none by now: the lock on their submissions keeps two orders from making the same one."""
    with transaction.atomic():
        owners = {row.submission_id for row in rows}
        there = set(Submission.objects.select_for_update().filter(pk__in=owners, is_active=True).order_by("pk").values_list("pk", flat=True))
        free = set(order.missing().filter(pk__in=[row.first_id or row.submission_id for row in rows]).values_list("pk", flat=True))
        wanted = [row for row in rows if row.submission_id in there and (row.first_id or row.submission_id) in free]
        IssuedTask.objects.bulk_create(wanted)
    return len(wanted)


def take_up(rows: QuerySet[IssuedTask]) -> int:
    """Have rows sent again, with their nonce and a new series of tries; how many. Only what was given up or whose answer was lost."""
    fields = {"status": Status.PENDING, "tries": 0, "next_try_at": timezone.now(), "error": "", "status_code": None}
    return rows.filter(status__in=LOST).update(**fields)


# -- the admin's part: the workers do it -----------------------------------------------------------------------------------------------------


def enqueue(order: Order) -> None:
    """Put the order into the queue, in the caller's transaction."""
    async_task(JOB, **order.options())


def run(order: Order, then: Callable[[], object] = sending.enqueue_when_due) -> None:
    """Some seconds of making, then sending; what is left is the next job's. `Conflict` when the order does not fit any more."""
    if not plan(order, seconds=PLAN_SECONDS).finished:
        enqueue(order)
    then()
