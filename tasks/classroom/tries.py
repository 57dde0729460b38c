"""When an issued task is sent again. Pure values.

The course tries a service that did not answer 200 up to three times more, spread over some hours: a host that sleeps or was just deployed anew gets
another chance.
"""

from __future__ import annotations

from datetime import datetime, timedelta

HOURS = 24.0
SHARES = (1 / 24, 1 / 3, 1.0)  # of the hours, counted from the first try: after one, eight and 24
MOST_HOURS = 24.0 * 7
PRACTICE_HOURS = 0.1  # somebody sits before it and waits: tries at once, after 15 s and after 2 min, and then it is over
PRACTICE_TRIES = 3
REPORT_SECONDS = 600  # the course's: a report is in time for so long after the request


def next_try(tries: int, first_at: datetime, hours: float, asked_until: datetime | None = None) -> datetime | None:
    """The moment of the next try after so many, never before the one that the service asked for; None: give up."""
    if tries > len(SHARES):
        return None
    planned = first_at + timedelta(hours=hours * SHARES[max(tries, 1) - 1])
    return max(planned, asked_until) if asked_until else planned


def next_practice_try(tries: int, first_at: datetime, hours: float, asked_until: datetime | None = None) -> datetime | None:
    """The same for practice, where a service that wants to be left alone for longer than all tries take is given up as well."""
    planned = None if tries >= PRACTICE_TRIES else next_try(tries, first_at, hours, asked_until)
    return planned if planned and planned <= first_at + timedelta(hours=hours) else None
