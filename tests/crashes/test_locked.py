"""Somebody keeps SQLite's one write lock for seconds: whoever wants to write waits, or is refused and comes again."""

from __future__ import annotations

import json
import sqlite3
import time
import urllib.error
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.crashes.conftest import Judge
from tests.crashes.rounds import Posted
from tests.crashes.service import LEASE, Service, rest
from tests.crashes.sleeper import Sleeper

pytestmark = [pytest.mark.worker, pytest.mark.timeout(400)]

LOCKED = LEASE + 2  # seconds


@contextmanager
def locked(service: Service) -> Iterator[None]:
    """As a backup or a `VACUUM` does."""
    connection = sqlite3.connect(service.stack.folder / "deployer.sqlite3", isolation_level=None, timeout=20)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()


@rest
@pytest.mark.parametrize("patience", [20, 1])
def test_a_lock_that_lasts_longer_than_the_lease(patience: int, service: Service, judge: Judge) -> None:
    """Within its patience (20 s in production) a writer waits for the lock, else its write is lost."""
    if patience != 20:
        service.replace_worker(CRASH_BUSY_SECONDS=str(patience))
    rounds = service.hold("before file", "after answer", "after POST /user/repos", "after PATCH /git/refs", "after notification")
    started = time.monotonic()
    with locked(service):
        service.gate.open()
        time.sleep(LOCKED)
    judge(service, rounds, started, f"SQLite locked {LOCKED:.0f} s, patience {patience} s", asks={"after answer": 2})


def test_a_post_that_cannot_be_stored_in_time_is_answered_with_503(service: Service, judge: Judge) -> None:
    body = service.body()
    service.restart_web(CRASH_BUSY_SECONDS="1")
    try:
        with locked(service), pytest.raises(urllib.error.HTTPError) as caught:
            service.stack.post(body)
        with caught.value as error:
            assert (error.code, json.loads(error.read())["status"]) == (503, 503)
            assert int(error.headers["Retry-After"]) > 0
        started = time.monotonic()
        posted = Posted(service.stack.post(body)["id"], body, "posted meanwhile (503), then again")
        judge(service, [posted], started, "SQLite locked, patience 1 s", told={posted.name: 1})
    finally:
        service.restart_web()


@rest
def test_a_worker_that_sleeps_inside_a_transaction_goes_on_where_it_was(service: Service, judge: Judge) -> None:
    """On SQLite nobody else can write meanwhile, so the lease that has run out is still its own."""
    rounds = service.hold("after files")
    sleeper = Sleeper(service)
    time.sleep(LEASE + 1)
    sleeper.resume()
    judge(service, rounds, sleeper.stopped_at, "worker stopped in a transaction (SQLite)", told={"after files": 1})
