"""The retry policy as a table."""

import pytest

from tasks import retry


@pytest.mark.parametrize(("tries", "pause"), [(0, 1), (1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 32)])
def test_the_first_six_pauses_double(tries: int, pause: float) -> None:
    assert retry.delay(tries, age=0.0) == pause


@pytest.mark.parametrize(
    ("age", "pause"),
    [(63, 60), (899, 60), (900, 450), (1000, 500), (3600, 1800), (24 * 3600, 12 * 3600), (2.9 * 86400, 12 * 3600), (3 * 86400, None)],
)
def test_then_a_minute_apart_for_fifteen_minutes_and_ever_slower_for_three_days(age: float, pause: float | None) -> None:
    assert retry.delay(7, age) == pause


def test_a_peer_that_is_down_for_ten_minutes_is_reached_within_a_minute_of_its_return() -> None:
    now, tries = 0.0, 0
    while now < 600:
        tries += 1
        now += retry.delay(tries, now) or 0
    assert now <= 660


def test_three_days_take_a_bounded_number_of_tries() -> None:
    now, tries, pauses = 0.0, 0, []
    while (pause := retry.delay(tries + 1, now)) is not None:
        tries, now = tries + 1, now + pause
        pauses.append(pause)
    assert 25 <= tries <= 50
    assert pauses == sorted(pauses)


@pytest.mark.parametrize(
    ("status", "final"),
    [
        (400, True),
        (401, True),
        (404, True),
        (410, True),
        (422, True),
        (408, False),
        (425, False),
        (429, False),
        (500, False),
        (503, False),
        (302, False),
    ],
)
def test_which_answers_end_the_tries(status: int, final: bool) -> None:
    assert retry.is_final(status) is final


def test_our_own_faults_are_tried_three_times() -> None:
    assert [retry.internal_delay(tries) for tries in (1, 2, 3, 4)] == [2.0, 10.0, None, None]


def test_a_page_is_looked_at_often_at_first_and_seldom_later() -> None:
    pauses = [retry.poll_delay(polls) for polls in range(1, 100)]
    assert pauses[0] == 2.0
    assert pauses[-1] == 30.0
    assert pauses == sorted(pauses)
