import os
import time
from collections.abc import Callable

from tasks.worker.timer import Timer


def in_a_worker(work: Callable[[], None]) -> None:
    pid = os.fork()
    if pid == 0:
        work()
        os._exit(0)
    os.waitpid(pid, 0)


def give(timer: Timer, value: float) -> None:
    timer.value = value


def test_the_states_of_a_worker_are_seen_by_the_sentinel() -> None:
    timer = Timer("f", -1)
    assert timer.value == -1
    for state in (-2, 0, -1):
        in_a_worker(lambda state=state: give(timer, state))
        assert timer.value == state


def test_a_running_timer_counts_down_by_itself() -> None:
    timer = Timer("f", -1)
    in_a_worker(lambda: give(timer, 5))
    assert 3 < timer.value <= 5


def test_time_that_is_up_reads_exactly_zero() -> None:
    timer = Timer("f", -1)
    in_a_worker(lambda: give(timer, 0.01))
    time.sleep(0.02)
    assert timer.value == 0


def test_the_sentinel_cannot_turn_an_idle_worker_into_a_busy_one() -> None:
    timer = Timer("f", -1)
    timer.value = 2.5
    assert timer.value == -1


def test_seconds_can_be_added() -> None:
    timer = Timer("f", -1)

    def work() -> None:
        timer.value = 10
        timer.value += 3

    in_a_worker(work)
    assert 12 < timer.value <= 13


def test_the_lock_is_never_held() -> None:
    timer = Timer("f", -1)
    with timer.get_lock(), timer.get_lock():
        assert timer.value == -1
