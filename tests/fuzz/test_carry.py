"""Whatever `/ready` accepts is carried to its notification: no stage falls over what a task says or brings along."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from hypothesis import given
from hypothesis import strategies as st

from tasks.models import StageRun, TaskRequest
from tests.driver import carry, post
from tests.emulators.evaluator import Evaluator
from tests.fuzz import payloads
from tests.fuzz.budget import Tally, cases

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(900)]

_numbers = itertools.count(1)


def test_a_task_in_form_ends_notified_whatever_it_says(
    live_server: Any, settings: LazySettings, tmp_path: Path, evaluator: Evaluator, tally: Tally
) -> None:
    settings.PUBLIC_URL = live_server.url
    settings.DATA_DIR = tmp_path
    settings.CHROMIUM_PATH = "no-browser-here"
    settings.STUDENT_SECRET = payloads.SECRET

    @cases(0.04, quick=8)
    @given(order=payloads.orders(st.just(evaluator.url)))
    def ends_notified(order: dict[str, Any]) -> None:
        order["email"] = f"{next(_numbers)}{order['email'].strip()}"
        with tally.case("whole flow"):
            round_ = carry(post(order))
        tally.answer(200)
        assert round_.status == "succeeded", round_.error
        assert not StageRun.objects.filter(error_id="internal").exists()
        body = evaluator.bodies[-1]
        assert [body["email"], body["task"], body["nonce"]] == [order["email"], order["task"].strip(), order["nonce"]]
        assert body["round"] == int(order["round"])
        TaskRequest.objects.all().delete()

    ends_notified()
