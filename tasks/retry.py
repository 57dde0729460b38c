"""When to try again: pure values. One policy for everything that is retried over the network, the notification among it."""

from __future__ import annotations

FIRST_DELAYS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)  # the course's rule: after 1, 2, 4, 8, … s
STEADY_DELAY = 60.0
STEADY_SECONDS = 15 * 60.0  # a minute apart while the first try is younger than this
GIVE_UP_SECONDS = 3 * 24 * 3600.0
SLOWEST_DELAY = 12 * 3600.0
ASKED_SECONDS = 3600.0  # the longest pause that an evaluator's Retry-After is given

REFUSED_TRIES = 6  # tries after which an answer such as 400 is believed (it can be a race with the evaluator's own table)
INTERNAL_TRIES = 3
LOST_STARTS = 6  # starts of a stage without an outcome (its worker died) before it is given up


def delay(tries: int, age: float) -> float | None:
    """Seconds to wait after the `tries`-th failed try, `age` seconds after the first one; None: give up."""
    if age >= GIVE_UP_SECONDS:
        return None
    if tries <= len(FIRST_DELAYS):
        return FIRST_DELAYS[max(tries, 1) - 1]
    if age < STEADY_SECONDS:
        return STEADY_DELAY
    return min(SLOWEST_DELAY, max(300.0, age / 2))


def internal_delay(tries: int) -> float | None:
    """The same for a fault of our own: a few tries, in case it was the moment's."""
    return (2.0, 10.0)[tries - 1] if tries < INTERNAL_TRIES else None


def is_final(status: int) -> bool:
    """Does this status of a notification's answer mean "do not come back"? 408, 425 and 429 ask for another try."""
    return 400 <= status < 500 and status not in {408, 425, 429}


def poll_delay(polls: int) -> float:
    """Seconds to the next look at a page that is not live yet, after `polls` looks."""
    return 2.0 if polls < 5 else 5.0 if polls < 20 else 10.0 if polls < 60 else 30.0
