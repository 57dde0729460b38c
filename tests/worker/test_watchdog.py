from datetime import UTC, datetime

import pytest

from tasks.worker.watchdog import Pause, Watchdog

PULSE = datetime(2026, 1, 1, tzinfo=UTC)


def watchdog() -> Watchdog:
    dog = Watchdog(45)
    dog.reset(1000)
    return dog


def test_a_cluster_without_a_pulse_is_stuck_after_the_limit() -> None:
    dog = watchdog()
    assert not dog.look(1045, None, held=0, workers=4)
    assert dog.look(1046, None, held=0, workers=4)


def test_a_new_pulse_starts_the_count_anew() -> None:
    dog = watchdog()
    assert not dog.look(1040, PULSE, held=0, workers=4)
    assert not dog.look(1085, PULSE, held=0, workers=4)
    assert dog.look(1086, PULSE, held=0, workers=4)


def test_a_pulse_with_an_older_time_is_a_pulse() -> None:
    dog = watchdog()
    dog.look(1001, PULSE, held=0, workers=4)
    assert not dog.look(1080, PULSE.replace(year=2020), held=0, workers=4), "the wall clock was set back, the cluster works"


def test_workers_that_are_all_busy_need_no_pulse() -> None:
    dog = watchdog()
    assert not dog.look(1300, None, held=4, workers=4)
    assert not dog.look(1340, None, held=3, workers=4), "the count starts when the first of them is free"
    assert dog.look(1346, None, held=3, workers=4)


def test_a_reset_starts_the_count_anew() -> None:
    dog = watchdog()
    dog.reset(2000)
    assert not dog.look(2045, None, held=0, workers=4)


@pytest.mark.parametrize(("lived", "pauses"), [([1] * 8, [1, 2, 4, 8, 16, 30, 30, 30]), ([1, 1, 60, 1], [1, 2, 0, 1]), ([3600], [0])])
def test_the_pause_grows_while_the_cluster_dies_at_once(lived: list[float], pauses: list[float]) -> None:
    pause = Pause()
    assert [pause.after(seconds) for seconds in lived] == pauses
