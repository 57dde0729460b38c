"""How often one address was wrong: guesses are told to wait, and only they are, so that nobody can lock another one out."""

from __future__ import annotations

import math
import time

from django.core.cache import cache
from django.http import HttpRequest

from tasks.client_address import client_address


def wrong(request: HttpRequest, what: str, most: int, seconds: int) -> int:
    """Count one more; 0, or how many seconds to wait when it was more than `most` in that time."""
    key, now = f"{what}:{client_address(request)}", time.time()
    since = cache.get_or_set(f"{key}:since", now, seconds) or now
    cache.add(key, 0, seconds)
    try:
        count = cache.incr(key)
    except ValueError:  # it has just expired
        count = 1
    return max(1, math.ceil(since + seconds - now)) if count > most else 0
