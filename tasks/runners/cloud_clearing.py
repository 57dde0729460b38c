"""Clears away what a run has on Cloud Run and in the bucket: at its end, and for a worker that died."""

from __future__ import annotations

import time

from tasks.runners import cloud_bucket as bucket
from tasks.runners import cloud_jobs as jobs
from tasks.runners.cloud_api import PAUSES, CloudError


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
    """What was told to end may have to end first."""
    for pause in (*PAUSES, None):
        try:
            jobs.delete_job(name)
            return
        except CloudError as error:
            if error.status not in {400, 409, 412} or pause is None:
                raise
            time.sleep(pause)
