"""Carries rounds through the real pipeline in the test's own process, without sitting through their waits."""

from __future__ import annotations

import json
from typing import Any

from django.test import Client
from django.utils import timezone

from tasks.models import Round
from tasks.pipeline import run_round


def post(payload: dict[str, Any]) -> Round:
    """Post to /ready; the accepted round."""
    answer = Client().post("/ready", data=json.dumps(payload), content_type="application/json")
    assert answer.status_code == 200, answer.content
    return Round.objects.get(uuid=answer.json()["id"])


def step(round_: Round) -> Round:
    """Let a worker look at the round once, as if its time had come."""
    Round.objects.filter(pk=round_.pk).update(next_run_at=timezone.now())
    run_round(round_.pk)
    return Round.objects.select_related("task_request", "version").get(pk=round_.pk)


def carry(round_: Round, steps: int = 40) -> Round:
    """To the end: succeeded or failed."""
    for _ in range(steps):
        round_ = step(round_)
        if not round_.is_open:
            return round_
    raise AssertionError(f"still {round_.status} in {round_.stage} after {steps} looks: {round_.waiting_for}")


def history(round_: Round) -> list[tuple[str, str]]:
    """(stage, outcome) of every run, oldest first."""
    return list(round_.stage_runs.values_list("stage", "outcome"))
