"""With Redis, and with a Redis that loses everything or is not there: every round is notified all the same."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from redis import Redis

from tasks.demo.stack import Stack
from tests.emulators.evaluator import Evaluator
from tests.worker.box import until
from tests.worker.conftest import REDIS
from tests.worker.relay import Relay

pytestmark = [pytest.mark.worker, pytest.mark.timeout(400)]

Start = Callable[..., Stack]


@pytest.fixture
def relay(redis: Redis) -> Iterator[Relay]:
    parts = urlsplit(REDIS)
    relay = Relay(parts.hostname or "127.0.0.1", parts.port or 6379)
    relay.up()
    yield relay
    relay.cut()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts the service: on SQLite, with the local host, evaluation off."""
    running: list[Stack] = []

    def start(redis_url: str, workers: int = 2) -> Stack:
        env = {"REDIS_URL": redis_url, "EVALUATE": "off", "DEPLOYER_OVERLOOKED_SECONDS": "3"}
        stack = Stack(tmp_path / "data", workers=workers, env=env)
        running.append(stack)
        return stack.__enter__()

    yield start
    for stack in running:
        stack.stop()


def body(evaluator: Evaluator, number: int) -> dict[str, Any]:
    return {
        "email": "student@example.org", "task": f"task-{number}", "round": 1, "nonce": str(uuid.uuid4()), "evaluation_url": evaluator.url,
        "brief": f"Publish a page that shows {number} inside #number.",
    }  # fmt: skip


def post(stack: Stack, evaluator: Evaluator, count: int) -> list[str]:
    """So many new rounds; their nonces."""
    bodies = [body(evaluator, number) for number in range(count)]
    for item in bodies:
        stack.post(item)
    return [item["nonce"] for item in bodies]


def until_notified_once(evaluator: Evaluator, nonces: list[str], seconds: float = 60) -> None:
    until(lambda: all(evaluator.by_nonce(nonce) for nonce in nonces), seconds, "every round notified")
    assert sorted(item["nonce"] for item in evaluator.bodies) == sorted(nonces)


def waiting(redis: Redis) -> int:
    """Rounds that wait in Redis."""
    return sum(redis.zcard(key) for key in redis.keys("deployer-*:due"))


def rows(stack: Stack) -> int:
    """Messages that wait in the database's table."""
    return int(stack.manage("shell", "--no-imports", "--command", "from django_q.models import OrmQ; print(OrmQ.objects.count())"))


def test_rounds_wait_in_redis_and_are_done_once(start: Start, redis: Redis, evaluator: Evaluator) -> None:
    stack = start(REDIS, workers=0)
    nonces = post(stack, evaluator, 12)
    assert waiting(redis) == 12
    assert rows(stack) == 0
    stack.spawn("worker", "manage.py", "worker")
    until_notified_once(evaluator, nonces)
    until(lambda: waiting(redis) == 0, 10, "every message acknowledged")
    assert stack.get("/health")["redis"] == "ok"
    assert "ERROR" not in (stack.folder / "worker.log").read_text()


def test_a_redis_that_loses_everything_loses_no_round(start: Start, redis: Redis, evaluator: Evaluator) -> None:
    stack = start(REDIS, workers=0)
    nonces = post(stack, evaluator, 12)
    stack.spawn("worker", "manage.py", "worker")
    until(lambda: evaluator.bodies, 30, "the first notification")
    redis.flushdb()
    assert len(evaluator.bodies) < 12, "it was emptied too late to show anything"
    until_notified_once(evaluator, nonces)


def test_a_redis_that_goes_away_is_done_without_until_it_is_back(start: Start, redis: Redis, relay: Relay, evaluator: Evaluator) -> None:
    stack = start(f"redis://127.0.0.1:{relay.port}/{urlsplit(REDIS).path.strip('/')}")
    before = post(stack, evaluator, 4)
    relay.cut()
    after = post(stack, evaluator, 6)
    assert "the database does its work meanwhile" in stack.get("/health")["redis"]
    until_notified_once(evaluator, before + after)
    relay.up()
    until(lambda: stack.get("/health")["redis"] == "ok", 30, "Redis is back")
    until_notified_once(evaluator, [*before, *after, *post(stack, evaluator, 3)])
    assert stack.get("/health")["status"] == "ok"


@pytest.mark.rest
def test_a_redis_that_was_never_there_is_named_and_done_without(start: Start, evaluator: Evaluator) -> None:
    stack = start("redis://127.0.0.1:1/0")
    nonces = post(stack, evaluator, 4)
    until_notified_once(evaluator, nonces)
    health = stack.get("/health")
    assert (health["status"], "look at REDIS_URL" in health["redis"]) == ("ok", True)
    assert "Redis does not answer" in (stack.folder / "worker.log").read_text()
