"""One write budget per GitHub token, shared by every worker through the database.

GitHub allows 80 content-creating requests a minute and 500 an hour and may ban a client that goes on while it is limited:
https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from tasks.errors import RateLimited
from tasks.models import WriteBudget

MINUTE, HOUR = 60.0, 3600.0
ASKED_TO_WAIT = "GitHub asked this token to wait; the round goes on at the time it named."


def key_of(token: str) -> str:
    """The name under which a token's budget is kept; the token itself is not stored."""
    return hashlib.sha256(token.encode()).hexdigest()


def reserve(token: str, writes: int) -> None:
    """Take `writes` from the token's budget, all or none. `RateLimited` with the moment at which they will fit, and never while a limit
    that GitHub named (`note_limit`) lasts."""
    windows = [(MINUTE, settings.GITHUB_WRITES_PER_MINUTE), (HOUR, settings.GITHUB_WRITES_PER_HOUR)]
    windows = [(span, limit) for span, limit in windows if limit > 0]
    refused: RateLimited | None = None
    with transaction.atomic():
        row = _locked(token)
        now = time.time()
        # A stamp from the future is a clock that was set back; it counts as just made.
        stamps = [min(float(stamp), now) for stamp in row.stamps if float(stamp) > now - HOUR]
        free_at = max((room_at(stamps, writes, span, limit, now) for span, limit in windows), default=now)
        if row.blocked_until and row.blocked_until.timestamp() > max(now, free_at):
            refused = RateLimited(ASKED_TO_WAIT, retry_at=row.blocked_until)
        elif free_at > now:
            retry_at = datetime.fromtimestamp(free_at, UTC)
            refused = RateLimited("The write budget of this GitHub token is used up; the round goes on when there is room.", retry_at=retry_at)
        elif windows:
            row.stamps = stamps + [now] * writes
            row.save(update_fields=["stamps"])
    if refused is not None:
        raise refused


def room_at(stamps: Sequence[float], writes: int, span: float, limit: int, now: float) -> float:
    """The first moment from `now` on at which `writes` more fit into the sliding window of `span` seconds; `stamps` ascend. More writes
    than the window ever holds fit when it is empty."""
    inside = [stamp for stamp in stamps if stamp > now - span]
    must_leave = len(inside) - max(limit - writes, 0)
    return max(now, inside[must_leave - 1] + span) if must_leave > 0 else now


def note_limit(token: str, until: datetime) -> None:
    """Store a limit that GitHub itself named, so that every worker waits for it. A later one that stands already is kept."""
    with transaction.atomic():
        row = _locked(token)
        if row.blocked_until is None or row.blocked_until < until:
            row.blocked_until = until
            row.save(update_fields=["blocked_until"])


def check(token: str) -> None:
    """`RateLimited` while a limit that GitHub named lasts: reads wait for it as well."""
    until = WriteBudget.objects.filter(key=key_of(token), blocked_until__gt=timezone.now()).values_list("blocked_until", flat=True).first()
    if until is not None:
        raise RateLimited(ASKED_TO_WAIT, retry_at=until)


def _locked(token: str) -> WriteBudget:
    """The token's row, locked until the transaction ends (SQLite: the IMMEDIATE transaction is the lock)."""
    key = key_of(token)
    row = WriteBudget.objects.select_for_update().filter(key=key).first()
    if row is None:
        WriteBudget.objects.bulk_create([WriteBudget(key=key)], ignore_conflicts=True)
        row = WriteBudget.objects.select_for_update().get(key=key)
    return row
