"""The cache and the sessions in Redis, and what becomes of them without it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.cache import cache, caches
from django.core.checks import run_checks
from django.test import Client
from django.urls import reverse
from pytest_django import Settings
from redis import Redis

from deployer.settings import caches as settings_for
from tasks import redis_link
from tests.worker.conftest import REDIS
from tests.worker.relay import Relay

pytestmark = pytest.mark.django_db


@pytest.fixture
def relay(redis: Redis, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Relay]:
    """Redis as the settings have it with REDIS_URL, behind something that can be cut."""
    parts = urlsplit(REDIS)
    relay = Relay(parts.hostname or "127.0.0.1", parts.port or 6379)
    relay.up()
    settings.REDIS_URL = f"redis://127.0.0.1:{relay.port}/{parts.path.strip('/')}"
    settings.CACHES = settings_for(settings.REDIS_URL)
    settings.SESSION_ENGINE, settings.SESSION_CACHE_ALIAS = "django.contrib.sessions.backends.cached_db", "sessions"
    monkeypatch.setattr(redis_link, "AWAY_SECONDS", 0.0)
    vars(redis_link.link).update(vars(redis_link.Link()))
    yield relay
    relay.cut()
    caches["process"].clear()


def test_what_is_cached_is_in_redis_and_is_no_pickle(relay: Relay, redis: Redis) -> None:
    cache.set("answer", {"text": "ready", "numbers": [1, 2.5, None]}, 60)
    assert cache.get("answer") == {"text": "ready", "numbers": [1, 2.5, None]}
    [key] = redis.keys("deployer-*answer")
    assert json.loads(redis.get(key)) == cache.get("answer")
    assert 0 < redis.ttl(key) <= 60


def test_counting_goes_on_without_redis(relay: Relay) -> None:
    cache.set("count", 5)
    assert cache.incr("count") == 6
    relay.cut()
    cache.add("count", 0, 60)
    assert [cache.incr("count") for _ in range(3)] == [1, 2, 3]
    relay.up()
    assert cache.incr("count") == 7


def test_wrong_secrets_are_throttled_with_and_without_redis(relay: Relay, redis: Redis, payload: dict[str, Any]) -> None:
    def statuses() -> set[int]:
        wrong = json.dumps(payload | {"secret": "a-wrong-secret"})
        return {Client().post("/ready", wrong, content_type="application/json").status_code for _ in range(12)}

    assert statuses() == {401, 429}
    redis.flushdb()
    relay.cut()
    assert statuses() == {401, 429}


def test_a_login_outlives_a_redis_that_forgets_and_one_that_goes_away(relay: Relay, redis: Redis) -> None:
    boss = Client()
    boss.force_login(User.objects.create_superuser("boss", "boss@example.org", "x"))
    assert redis.keys("deployer-*cached_db*")
    assert Session.objects.count() == 1
    redis.flushdb()
    assert boss.get(reverse("admin:index")).status_code == 200
    relay.cut()
    assert boss.get(reverse("admin:index")).status_code == 200


def test_a_logout_that_redis_missed_holds_after_five_minutes_at_the_latest(relay: Relay, redis: Redis) -> None:
    boss = Client()
    boss.force_login(User.objects.create_superuser("boss", "boss@example.org", "x"))
    [key] = redis.keys("deployer-*cached_db*")
    assert 0 < redis.ttl(key) <= 300
    relay.cut()
    boss.post(reverse("admin:logout"))
    assert not Session.objects.exists()


def test_a_check_names_a_redis_that_does_not_answer(relay: Relay) -> None:
    assert "tasks.W006" not in {message.id for message in run_checks()}
    relay.cut()
    [message] = [message for message in run_checks() if message.id == "tasks.W006"]
    assert "refused" in message.msg
    assert "REDIS_URL" in str(message.hint)


def test_an_outage_is_told_once(relay: Relay, caplog: pytest.LogCaptureFixture) -> None:
    relay.cut()
    for _ in range(3):
        cache.get("x")
    assert caplog.text.count("Redis does not answer") == 1
    relay.up()
    cache.get("x")
    assert caplog.text.count("Redis is back") == 1
