"""The write budget of a token: a sliding window that all workers share."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from tasks.errors import RateLimited
from tasks.hosts.write_budget import check, key_of, note_limit, reserve, room_at
from tasks.models import WriteBudget

START = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
TOKEN = "a-token"


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


@pytest.fixture(autouse=True)
def ten_a_minute(settings: Any) -> None:
    settings.GITHUB_WRITES_PER_MINUTE, settings.GITHUB_WRITES_PER_HOUR = 10, 30


def refused_until(writes: int, token: str = TOKEN) -> datetime:
    with pytest.raises(RateLimited) as raised:
        reserve(token, writes)
    assert raised.value.retry_at is not None
    return raised.value.retry_at


@pytest.mark.django_db
def test_a_full_minute_refuses_until_there_is_room(clock: time_machine.Traveller) -> None:
    reserve(TOKEN, 6)
    clock.shift(20)
    reserve(TOKEN, 4)
    assert refused_until(6) == START + timedelta(seconds=60)
    assert refused_until(7) == START + timedelta(seconds=80)


@pytest.mark.django_db
def test_the_named_moment_is_exact(clock: time_machine.Traveller) -> None:
    reserve(TOKEN, 10)
    clock.move_to(START + timedelta(seconds=59.99))
    assert refused_until(1) == START + timedelta(seconds=60)
    clock.move_to(START + timedelta(seconds=60))
    reserve(TOKEN, 10)


@pytest.mark.django_db
def test_a_refused_reservation_takes_nothing(clock: time_machine.Traveller) -> None:
    reserve(TOKEN, 8)
    refused_until(3)
    reserve(TOKEN, 2)
    assert len(WriteBudget.objects.get().stamps) == 10


@pytest.mark.django_db
def test_the_hour_counts_as_well(clock: time_machine.Traveller) -> None:
    for _ in range(3):
        reserve(TOKEN, 10)
        clock.shift(60)
    assert refused_until(1) == START + timedelta(hours=1)


@pytest.mark.django_db
def test_stamps_older_than_an_hour_are_dropped(clock: time_machine.Traveller) -> None:
    reserve(TOKEN, 10)
    clock.shift(3600)
    reserve(TOKEN, 1)
    assert len(WriteBudget.objects.get().stamps) == 1


@pytest.mark.django_db
def test_more_than_the_whole_budget_passes_when_the_window_is_empty(clock: time_machine.Traveller) -> None:
    reserve(TOKEN, 1)
    assert refused_until(25) == START + timedelta(seconds=60)
    clock.shift(60)
    reserve(TOKEN, 25)
    assert refused_until(1) == START + timedelta(seconds=120)


@pytest.mark.django_db
def test_zero_means_no_budget(settings: Any) -> None:
    settings.GITHUB_WRITES_PER_MINUTE = settings.GITHUB_WRITES_PER_HOUR = 0
    for _ in range(5):
        reserve(TOKEN, 1000)
    assert WriteBudget.objects.get().stamps == []


@pytest.mark.django_db
def test_each_token_has_its_own_budget_and_is_not_stored(clock: time_machine.Traveller) -> None:
    reserve(TOKEN, 10)
    reserve("another", 10)
    keys = set(WriteBudget.objects.values_list("key", flat=True))
    assert keys == {key_of(TOKEN), key_of("another")}
    assert TOKEN not in keys


@pytest.mark.django_db
def test_a_limit_named_by_github_comes_first(settings: Any, clock: time_machine.Traveller) -> None:
    settings.GITHUB_WRITES_PER_MINUTE = settings.GITHUB_WRITES_PER_HOUR = 0
    until = START + timedelta(seconds=300)
    note_limit(TOKEN, until)
    assert refused_until(1) == until
    clock.move_to(until)
    reserve(TOKEN, 1)


@pytest.mark.django_db
def test_the_later_of_limit_and_budget_is_named(clock: time_machine.Traveller) -> None:
    reserve(TOKEN, 10)
    note_limit(TOKEN, START + timedelta(seconds=10))
    assert refused_until(1) == START + timedelta(seconds=60)


@pytest.mark.django_db
def test_a_shorter_limit_does_not_end_a_longer_one(clock: time_machine.Traveller) -> None:
    note_limit(TOKEN, START + timedelta(seconds=300))
    note_limit(TOKEN, START + timedelta(seconds=60))
    assert refused_until(1) == START + timedelta(seconds=300)


@pytest.mark.django_db
def test_reads_wait_for_a_named_limit_and_for_nothing_else(clock: time_machine.Traveller) -> None:
    reserve(TOKEN, 10)
    check(TOKEN)
    note_limit(TOKEN, START + timedelta(seconds=5))
    with pytest.raises(RateLimited):
        check(TOKEN)
    clock.shift(5)
    check(TOKEN)


@pytest.mark.django_db
def test_a_clock_that_was_set_back_does_not_lock_the_budget_for_longer(clock: time_machine.Traveller) -> None:
    reserve(TOKEN, 10)
    clock.move_to(START - timedelta(hours=1))
    assert refused_until(1) == START - timedelta(hours=1) + timedelta(seconds=60)


@pytest.mark.parametrize(
    ("stamps", "writes", "limit", "expected"),
    [
        ([], 1, 5, 100.0),
        ([50.0, 60.0, 70.0], 2, 5, 100.0),
        ([50.0, 60.0, 70.0], 3, 5, 110.0),
        ([50.0, 60.0, 70.0], 5, 5, 130.0),
        ([50.0, 60.0, 70.0], 9, 5, 130.0),
        ([40.0, 60.0, 70.0], 3, 5, 100.0),
        ([50.0, 50.0, 50.0, 50.0, 50.0], 1, 5, 110.0),
        ([50.0, 60.0, 70.0, 80.0, 90.0, 95.0], 1, 3, 140.0),
    ],
)
def test_room_comes_when_enough_stamps_have_left_the_window(stamps: list[float], writes: int, limit: int, expected: float) -> None:
    assert room_at(stamps, writes, 60.0, limit, 100.0) == expected


@pytest.mark.django_db(transaction=True)
def test_workers_at_the_same_time_never_take_more_than_there_is() -> None:
    taken: list[int] = []
    together = threading.Barrier(5)

    def work() -> None:
        try:
            together.wait()
            for _ in range(4):
                try:
                    reserve(TOKEN, 1)
                    taken.append(1)
                except RateLimited:
                    pass
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 10
    assert len(WriteBudget.objects.get().stamps) == 10
    assert refused_until(1) > timezone.now()
