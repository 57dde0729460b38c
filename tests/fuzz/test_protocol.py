"""Posts, repeats, changes, deaths of workers, refusals of the evaluator and operators' commands in any order: the promises of the protocol hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from hypothesis import settings as hypothesis_settings
from hypothesis.stateful import run_state_machine_as_test

from tasks.models import Round
from tasks.pipeline import BLOCKED
from tests.driver import carry, post, step
from tests.emulators.evaluator import Evaluator
from tests.fuzz.budget import CASES, Tally, cases
from tests.fuzz.deaths import Killed, die, interrupted
from tests.fuzz.model import Protocol

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(900)]

STEPS = 30 if CASES else 15


def test_every_accepted_round_ends_notified_whatever_happens_on_the_way(
    live_server: Any, settings: LazySettings, tmp_path: Path, evaluator: Evaluator, tally: Tally
) -> None:
    settings.PUBLIC_URL = live_server.url
    settings.DATA_DIR = tmp_path
    settings.CHROMIUM_PATH = "no-browser-here"
    run_state_machine_as_test(lambda: Protocol(evaluator, tally), settings=hypothesis_settings(cases(0.03, quick=8), stateful_step_count=STEPS))


def test_a_first_round_that_comes_late_with_a_file_spoils_no_second_round(
    live_server: Any, settings: LazySettings, tmp_path: Path, evaluator: Evaluator, payload: dict[str, Any]
) -> None:
    """Found by the model: the second round's version was refused for a file that was not there yet when it was written."""
    settings.PUBLIC_URL, settings.DATA_DIR, settings.CHROMIUM_PATH = live_server.url, tmp_path, "no-browser-here"
    payload["evaluation_url"] = evaluator.url
    second = post(payload | {"round": 2, "nonce": "second", "attachments": []})
    with pytest.raises(Killed), interrupted("checkresult", die):
        step(second)
    first = post(payload)
    with pytest.raises(Killed), interrupted("codeversion", die):
        step(first)
    Round.objects.update(lease_until=None)
    assert step(second).waiting_for == BLOCKED
    assert carry(first).status == "succeeded"
    second = carry(second)
    assert (second.status, second.degraded_id) == ("succeeded", "")
    assert "data.csv" in second.version.tree()  # type: ignore[union-attr]
    assert [body["round"] for body in evaluator.bodies] == [1, 2]
