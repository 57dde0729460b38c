"""How a run on Cloud Run ended: by what the container tells of the program, or by what Cloud Run tells of a container that told nothing."""

from __future__ import annotations

import signal
from typing import Any

from tasks.runners import base, course
from tasks.runners.cloud.inside import NOT_ROOT
from tasks.runners.cloud.jobs import message_of

Verdict = tuple[base.Status, str]
FELT = 0.9  # of the memory limit: who is killed so near to it was killed for it


def of_program(ended: dict[str, Any], job: base.Job, *, cancelled: bool) -> Verdict:
    """`ended` is the container's last word. `cancelled`: we asked for the end."""
    limits = job.limits
    if ended["status"] == "cancelled":
        return ("cancelled", "It was cancelled.") if cancelled else ("internal_error", "Cloud Run ended the container before its time.")
    if ended["status"]:
        return ended["status"], ended["reason"]
    if not ended["told"]:
        return "internal_error", "The container's first process ended before its report."
    felt = ended["memory_peak_kb"] * 1024 > FELT * limits.memory_mb * 1_000_000
    if ended.get("signal") == signal.SIGKILL and felt:  # the container's limit was quicker
        return "oom_killed", f"It used about {limits.memory_mb} MB of memory."
    return course.verdict(ended, job)


def of_container(execution: dict[str, Any], task: dict[str, Any], limits: base.Limits, *, started: bool, cancelled: bool) -> Verdict:
    """`execution` and `task` as Cloud Run shows them after their end.

    https://cloud.google.com/run/docs/reference/rest/v2/projects.locations.jobs.executions.tasks#TaskAttemptResult"""
    attempt = task.get("lastAttemptResult", {})
    said = message_of(task) or str(attempt.get("status", {}).get("message", "")) or message_of(execution)
    killed = attempt.get("exitCode") == 128 + signal.SIGKILL or attempt.get("termSignal") == signal.SIGKILL
    if cancelled:
        return "cancelled", "It was cancelled; the container did not tell how it ended."
    if attempt.get("exitCode") == NOT_ROOT:
        return "internal_error", "Nothing was run: the image of CLOUD_RUN_IMAGE must start as root, who alone can close a program off."
    if killed and "memory" in said.lower():
        return "oom_killed", "It used more memory than the container has."
    if started and "timeout" in said.lower():
        return "timed_out", f"It ran for more than {limits.wall_seconds:g} s."
    return "internal_error", f"The container ended without its report. Cloud Run says: {said or 'nothing'}"[:500]
