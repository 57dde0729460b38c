"""The ten minutes: whatever hangs, what is really there is reported before they are over, and says when it is less than was asked."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.utils import timezone

from tasks.models import Round
from tasks.stages import generate
from tests.driver import post, step
from tests.emulators.base import Reply
from tests.emulators.evaluator import Evaluator
from tests.emulators.gemini import GeminiEmulator
from tests.emulators.github import GitHubEmulator
from tests.test_flow_github import answer

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass
class World:
    model: GeminiEmulator
    github: GitHubEmulator
    evaluator: Evaluator


@pytest.fixture
def world(settings: LazySettings, evaluator: Evaluator) -> Iterator[World]:
    with GeminiEmulator(reply=lambda request: answer("In time")) as model, GitHubEmulator() as github:
        for name, value in github.django_settings().items():
            setattr(settings, name, value)
        settings.GENERATOR, settings.GEMINI_API_KEY, settings.GEMINI_API_ENDPOINT = "gemini", model.key, model.url
        settings.CHROMIUM_PATH = "no-browser-here"
        yield World(model, github, evaluator)


def aged(round_: Round, seconds: float) -> Round:
    """As if it had come that long ago."""
    received = timezone.now() - timedelta(seconds=seconds)
    Round.objects.filter(pk=round_.pk).update(received_at=received, deadline_at=received + timedelta(seconds=600))
    return round_


def until_notified(round_: Round, world: World, looks: int = 30) -> Round:
    for _ in range(looks):
        round_ = step(round_)
        if world.evaluator.bodies or round_.status == "failed":
            return round_
        time.sleep(0.05)
    raise AssertionError(f"nobody was told: {round_.status} in {round_.stage}, waiting for {round_.waiting_for}")


def model_hangs(world: World) -> None:
    world.model.enqueue(*[Reply(fault="hang")] * 8)


def model_answers_garbage(world: World) -> None:
    world.model.reply = lambda request: "Here is my plan. First, I would think about it."


def model_is_down(world: World) -> None:
    world.model.enqueue(*[Reply(503, b'{"error": {"code": 503, "status": "UNAVAILABLE"}}')] * 60)


def pages_never_built(world: World) -> None:
    world.github.pages_latency = 100_000.0


def nothing(world: World) -> None:
    pass


@pytest.mark.parametrize(
    ("trouble", "age", "degraded"),
    [
        (nothing, 0, ""),
        (nothing, 250, ""),
        (model_hangs, 298, "fallback-page"),
        (model_answers_garbage, 240, "fallback-page"),
        (model_is_down, 295, "fallback-page"),
        (nothing, 310, "fallback-page"),
        (pages_never_built, 545, "page-not-live"),
    ],
)
def test_the_evaluator_is_told_in_time_of_what_is_really_there(
    trouble: Any, age: float, degraded: str, world: World, payload: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generate, "MIN_CALL_SECONDS", 0.5)
    trouble(world)
    round_ = post(payload | {"evaluation_url": world.evaluator.url})
    if trouble is pages_never_built:
        for _ in range(3):
            step(round_)
    round_ = until_notified(aged(round_, age), world)
    assert timezone.now() < round_.deadline_at - timedelta(seconds=50)
    assert round_.degraded_id == degraded, round_.degraded
    (body,) = world.evaluator.bodies
    repo = round_.task_request.repo_name
    assert body["commit_sha"] == world.github.commits(repo)[0]
    assert body["repo_url"].endswith(f"/{world.github.owner}/{repo}")


def test_a_round_that_is_late_already_still_gets_a_model_and_a_notification(world: World, payload: dict[str, Any]) -> None:
    round_ = aged(post(payload | {"evaluation_url": world.evaluator.url}), 5000)
    round_ = until_notified(round_, world)
    assert round_.degraded_id == ""
    assert len(world.model.requests) == 1


def test_an_evaluator_that_is_down_is_tried_until_it_is_back(world: World, payload: dict[str, Any]) -> None:
    world.evaluator.script.extend(["reset", 502, 503, "reset"])
    round_ = post(payload | {"evaluation_url": world.evaluator.url})
    for _ in range(12):
        round_ = step(round_)
        if round_.status == "succeeded":
            break
    assert round_.status == "succeeded"
    assert round_.notifications.count() == 5
    assert len({body["commit_sha"] for body in world.evaluator.bodies}) == 1
