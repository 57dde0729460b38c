"""The way to Redis, which is optional and may go away at any time: nobody waits long for it, and while it is away nobody asks at once again.

What Redis holds is a copy, or can be made anew from the database: whoever asks says what to do without an answer.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

T = TypeVar("T")
log = logging.getLogger(__name__)

ANSWER_SECONDS = 0.5
AWAY_SECONDS = 5.0  # it is left alone for so long after it did not answer
OPTIONS = {"socket_connect_timeout": ANSWER_SECONDS, "socket_timeout": ANSWER_SECONDS, "retry": Retry(NoBackoff(), 1)}  # once: it was started anew


def client(answer_seconds: float = ANSWER_SECONDS) -> Redis:
    """Connections to REDIS_URL, for all threads of a process; they are made when they are needed, and not shared with a fork."""
    return _client(settings.REDIS_URL, answer_seconds)


@lru_cache
def _client(url: str, answer_seconds: float) -> Redis:
    return Redis.from_url(url, **OPTIONS | {"socket_timeout": answer_seconds})


class Link:
    """Whether Redis answers, as one process has found it."""

    def __init__(self) -> None:
        self._away = False
        self._ask_at = 0.0

    def ask(self, question: Callable[[], T], otherwise: Callable[[], T]) -> T:
        """What Redis says to the question; when it does not answer, or did not a moment ago, what `otherwise` returns."""
        if time.monotonic() < self._ask_at:
            return otherwise()
        try:
            answer = question()
        except RedisError as error:
            self._ask_at = time.monotonic() + AWAY_SECONDS
            if not self._away:
                log.error("Redis does not answer, so the database does its work meanwhile: %s", error)
            self._away = True
            return otherwise()
        if self._away:
            log.warning("Redis is back.")
            self._away = False
        return answer


link = Link()


def answers() -> bool:
    """Whether Redis answers, or did not a moment ago."""
    return link.ask(lambda: bool(client().ping()), lambda: False)


def problem() -> str:
    """Why Redis does not answer now; empty when it does."""
    try:
        client().ping()
    except RedisError as error:
        return str(error)
    return ""
