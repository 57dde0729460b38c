"""Clears away what runs have on Cloud Run and in the bucket: at their end, for a worker that died, and what is left of old ones."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from tasks.runners import cloud_bucket as bucket
from tasks.runners import cloud_jobs as jobs
from tasks.runners.cloud_api import CloudError
from tasks.runners.cloud_order import LABELS

log = logging.getLogger(__name__)

END_PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)  # for what was told to end
OLD = timedelta(hours=1)  # longer than any run
_swept = 0.0


def clear_away(name: str) -> None:
    """End what runs of that job, and remove it and its folder in the bucket. What is not there is cleared away already."""
    try:
        for execution in jobs.executions(name):
            if not jobs.finished(execution):
                jobs.cancel(execution["name"])
        _delete(name)
    except CloudError as error:
        if error.status != 404:
            raise
    bucket.remove_below(f"{name}/")


def _delete(name: str) -> None:
    for pause in (*END_PAUSES, None):
        try:
            jobs.delete_job(name)
            return
        except CloudError as error:
            if error.status not in {400, 409, 412} or pause is None:  # it still runs
                raise
            time.sleep(pause)


def sweep() -> None:
    """Remove our jobs that are older than any run: those that could not be cleared away in their time."""
    for job in jobs.listed():
        made = datetime.fromisoformat(job["createTime"][:19]).replace(tzinfo=UTC)  # whole seconds of it
        if job.get("labels") == LABELS and datetime.now(UTC) - made > OLD:
            clear_away(str(job["name"]).rpartition("/")[2])


def sweep_sometimes() -> None:
    """Once an hour and process, in the background."""
    global _swept
    if not _swept or time.monotonic() - _swept > OLD.total_seconds():
        _swept = time.monotonic()
        in_background("old runs", sweep)


def in_background(what: str, act: Callable[..., None], *args: object) -> threading.Thread:
    """Nobody waits for Google; what goes wrong is in the log."""

    def attempt() -> None:
        try:
            act(*args)
        except CloudError as error:
            log.warning("%s could not be cleared away: %s", what, error.message)

    thread = threading.Thread(target=attempt, name="cloud_run: clearing", daemon=True)
    thread.start()
    return thread
