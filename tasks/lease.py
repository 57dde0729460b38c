"""The lease: who may work on a round, and the fence in front of every write.

A worker that loses its lease (stopped too long, cut off from the database) finds out at its next write, which then does nothing: `LeaseLost`.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.db import OperationalError, close_old_connections, connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from tasks.errors import LeaseLost
from tasks.models import Round
from tasks.worker import stopping

log = logging.getLogger(__name__)

LEASE_SECONDS = float(os.environ.get("DEPLOYER_LEASE_SECONDS", "20"))  # what a round of a vanished worker has to wait at most
RENEW_SECONDS = LEASE_SECONDS / 4


def owner_name() -> str:
    """`<worker name>:<pid>`: the supervisor puts its name into the environment, so it can tell its own leases."""
    return f"{os.environ.get('DEPLOYER_WORKER', 'shell')}:{os.getpid()}"


def reach_database() -> None:
    """Reconnect if the server was restarted since the last question, and wait for one that is being restarted as long as a lease lasts: what was just
    done, and perhaps paid for, is still to be written down."""
    if connection.in_atomic_block:
        return
    end = time.monotonic() + LEASE_SECONDS
    while True:
        try:
            close_old_connections()
            connection.close_if_health_check_failed()
            connection.ensure_connection()
        except OperationalError:
            if stopping() or time.monotonic() >= end:
                raise
            time.sleep(0.25)
        else:
            return


class Lease:
    """The right to work on one round, renewed in the background while it is held."""

    def __init__(self, round_id: int, owner: str) -> None:
        self.round_id = round_id
        self.owner = owner
        self._stop = threading.Event()

    @classmethod
    def claim(cls, round_id: int) -> Lease | None:
        """The lease, or None when the round is not due or somebody else has it."""
        owner = f"{owner_name()}:{os.urandom(3).hex()}"
        return cls(round_id, owner) if Round.objects.claim(round_id, owner, LEASE_SECONDS) else None

    def held(self) -> QuerySet[Any]:
        """The row, only while this lease is on it."""
        return Round.objects.held(self.round_id, self.owner)

    @contextmanager
    def fenced(self) -> Iterator[None]:
        """A transaction in which this lease was still held; it is also renewed."""
        reach_database()
        with transaction.atomic():
            until = timezone.now() + timedelta(seconds=LEASE_SECONDS)
            if not self.held().update(lease_until=until):
                raise LeaseLost(self.owner)
            yield

    def renew(self) -> None:
        """The lease is held from now on for its whole time, or `LeaseLost`: for an effect outside the database that a late writer must not have."""
        with self.fenced():
            pass

    @contextmanager
    def heartbeat(self) -> Iterator[None]:
        """Renew every few seconds in a thread of its own, with a connection of its own, until the block ends."""
        thread = threading.Thread(target=self._keep_renewing, name=f"lease-{self.round_id}", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join(timeout=2)

    def _keep_renewing(self) -> None:
        while not self._stop.wait(RENEW_SECONDS):
            try:
                until = timezone.now() + timedelta(seconds=LEASE_SECONDS)
                if not self.held().update(lease_until=until):
                    return
            except Exception:
                log.warning("lease of round %s could not be renewed", self.round_id, exc_info=True)
            finally:
                connection.close()

    def release(self) -> None:
        """Give the round back as it is, due at once."""
        reach_database()
        Round.objects.filter(pk=self.round_id, lease_owner=self.owner).update(lease_owner="", lease_until=None, enqueued_at=None, status="queued")
