"""Leases made on one machine are compared on others, so their clocks must agree: how far this one is off."""

from __future__ import annotations

import logging

from django.db import connection
from django.utils import timezone

log = logging.getLogger(__name__)

TOLERATED_SECONDS = 5.0  # a lease has at least 15 s left when it is renewed in time


def ahead() -> float:
    """Seconds that this machine's clock is ahead of the database's; 0 where the database is a file of this machine."""
    if connection.vendor != "postgresql":
        return 0.0
    with connection.cursor() as cursor:
        before = timezone.now()
        cursor.execute("SELECT clock_timestamp()")
        there = cursor.fetchone()[0]
    return float((before + (timezone.now() - before) / 2 - there).total_seconds())


def compare() -> None:
    """Say so when the clocks are too far apart."""
    seconds = ahead()
    if abs(seconds) > TOLERATED_SECONDS:
        log.error(
            "The clock of this machine is %.0f s %s the database's: rounds may be taken from workers that are alive. Let NTP set it.",
            abs(seconds),
            "ahead of" if seconds > 0 else "behind",
        )
