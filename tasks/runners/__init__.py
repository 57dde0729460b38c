"""Where code of strangers is run, and how: one file a runner, chosen by RUNNER."""

from __future__ import annotations

from django.conf import settings

from tasks.backends import load
from tasks.runners.base import Job, Limits, Report, Runner, Watch

__all__ = ["Job", "Limits", "Report", "Runner", "Watch", "get_runner"]


def get_runner(name: str = "") -> Runner:
    """The runner of that name, by default the one of the settings; `Misconfigured` when there is none."""
    runner: Runner = load("runners", "Runner", name or settings.RUNNER)
    return runner
