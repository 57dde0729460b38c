"""How many rounds may be on their way at once.

Storing a round is cheap, so a whole class is taken in one burst. Beyond that a round waits so long that its ten minutes mean nothing, and what one
sender has piled up must not keep the others out: when it is crowded, each e-mail may have a few rounds under way, and nobody gets in when it is
full. Rounds whose page is settled and that only wait for their evaluator do not count.
"""

from __future__ import annotations

import time

from django.db.models import QuerySet

from tasks.models import Round

CROWDED = 5_000  # five classes of a thousand
FULL = 20_000
FAIR_SHARE = 20  # rounds of one e-mail while it is crowded
RETRY_SECONDS = 60
COUNT_SECONDS = 1.0  # how long a count is good for


_counted = (float("-inf"), 0)  # when, and how many


def under_way() -> QuerySet[Round]:
    return Round.objects.open().exclude(stage="notify")


def seconds_to_wait(email: str) -> int:
    """0: a round of this e-mail may come in. Else when to ask again."""
    count = _count()
    if count < CROWDED:
        return 0
    if count < FULL and under_way().filter(task_request__email=email).count() < FAIR_SHARE:
        return 0
    return RETRY_SECONDS


def _count() -> int:
    """Rounds under way, counted anew when the last count of this process is old: once a second costs nothing, once a request would."""
    global _counted
    now = time.monotonic()
    if now - _counted[0] >= COUNT_SECONDS:
        _counted = (now, under_way().count())
    return _counted[1]
