"""Threads that take from one token's write budget as fast as they may: `python -m tests.worker.writers limit span total`.

Ends when `total` writes are noted; at most `limit` are allowed within `span` seconds."""

from __future__ import annotations

import random
import sys
import threading
import time

import django

TOKEN = "the-token-of-all"
THREADS = 4


def write(limit: int, total: int) -> None:
    from django.db import connection

    from tasks.errors import RateLimited
    from tasks.hosts.write_budget import reserve
    from tasks.models import WriteBudget

    try:
        while sum(len(row.stamps) for row in WriteBudget.objects.all()) < total:
            try:
                reserve(TOKEN, random.randint(1, min(5, limit)))
            except RateLimited as error:
                time.sleep(max(0.0, error.retry_at.timestamp() - time.time()))  # all at the same moment
    finally:
        connection.close()


if __name__ == "__main__":
    django.setup()
    from django.conf import settings

    from tasks.hosts import write_budget

    limit, span, total = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
    settings.GITHUB_WRITES_PER_MINUTE, settings.GITHUB_WRITES_PER_HOUR = limit, 0
    write_budget.MINUTE = span
    threads = [threading.Thread(target=write, args=(limit, total)) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
