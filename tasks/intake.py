"""Accept one request: tell a repeat from a change, store it, enqueue it.

In: the decoded body of a POST to /ready. Out: `Accepted` (the round is committed), or `Rejected` as `tasks.payload` raises it. The secret is compared
and then dropped: it is in no row, no log and no message. The rows are written by prepared statements, together with those of other requests that
come at the same moment: of the time that an answer takes, most is the disk's.
"""

from __future__ import annotations

import hashlib
import hmac
import uuid
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from operator import itemgetter
from typing import Any

import msgspec
from django.conf import settings
from django.db import IntegrityError, connection
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from tasks import admission
from tasks.group_commit import GroupCommit
from tasks.inserts import Insert
from tasks.jobs import enqueue
from tasks.models import Attachment, Round, TaskRequest
from tasks.payload import AttachmentIn, Rejected, extra_keys, listed_checks, round_number, validate

TRIES = 3

_insert_tasks = Insert(TaskRequest, "email", "task", returning=("email", "task", "id"))
_insert_rounds = Insert(
    Round,
    *("uuid", "task_request", "number", "nonce", "brief", "checks", "evaluation_url", "extra", "fingerprint"),
    *("received_at", "deadline_at", "next_run_at", "enqueued_at"),
    returning=("task_request", "number", "nonce", "id"),
)
_insert_attachments = Insert(Attachment, "round", "position", "name", "url")


@dataclass(frozen=True)
class Accepted:
    """`uuid` is the round's public id; `repeated`: it was there before."""

    uuid: uuid.UUID
    repeated: bool


@dataclass(frozen=True)
class Order:
    """A request that is in order: what there is to store."""

    uuid: uuid.UUID
    email: str
    task: str
    number: int
    nonce: str
    brief: str
    checks: list[Any]
    evaluation_url: str
    attachments: list[AttachmentIn]
    extra: dict[str, Any]
    fingerprint: str  # SHA-256 of what is asked, to tell a repeat from a change

    @classmethod
    def of(cls, data: dict[str, Any]) -> Order:
        """The order that a decoded body is; `Rejected` for anything else."""
        request = validate(data)
        checks, url = listed_checks(request.checks), request.evaluation_url.strip()
        attachments = request.attachments if isinstance(request.attachments, list) else []
        asked = [request.brief, checks, url, [[item.name, item.url] for item in attachments]]
        return cls(
            uuid=uuid.uuid4(),
            email=request.email.strip(),
            task=request.task.strip(),
            number=round_number(request.round),
            nonce=request.nonce,
            brief=request.brief,
            checks=checks,
            evaluation_url=url,
            attachments=attachments,
            extra=extra_keys(data),
            fingerprint=hashlib.sha256(msgspec.json.encode(asked, order="sorted")).hexdigest(),
        )

    @property
    def owner(self) -> tuple[str, str]:
        return self.email, self.task


def check_secret(given: object) -> bool:
    """Compare with STUDENT_SECRET in constant time; both sides are hashed first, so length and type tell nothing."""
    if not settings.STUDENT_SECRET:
        raise Rejected(503, "no-secret", "STUDENT_SECRET is not set on this server, so it accepts nobody. Set it and start again.")
    if given is None:
        return False
    if not isinstance(given, str):
        raise Rejected(422, "invalid", "secret must be a string.", "secret")
    digest = hashlib.sha256(given.encode("utf-8", "surrogatepass")).digest()
    return hmac.compare_digest(digest, hashlib.sha256(settings.STUDENT_SECRET.encode()).digest())


def accept(data: dict[str, Any]) -> Accepted:
    """Store the request as a round and enqueue it, in one transaction; a repeat gives the round that is there."""
    order = Order.of(data)
    wait = admission.seconds_to_wait(order.email)
    if wait and find(order) is None:
        raise Rejected(503, "crowded", f"Too many rounds are under way; nothing was stored. Post it again in {wait} s.", retry_after=wait)
    if is_new(order):
        return Accepted(order.uuid, repeated=False)
    there = find(order)
    if there is None:
        raise Rejected(503, "busy", "This task was deleted just now; post it again.", retry_after=1)
    return repeat(there, order.fingerprint)


def is_new(order: Order) -> bool:
    """Store it; False when its round is there. A task that is pruned or erased at this very moment becomes a new one."""
    for _ in range(TRIES):
        with suppress(IntegrityError, TaskRequest.DoesNotExist):
            return _commits.run(order)
    raise Rejected(503, "busy", "This task is being deleted; post it again.", retry_after=1)


def find(order: Order) -> Round | None:
    """The round that this order made when it came before."""
    return Round.objects.filter(task_request__email=order.email, task_request__task=order.task, number=order.number, nonce=order.nonce).first()


def store(orders: list[Order]) -> list[bool]:
    """Add the rows and the messages of several orders, inside a transaction; for each whether it was new."""
    now = timezone.now()
    deadline = now + timedelta(seconds=settings.TASK_DEADLINE_SECONDS)
    with connection.cursor() as cursor:
        task_ids = owned(cursor, sorted({order.owner for order in orders}))
        new = {(task_ids[order.owner], order.number, order.nonce): order for order in reversed(orders)}  # of twins the first
        rows = [
            (order.uuid, *key, order.brief, order.checks, order.evaluation_url, order.extra, order.fingerprint, now, deadline, now, now)
            for key, order in sorted(new.items(), key=itemgetter(0))
        ]
        ids = {new[task, number, nonce].uuid: id for task, number, nonce, id in _insert_rounds.rows(cursor, rows)}
        files = [
            (ids[order.uuid], place, item.name, item.url) for order in orders if order.uuid in ids for place, item in enumerate(order.attachments)
        ]
        _insert_attachments.rows(cursor, files)
    enqueue(*ids.values())
    return [order.uuid in ids for order in orders]


def owned(cursor: CursorWrapper, owners: list[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """The ids of these persons' tasks, made where there are none. Always in the same order, so that two processes never wait for each other."""
    ids = {(email, task): id for email, task, id in _insert_tasks.rows(cursor, owners)}
    for email, task in set(owners) - ids.keys():
        ids[email, task] = TaskRequest.objects.order_by().values_list("pk", flat=True).get(email=email, task=task)
    return ids


_commits: GroupCommit[Order, bool] = GroupCommit(lambda orders: store(orders))


def repeat(found: Round, fingerprint: str) -> Accepted:
    """The same request again: nothing is done twice, but what has ended is reported (or, if it failed before that, taken up) once more."""
    from tasks.rerun import renotify, rerun

    if found.fingerprint != fingerprint:
        raise Rejected(
            409, "nonce-reused", "This email, task, round and nonce came before with other content. Post the change with a new nonce.", "nonce"
        )
    if not found.is_open and not renotify(found):
        rerun(found)
    return Accepted(found.uuid, repeated=True)
