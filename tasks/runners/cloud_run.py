"""Programs in containers of Google Cloud Run: a job of one task for each run, made for it and removed after it.

A job of its own, since memory and time limit belong to the job; its name is the run's, so that it is made once whatever gets lost on the way. The
bucket carries the program there and what it says and leaves back, in a folder of the run's own (`cloud_inside.py`, which watches the program there,
closes it off from network and container, and tells the figures). Not through Cloud Logging: it cuts and reorders lines, and lets a project read 60
times a minute. Cold starts take seconds, and the wall limit begins with the program.
https://cloud.google.com/run/docs/create-jobs, https://cloud.google.com/run/docs/configuring/jobs/cloud-storage-volume-mounts
"""

from __future__ import annotations

import time
import uuid

from django.conf import settings

from tasks.runners import base
from tasks.runners import cloud_bucket as bucket
from tasks.runners import cloud_jobs as jobs
from tasks.runners.cloud_api import CloudError
from tasks.runners.cloud_clearing import clear_away, in_background, sweep_sometimes
from tasks.runners.cloud_course import Course
from tasks.runners.cloud_order import body_of

PROOF_SECONDS = 60.0  # for which an answer of `unavailable` is believed


class Runner(base.Runner):
    name = "cloud_run"

    def unavailable(self) -> str:
        return _refusal(settings.CLOUD_RUN_PROJECT, settings.CLOUD_RUN_REGION, settings.CLOUD_RUN_BUCKET)

    def run(self, job: base.Job, watch: base.Watch) -> base.Report:
        if missing := unset():
            return base.Report("internal_error", missing)
        sweep_sometimes()
        return Course(job, watch).carry_out()

    def discard(self, name: str) -> None:
        in_background(f"the run {name}", clear_away, name)


def unset() -> str:
    """The settings that are missing, with the cure; empty when all are there."""
    names = ("CLOUD_RUN_PROJECT", "CLOUD_RUN_REGION", "CLOUD_RUN_BUCKET", "CLOUD_RUN_SERVICE_ACCOUNT")
    missing = [name for name in names if not getattr(settings, name)]
    return f"RUNNER=cloud_run needs {', '.join(missing)}: the README tells how to set up Cloud Run." if missing else ""


_proof: dict[tuple[str, ...], tuple[float, str]] = {}


def _refusal(*where: str) -> str:
    """Asked of Cloud Run and of the bucket with everything that a run needs, without making anything; the answer holds for a minute."""
    if missing := unset():
        return missing
    asked, reason = _proof.get(where, (0.0, ""))
    if not asked or time.monotonic() - asked > PROOF_SECONDS:
        reason = _try()
        _proof[where] = time.monotonic(), reason
    return reason


def _try() -> str:
    try:
        jobs.create_job(f"deployer-{uuid.uuid4().hex}", body_of("deployer-trial", base.Limits(), 0), only_try=True)
        rights = bucket.missing_rights()
    except CloudError as error:
        return error.message[:500]
    if rights:
        return f"This service's identity lacks {', '.join(rights)}: give it roles/storage.objectUser on gs://{settings.CLOUD_RUN_BUCKET}."
    return ""
