"""A flood at /ready: wrong secrets are told to wait, whoever sends them; a right one always gets in; nobody can be locked out or shut in."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Any

import pytest
import time_machine
from django.conf import LazySettings
from django.db import OperationalError, connection

from tasks import admission
from tasks.models import Round
from tests.factories import make_round, make_task
from tests.security.conftest import ask

pytestmark = pytest.mark.django_db

START = datetime(2027, 3, 1, 12, 0, 59, tzinfo=UTC)


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Coordinates]:
    with time_machine.travel(START, tick=False) as coordinates:
        yield coordinates


def post(payload: dict[str, Any], address: str = "203.0.113.9", forwarded: str | None = None, **change: Any) -> Any:
    headers = {"X-Forwarded-For": forwarded} if forwarded is not None else {}
    body = json.dumps(payload | change)
    return ask("post", "/ready", data=body, content_type="application/json", REMOTE_ADDR=address, headers=headers)


def wrong(payload: dict[str, Any], times: int, *args: Any) -> list[int]:
    return [post(payload, *args, secret="nope").status_code for _ in range(times)]


# -- wrong secrets ---------------------------------------------------------------------------------------------------------------------


def test_the_wait_that_is_named_is_the_wait_that_helps(payload: dict[str, Any], clock: time_machine.Coordinates) -> None:
    assert wrong(payload, 11) == [401] * 10 + [429]
    clock.shift(timedelta(seconds=20))
    told = post(payload, secret="nope")
    assert (told.status_code, told["Retry-After"], told["Content-Type"]) == (429, "40", "application/problem+json")
    clock.shift(timedelta(seconds=39))
    assert post(payload, secret="nope")["Retry-After"] == "1"
    clock.shift(timedelta(seconds=1.5))
    assert wrong(payload, 1) == [401]


def test_a_right_secret_gets_in_through_the_same_address(payload: dict[str, Any]) -> None:
    assert wrong(payload, 30)[-1] == 429
    assert post(payload).status_code == 200


def test_another_address_is_counted_apart(payload: dict[str, Any]) -> None:
    wrong(payload, 30)
    assert wrong(payload, 1, "203.0.113.10") == [401]


def test_one_network_of_ipv6_is_one_address(payload: dict[str, Any]) -> None:
    statuses = [wrong(payload, 1, f"2a00:1450:4001:1::{number:x}")[0] for number in range(1, 13)]
    assert statuses == [401] * 10 + [429] * 2
    assert wrong(payload, 1, "2a00:1450:4001:2::1") == [401]


@pytest.mark.parametrize("body", [b"[]", b"{", b"{}", b'{"secret": null}', b'{"secret": "nope", "task": 5}'])
def test_no_form_of_a_wrong_secret_is_a_way_around(body: bytes, payload: dict[str, Any]) -> None:
    def send() -> int:
        return ask("post", "/ready", data=body, content_type="application/json", REMOTE_ADDR="203.0.113.9").status_code

    wrong(payload, 11)
    assert send() in {400, 422, 429}
    assert Round.objects.count() == 0


# -- proxies ---------------------------------------------------------------------------------------------------------------------------

SPOOFS = ["1.2.3.4", "127.0.0.1", "203.0.113.10, 127.0.0.1", "unknown", "", ",", "::1", "a" * 5000, "1.2.3.4:80", '"][', "203.0.113.9\x00"]


def test_a_made_up_forwarding_header_is_no_way_around(payload: dict[str, Any]) -> None:
    """Without TRUSTED_PROXIES it is not looked at."""
    statuses = [post(payload, "203.0.113.9", forwarded, secret="nope").status_code for forwarded in [*SPOOFS, *SPOOFS]]
    assert statuses == [401] * 10 + [429] * (2 * len(SPOOFS) - 10)


def test_a_made_up_forwarding_header_locks_nobody_else(payload: dict[str, Any]) -> None:
    for _ in range(30):
        post(payload, "203.0.113.9", "198.51.100.7", secret="nope")
    assert wrong(payload, 10, "198.51.100.7") == [401] * 10


def test_behind_a_trusted_proxy_the_caller_is_who_the_proxy_says(payload: dict[str, Any], settings: LazySettings) -> None:
    settings.TRUSTED_PROXIES = [ip_network("10.0.0.0/8")]
    spoofed = [post(payload, "10.0.0.1", f"{spoof}, 203.0.113.9", secret="nope").status_code for spoof in [*SPOOFS, "8.8.8.8", "10.0.0.2"]]
    assert spoofed == [401] * 10 + [429] * (len(SPOOFS) - 8)
    assert wrong(payload, 1, "10.0.0.1", "203.0.113.10") == [401]
    assert wrong(payload, 1, "203.0.113.9") == [429]  # the same caller, past the proxy
    assert post(payload, "10.0.0.1", "203.0.113.9").status_code == 200


def test_through_two_trusted_proxies_the_nearest_stranger_counts(payload: dict[str, Any], settings: LazySettings) -> None:
    settings.TRUSTED_PROXIES = [ip_network("10.0.0.0/8")]
    statuses = [post(payload, "10.0.0.1", f"9.9.9.{number}, 203.0.113.9, 10.0.0.2", secret="nope").status_code for number in range(12)]
    assert statuses == [401] * 10 + [429] * 2


# -- a flood ---------------------------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_right_posts_get_in_while_wrong_ones_pour_in(payload: dict[str, Any]) -> None:
    over = threading.Event()
    refused: list[int] = []

    def flood() -> None:
        while not over.is_set():
            refused.extend(wrong(payload, 1))
        connection.close()

    threads = [threading.Thread(target=flood) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(6000):  # the clock stands still
            if len(refused) >= 30:
                break
            over.wait(0.01)
        accepted = [post(payload, task=f"task-{number}").status_code for number in range(10)]
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert accepted == [200] * 10
    assert refused.count(401) == 10
    assert refused.count(429) == len(refused) - 10 > 0
    assert Round.objects.count() == 10


# -- more rounds than can be carried ---------------------------------------------------------------------------------------------------


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that is crowded with four rounds and full with eight, where each may have two."""
    for name, value in {"CROWDED": 4, "FULL": 8, "FAIR_SHARE": 2, "COUNT_SECONDS": 0.0}.items():
        monkeypatch.setattr(admission, name, value)


def test_one_sender_cannot_keep_the_others_out(payload: dict[str, Any], small: None) -> None:
    greedy = [post(payload, email="greedy@example.org", nonce=str(number)) for number in range(6)]
    assert [answer.status_code for answer in greedy] == [200] * 4 + [503] * 2
    assert (greedy[-1]["Retry-After"], greedy[-1].json()["code"]) == ("60", "crowded")
    assert [post(payload, email="modest@example.org", nonce=str(number)).status_code for number in range(3)] == [200, 200, 503]
    assert Round.objects.count() == 6


def test_a_full_service_takes_nobody_and_stores_nothing(payload: dict[str, Any], small: None) -> None:
    for _ in range(8):
        make_round()
    assert post(payload).status_code == 503
    assert Round.objects.count() == 8


def test_a_repeat_is_answered_however_crowded_it_is(payload: dict[str, Any], small: None) -> None:
    first = post(payload)
    for _ in range(8):
        make_round()
    assert post(payload).json()["id"] == first.json()["id"]


def test_rounds_that_only_wait_for_their_evaluator_keep_nobody_out(payload: dict[str, Any], small: None) -> None:
    for number in range(20):
        make_round(status="waiting", stage="notify")
        make_round(status="succeeded", task_request=make_task(task=f"done-{number}"))
    assert post(payload).status_code == 200


def test_a_wrong_secret_learns_nothing_of_it(payload: dict[str, Any], small: None) -> None:
    for _ in range(8):
        make_round()
    assert wrong(payload, 1) == [401]


# -- the database ----------------------------------------------------------------------------------------------------------------------


def test_a_database_that_does_not_answer_is_a_503_that_says_when_to_come_back(payload: dict[str, Any]) -> None:
    def gone(*args: Any) -> None:
        raise OperationalError("connection to server at 10.0.0.5 failed: password for user deployer")

    with connection.execute_wrapper(gone):
        for answer in (post(payload), ask("get", "/status")):
            assert (answer.status_code, answer["Content-Type"]) == (503, "application/problem+json")
            assert int(answer["Retry-After"]) > 0
            assert b"10.0.0.5" not in answer.content
