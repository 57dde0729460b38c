from __future__ import annotations

import threading
import time

import pytest

from tasks.wall_clock import within


def test_a_quick_call_gives_its_result() -> None:
    assert within(5, lambda: 42) == 42


def test_no_result_is_a_result() -> None:
    assert within(5, lambda: None) is None


def test_what_the_call_raises_is_raised_here() -> None:
    def call() -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        within(5, call)


def test_a_late_call_is_left_behind_and_told() -> None:
    released = threading.Event()
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        within(0.05, lambda: released.wait(60), abandoned=released.set)
    assert time.monotonic() - started < 15
    assert released.is_set()


def test_no_time_left_is_a_timeout_at_once() -> None:
    released = threading.Event()
    with pytest.raises(TimeoutError):
        within(-1, lambda: released.wait(60), abandoned=released.set)
