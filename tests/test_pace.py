"""When the service counts as behind, so that what only makes pages better stands back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tasks import pace
from tasks.models import Round
from tests.factories import make_round, make_version

pytestmark = pytest.mark.django_db


def waiting(number: int, age: float = 30.0, **fields: Any) -> None:
    """Rounds that wait for their first worker, received so many seconds ago."""
    for _ in range(number):
        make_round(received_at=timezone.now() - timedelta(seconds=age), **fields)


def made(number: int, age: float = 5.0) -> None:
    """Pages that were written so many seconds ago."""
    for _ in range(number):
        make_version(make_round(status="succeeded"), created_at=timezone.now() - timedelta(seconds=age))


def test_with_nobody_waiting_it_is_not_behind() -> None:
    assert not pace.is_behind()


def test_a_queue_that_will_be_served_in_time_is_not_behind() -> None:
    waiting(10)
    made(10)
    assert not pace.is_behind()


def test_a_queue_that_would_take_too_long_at_this_pace_is_behind() -> None:
    waiting(10)
    made(1)
    assert pace.is_behind()


def test_pages_of_long_ago_say_nothing_about_the_pace() -> None:
    waiting(10)
    made(30, age=120)
    assert pace.is_behind()


def test_what_waits_late_in_its_time_is_behind_at_a_pace_that_was_good_enough_before() -> None:
    waiting(20, age=30)
    made(10)
    assert not pace.is_behind()
    Round.objects.filter(status="queued").update(received_at=timezone.now() - timedelta(seconds=200))
    assert pace.is_behind()


@pytest.mark.parametrize(
    "fields",
    [
        {"status": "running", "lease_owner": "w:1:1", "lease_until": timezone.now() + timedelta(days=9)},
        {"stage": "verify"},
        {"status": "waiting", "next_run_at": timezone.now() + timedelta(days=9)},
        {"age": 700},
    ],
)
def test_only_rounds_that_wait_for_their_first_page_in_time_count(fields: dict[str, Any]) -> None:
    waiting(10, **fields)
    assert not pace.is_behind()


@pytest.mark.parametrize(("number", "pages", "span", "seconds"), [(0, 0, 60, 0), (10, 10, 60, 60), (100, 5, 60, 1200), (3, 0, 20, 60)])
def test_the_time_needed_is_that_of_the_present_pace(number: int, pages: int, span: float, seconds: float) -> None:
    assert pace.needed(number, pages, span) == seconds
