"""When an issued task is sent again. Pure values.

The course tries a service that did not answer 200 up to three times more, spread over some hours: a host that sleeps or was just deployed anew gets
another chance.
"""

from __future__ import annotations

from datetime import datetime, timedelta

HOURS = 24.0
SHARES = (1 / 24, 1 / 3, 1.0)  # of the hours, counted from the first try: after one, eight and 24
MOST_HOURS = 24.0 * 7
REPORT_SECONDS = 600  # the course's: a report is in time for so long after the request


def next_try(tries: int, first_at: datetime, hours: float, asked_until: datetime | None = None) -> datetime | None:
    """The moment of the next try after so many, never before the one that the service asked for; None: give up."""
    if tries > len(SHARES):
        return None
    planned = first_at + timedelta(hours=hours * SHARES[max(tries, 1) - 1])
    return max(planned, asked_until) if asked_until else planned
