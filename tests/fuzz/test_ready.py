"""POST /ready with what is no task, and with tasks that nobody would write: always a JSON answer, a row for each 200, the secret nowhere."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.cache import cache
from django.test import Client
from hypothesis import event, given
from hypothesis import strategies as st

from tasks.models import Round, TaskRequest
from tests.fuzz import payloads
from tests.fuzz.budget import Tally, cases
from tests.fuzz.rows import everything, rolled_back

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(900)]

CLIENT = Client(raise_request_exception=False)


@pytest.fixture(autouse=True)
def _canary(settings: LazySettings) -> None:
    settings.STUDENT_SECRET = payloads.SECRET


def post(request: payloads.Sent, tally: Tally, name: str) -> Any:
    """Send it, and see that the answer is one: JSON, and a problem when it is a refusal."""
    with tally.case(name):
        answer = CLIENT.generic("POST", "/ready", request.body, content_type=request.content_type, headers=request.headers)
    tally.answer(answer.status_code)
    assert answer.status_code < 500, answer.content
    kind = "application/json" if answer.status_code == 200 else "application/problem+json"
    assert answer["Content-Type"] == kind
    body = answer.json()
    if answer.status_code != 200:
        assert body["status"] == answer.status_code
        assert body["detail"]
    assert payloads.SECRET not in answer.content.decode()
    event(str(answer.status_code))
    return answer


def test_every_body_gets_a_json_answer_and_a_row_only_with_a_200(tally: Tally) -> None:
    @cases(0.26, quick=100)
    @given(request=payloads.requests)
    def answers(request: payloads.Sent) -> None:
        cache.clear()
        with rolled_back():
            answer = post(request, tally, "any body")
            accepted = answer.status_code == 200
            assert Round.objects.count() == TaskRequest.objects.count() == accepted
            if accepted:
                assert answer.json()["id"] == str(Round.objects.get().uuid)
            assert payloads.SECRET not in everything()

    answers()


def test_a_task_in_form_is_accepted_once_and_its_secret_kept_nowhere(settings: LazySettings, tally: Tally) -> None:
    @cases(0.15, quick=60)
    @given(order=payloads.in_form, seed=st.randoms(use_true_random=False))
    def accepts(order: dict[str, Any], seed: random.Random) -> None:
        with rolled_back():
            answer = post(payloads.Sent(payloads.render(order).encode()), tally, "in form")
            assert answer.status_code == 200, answer.content
            round_ = Round.objects.get()
            for name in ("nonce", "brief"):
                assert getattr(round_, name) == order[name]
            shuffled = dict(seed.sample(list(order.items()), len(order)))
            again = post(payloads.Sent(json.dumps(shuffled, ensure_ascii=False, indent=1).encode()), tally, "the same again")
            assert (again.status_code, again.json()["id"]) == (200, str(round_.uuid))
            change = post(payloads.Sent(json.dumps({**order, "brief": order["brief"] + "!"}).encode()), tally, "changed")
            assert change.status_code == 409
            renewed = post(payloads.Sent(json.dumps({**order, "nonce": order["nonce"] + "!"}).encode()), tally, "new nonce")
            assert (renewed.status_code, Round.objects.count(), TaskRequest.objects.count()) == (200, 2, 1)
            assert payloads.SECRET not in everything()

    accepts()
    log = Path(settings.LOG_FILE)
    assert payloads.SECRET not in (log.read_text(encoding="utf-8") if log.exists() else "")
