"""The course of one run on Cloud Run: ordered, followed while the container writes, judged, cleared away.

In: the job and its watch. Out: the report; `CloudError` becomes one of status internal_error. https://cloud.google.com/run/docs/create-jobs
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any, TypeVar

from django.conf import settings

from tasks import frames
from tasks.runners import base
from tasks.runners.cloud import bucket, jobs, verdict
from tasks.runners.cloud.api import BUSY, PAUSES, CloudError
from tasks.runners.cloud.clearing import clear_away
from tasks.runners.cloud.order import END_SECONDS, body_of, packed, supervisor

log = logging.getLogger(__name__)

START_SECONDS = 120.0  # from the order to the program's start, the image's download among it
CANCEL_SECONDS = 20.0  # Cloud Run gives ten between SIGTERM and SIGKILL
POLL_SECONDS = 1.0
STATE_SECONDS = 3.0  # between two looks at the execution, which only tells what the container could not
ASK_SECONDS = 0.25
T = TypeVar("T")


class Course:
    """One run, from its order to its report. Google is asked in a thread of its own, so that the watch is asked all the time."""

    def __init__(self, job: base.Job, watch: base.Watch) -> None:
        self.job, self.watch, self.limits = job, watch, job.limits
        self.name = job.name or f"deployer-{uuid.uuid4().hex}"
        self.number = 1  # of the next file from the container
        self.execution = ""
        self.artefacts: dict[str, bytes] = {}
        self.ended: dict[str, Any] = {}
        self.started = self.cancelled = self.cancel_sent = False
        self.start_by = time.monotonic() + START_SECONDS
        self.status: base.Status | None = None
        self.reason = ""

    def carry_out(self) -> base.Report:
        with ThreadPoolExecutor(max_workers=1) as self.pool:
            try:
                self._order()
                if self.execution:
                    self._follow()
            except CloudError as error:
                self._conclude("internal_error", error.message)
            finally:
                self._clear_away()
        return self._report()

    def _do(self, call: Callable[..., T], *args: object) -> T:
        future = self.pool.submit(call, *args)
        while not wait([future], ASK_SECONDS).done:
            self._ask()
        return future.result()

    def _ask(self) -> None:
        self.cancelled = self.watch.cancelled() or self.cancelled

    def _conclude(self, status: base.Status, reason: str) -> None:
        self.status, self.reason = status, reason

    # -- before ------------------------------------------------------------------------------------------------------------------------

    def _order(self) -> None:
        """Set it off, unless it is cancelled before."""
        content = packed(self.job)
        steps: tuple[Callable[[], None], ...] = (
            lambda: bucket.put(f"{self.name}/supervisor.pyz", supervisor()),
            lambda: bucket.put(f"{self.name}/job", content),
            lambda: self._make(sum(map(len, self.job.files.values()))),
            self._set_off,
        )
        for step in steps:
            self._ask()
            if self.cancelled:
                self._conclude("cancelled", "It was cancelled before it started.")
                return
            self._do(step)

    def _make(self, size: int) -> None:
        """A job that is there already is ours when the answer to an earlier try got lost."""
        try:
            jobs.create_job(self.name, body_of(self.name, self.limits, size))
        except CloudError as error:
            if error.status != 409:
                raise
        while time.monotonic() < self.start_by:
            job = jobs.find_job(self.name)
            state = job.get("terminalCondition", {}).get("state")
            if state == "CONDITION_FAILED":
                raise CloudError(f"Cloud Run cannot use the job: {str(job['terminalCondition'].get('message', ''))[:300]}")
            if state == "CONDITION_SUCCEEDED" and not job.get("reconciling"):
                return
            time.sleep(min(0.5, POLL_SECONDS))
        raise CloudError(f"Cloud Run did not make the job within {START_SECONDS:g} s.")

    def _set_off(self) -> None:
        """Once: when the answer got lost, what was started is looked for before another try."""
        for pause in (*PAUSES, None):
            try:
                self.execution = jobs.run_job(self.name).get("metadata", {}).get("name", "")
            except CloudError as error:
                if pause is None or (error.status and error.status not in BUSY):
                    raise
                time.sleep(pause)
            if not self.execution:
                self.execution = next((execution["name"] for execution in jobs.executions(self.name)), "")
            if self.execution:
                return
        raise CloudError("Cloud Run did not start the job.")

    # -- while it runs -----------------------------------------------------------------------------------------------------------------

    def _follow(self) -> None:
        """Take in what the container writes until it tells the end, or its execution has ended without."""
        limit = self.start_by
        look_at = time.monotonic() + STATE_SECONDS
        over: dict[str, Any] = {}
        while not self.ended:
            letter = self._do(self._next)
            now = time.monotonic()
            for message, content in letter:
                self._heard(message, content)
                limit = max(limit, now + END_SECONDS + (self.limits.wall_seconds if message["kind"] == "started" else 0))
            if self.ended:
                return
            if over and not letter:
                self._do(self._lost, over)
                return
            if self.cancelled and not self.cancel_sent:
                self._do(jobs.cancel, self.execution)
                self.cancel_sent, limit = True, now + CANCEL_SECONDS
            if letter:
                continue
            if now >= look_at:
                look_at = now + STATE_SECONDS
                execution = self._do(jobs.get_execution, self.execution)
                over = execution if jobs.finished(execution) else {}
                if over:
                    continue  # what it wrote at last
            if now >= limit:
                self._late()
                return
            self._pause()

    def _pause(self) -> None:
        end = time.monotonic() + POLL_SECONDS
        while (left := end - time.monotonic()) > 0:
            self._ask()
            if self.cancelled and not self.cancel_sent:
                return
            time.sleep(min(left, ASK_SECONDS))

    def _next(self) -> list[tuple[dict[str, Any], bytes]]:
        """The frames of the container's next file; none while it is not there, or not whole."""
        name = f"{self.name}/{self.number:06}"
        content = bucket.read(name)
        found = frames.whole(content) if content else None
        if not found:
            return []
        self.number += 1
        bucket.remove(name)
        return found

    def _heard(self, message: dict[str, Any], content: bytes) -> None:
        if message["kind"] == "started":
            self.started = True
            self.watch.running()
        elif message["kind"] == "output":
            self.watch.output(message["stream"], content)
        elif message["kind"] == "artefact":
            self.artefacts[message["path"]] = content
        elif message["kind"] == "closed":
            lacks = f"a program cannot be closed off in this container, which lacks {message['reason']}."
            self._conclude("internal_error", f"Nothing was run: {lacks}"[:500])
            self.ended = message
        else:
            self.ended = message

    # -- after -------------------------------------------------------------------------------------------------------------------------

    def _late(self) -> None:
        if self.cancel_sent:
            self._conclude("cancelled", "It was cancelled; the container did not tell how it ended.")
        elif self.started:
            self._conclude("internal_error", "The container did not tell in time how the program ended.")
        else:
            self._conclude("internal_error", f"Cloud Run did not start the container within {START_SECONDS:g} s.")

    def _lost(self, execution: dict[str, Any]) -> None:
        """The container ended without a word: how, only Cloud Run can tell."""
        task = next(iter(jobs.tasks(self.execution)), {})
        self._conclude(*verdict.of_container(execution, task, self.limits, started=self.started, cancelled=self.cancel_sent))

    def _clear_away(self) -> None:
        try:
            self._do(clear_away, self.name)
        except CloudError as error:
            log.warning("the run %s could not be cleared away: %s", self.name, error.message)

    def _report(self) -> base.Report:
        ended = self.ended
        status, reason = self.status, self.reason
        if status is None:
            status, reason = verdict.of_program(ended, self.job, cancelled=self.cancel_sent)
        applied = {**vars(self.limits), "by": "Cloud Run, namespaces, seccomp, resource limits", "network": "off"}
        applied |= {"image": settings.CLOUD_RUN_IMAGE, "region": settings.CLOUD_RUN_REGION, "execution": self.execution.rpartition("/")[2]}
        return base.Report(
            status=status,
            reason=reason,
            exit_code=ended.get("exit_code"),
            signal=ended.get("signal"),
            wall_ms=ended.get("wall_ms"),
            cpu_ms=ended.get("cpu_ms"),
            memory_peak_kb=ended.get("memory_peak_kb"),
            stdout_truncated="stdout" in ended.get("cut", ()),
            stderr_truncated="stderr" in ended.get("cut", ()),
            artefacts=self.artefacts,
            left_out=ended.get("left_out", {}),
            applied=applied,
        )
