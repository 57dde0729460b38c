"""With REDIS_URL the numbers of due rounds wait in Redis instead of the queue's table: two commits less a message, no polling of the database.

Redis holds nothing but these numbers, ordered by how long they have waited. What it loses, the dispatcher adds again, since the rounds' rows say that
they are due; while it does not answer, and for messages that stand for no row, the table is used as without it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django_q.conf import Conf

from tasks.broker import WakeBroker
from tasks.redis_link import ANSWER_SECONDS, client, link

Message = tuple[int | None, str]


def key() -> str:
    """Where the numbers are."""
    return f"{settings.REDIS_PREFIX}:due"


def add(round_ids: Iterable[int], since: datetime, otherwise: Callable[[], object]) -> None:
    """Once the caller's transaction is committed, put the rounds among those that are due; `otherwise` is done when Redis does not answer then.

    A round that is there already keeps the better one of its places."""
    places = dict.fromkeys(map(str, round_ids), since.timestamp())

    def push() -> None:
        link.ask(lambda: client().zadd(key(), places, lt=True), otherwise)

    transaction.on_commit(push, using=Conf.ORM, robust=True)


class RedisBroker(WakeBroker):
    """Takes a message of the table if there is one, else waits for a round in Redis."""

    def _wait(self) -> list[Message] | None:
        return link.ask(self._pop, super()._wait)

    def _pop(self) -> list[Message] | None:
        """The round that has waited longest, taken out of Redis; waits for one at most the poll time."""
        from tasks.jobs import LOOK, message

        found = client(Conf.POLL + ANSWER_SECONDS).bzpopmin(key(), timeout=Conf.POLL)
        return [(None, message(LOOK, int(found[1])))] if found else None

    def queue_size(self) -> int:
        """Messages and rounds that no cluster has taken yet."""
        return int(super().queue_size()) + link.ask(lambda: int(client().zcard(key())), lambda: 0)
