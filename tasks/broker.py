"""The queue's store: django-q2's table, whoever waits longest first, with a doorbell instead of naps.

Enqueueing takes part in the caller's transaction and rings after its commit: a job starts some milliseconds later, on PostgreSQL on any machine. Only
a pusher dequeues, so only a pusher has a bell and a line.
"""

from __future__ import annotations

import logging
import os
import time
from datetime import datetime
from typing import Any

from django.db import DatabaseError, InterfaceError, close_old_connections, connections, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django_q.brokers.orm import ORM
from django_q.conf import Conf
from django_q.models import OrmQ

import tasks.worker
from tasks.inserts import Insert
from tasks.worker import pulse
from tasks.worker.line import Line, ring
from tasks.worker.wake import Bell, wake

log = logging.getLogger(__name__)

CANDIDATES = 8  # rows looked at in one go: when other clusters are faster at the first ones, one of these is still free
OUTAGE_PAUSE = 1.0  # seconds
STOP_PAUSE = 0.05


_insert = Insert(OrmQ, "key", "payload", "lock", returning=("id",))


def put(*payloads: str, since: datetime | None = None) -> list[int]:
    """Store messages as part of the caller's transaction, and ring once that is committed; their rows' ids.

    `since` is the moment from which they have been waiting (default: now). Whoever waits longest is served first."""
    since = since or timezone.now()
    with connections[Conf.ORM].cursor() as cursor:
        ids = _insert.rows(cursor, [(Conf.CLUSTER_NAME, payload, since) for payload in payloads])
    knock()
    return [id for (id,) in ids]


def knock() -> None:
    """Once the caller's transaction is committed, wake the clusters of this machine and, on PostgreSQL, of all; once a transaction is enough."""
    connection = connections[Conf.ORM]
    if all(entry[1] is not wake for entry in connection.run_on_commit):
        ring(connection)
        transaction.on_commit(wake, using=Conf.ORM)


class WakeBroker(ORM):
    """One for each process; bell and line are made at the first `dequeue`."""

    _bell: Bell | None = None
    _line: Line | None = None
    _next_pulse = 0.0
    _outage = False

    @staticmethod
    def get_connection(list_key: str | None = None) -> QuerySet[OrmQ]:
        """The queue's rows. Stale connections are closed as the parent does, but none is opened just to ask whether a transaction runs."""
        if not connections[Conf.ORM].in_atomic_block:
            close_old_connections()
        return OrmQ.objects.using(Conf.ORM)

    def enqueue(self, task: str) -> int:
        """Store a message, as `put` does; its row's id."""
        return put(task)[0]

    def dequeue(self) -> list[tuple[int | None, str]] | None:
        """The next message as [(row id, payload)], or nothing after a wait of at most the poll time.

        Under a supervisor every now and then a pulse, which has no row: django-q2's monitor acknowledges nothing for an id of None."""
        if self._bell is None:
            self._bell, self._line = Bell(), Line(Conf.ORM)
        if tasks.worker.stopping():  # take nothing more; the sentinel ends this process in a moment
            time.sleep(STOP_PAUSE)
            return None
        if "DEPLOYER_WORKER" in os.environ and time.monotonic() >= self._next_pulse:
            self._next_pulse = time.monotonic() + pulse.PULSE_SECONDS
            return [(None, pulse.message())]
        try:
            found, message = self._take()
        except (DatabaseError, InterfaceError) as error:
            if not self._outage:
                log.error("The queue cannot be read: %s", error)
            self._outage = True
            connections[Conf.ORM].close()
            time.sleep(OUTAGE_PAUSE)
            return None
        self._outage = False
        return message if found else self._wait()

    def _wait(self) -> list[tuple[int | None, str]] | None:
        """Until there may be a message, at most the poll time."""
        if self._bell:
            self._bell.wait(Conf.POLL, tasks.worker.stop_flag, self._line)
        return None

    def _take(self) -> tuple[bool, list[tuple[int | None, str]]]:
        """Whether there were visible messages, and the one that this cluster got."""
        rows = self.get_connection().filter(key=self.list_key, lock__lte=timezone.now()).order_by("lock", "pk")
        found = list(rows.values_list("pk", "payload", "lock")[:CANDIDATES])
        for pk, payload, lock in found:
            if self.get_connection().filter(pk=pk, lock=lock).update(lock=self.timeout(None)):
                return True, [(pk, payload)]
        return bool(found), []

    def fail(self, task_id: Any) -> None:
        """Drop a message that cannot be read; its round is dispatched again some seconds later."""
        log.error("A message was signed with another SECRET_KEY: every web and worker process on one database needs the same one.")
        self.acknowledge(task_id)

    def acknowledge(self, task_id: Any) -> None:
        """Delete the message. If the database is away it comes again after the retry time, and the round's row says that there is nothing to do."""
        try:
            self.delete(task_id)
        except (DatabaseError, InterfaceError) as error:
            log.warning("Message %s could not be acknowledged: %s", task_id, error)
            connections[Conf.ORM].close()
