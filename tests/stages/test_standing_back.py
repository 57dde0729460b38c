"""Rounds that have a page stand back for those that have none: no browser is waited for, and a repair waits until there is room."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.utils import timezone

from tasks.browser import slots
from tasks.models import CheckResult, CodeVersion, Round
from tests.driver import post, step
from tests.emulators.gemini import GeminiEmulator
from tests.factories import make_round
from tests.test_flow_github import answer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def model(settings: LazySettings) -> Any:
    replies = [answer("First"), answer("First") + '<file path="notes.txt">\nhello\n</file>\n']
    with GeminiEmulator(reply=lambda request: replies.pop(0)) as running:
        settings.GENERATOR, settings.GEMINI_API_KEY, settings.GEMINI_API_ENDPOINT = "gemini", running.key, running.url
        yield running


@pytest.fixture
def crowd() -> Any:
    """Rounds without a page that are due, more than can be served in time; call it to have them served."""
    for _ in range(30):
        make_round(received_at=timezone.now() - timedelta(seconds=120))
    return lambda: Round.objects.filter(brief__startswith="Publish a page that shows").update(status="succeeded")


def test_a_repair_waits_until_the_others_have_their_pages(payload: dict[str, Any], model: GeminiEmulator, crowd: Any, settings: LazySettings) -> None:
    settings.CHROMIUM_PATH = "no-browser-here"
    round_ = step(post(payload | {"checks": ["notes.txt exists"]}))
    assert (round_.status, round_.stage, len(model.requests)) == ("waiting", "evaluate", 1)
    assert "no page yet" in round_.waiting_for
    assert step(round_).stage == "evaluate"
    crowd()
    round_ = step(round_)
    assert [version.kind for version in CodeVersion.objects.filter(round=round_).order_by("number")] == ["build", "repair"]
    assert round_.degraded_id == ""


def test_a_repair_for_which_no_time_is_left_is_not_made_and_the_round_says_so(
    payload: dict[str, Any], model: GeminiEmulator, crowd: Any, settings: LazySettings
) -> None:
    settings.CHROMIUM_PATH = "no-browser-here"
    round_ = step(post(payload | {"checks": ["notes.txt exists"]}))
    received = timezone.now() - timedelta(seconds=280)
    Round.objects.filter(pk=round_.pk).update(received_at=received, deadline_at=received + timedelta(seconds=600))
    round_ = step(round_)
    assert (round_.degraded_id, len(model.requests)) == ("checks-failed", 1)
    assert round_.deployments.count() == 1


@pytest.mark.browser
def test_without_a_free_browser_its_checks_are_skipped_and_say_why(
    payload: dict[str, Any], model: GeminiEmulator, crowd: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slots, "places", lambda: 0)
    round_ = step(post(payload))
    looked = CheckResult.objects.filter(round=round_, kind="page")
    assert looked.exists()
    assert set(looked.values_list("status", "reason")) == {("skipped", slots.BUSY)}
    summary = round_.stage_runs.get(stage="evaluate").summary
    assert "skipped since every browser was busy" in summary
    assert round_.degraded_id == ""
