"""How many browsers run at once."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tasks.browser import slots


@pytest.fixture(autouse=True)
def two_places(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DATA_DIR = tmp_path
    monkeypatch.setattr(slots, "places", lambda: 2)


def test_there_are_no_more_than_the_places_and_each_comes_free_again() -> None:
    with ExitStack() as held:
        assert [held.enter_context(slots.take(0)) for _ in range(3)] == [True, True, False]
    with slots.take(0) as free:
        assert free


def test_other_work_has_places_of_its_own_and_at_most_as_many_as_it_is_given() -> None:
    with ExitStack() as held:
        assert [held.enter_context(slots.take(0, "evaluations", 1)) for _ in range(2)] == [True, False]
        assert [held.enter_context(slots.take(0)) for _ in range(2)] == [True, True]
        assert [held.enter_context(slots.take(0, "others", 5)) for _ in range(3)] == [True, True, False]


def test_a_place_that_comes_free_is_waited_for() -> None:
    with slots.take(0), ExitStack() as held:
        assert held.enter_context(slots.take(0))
        threading.Timer(0.2, held.close).start()
        with slots.take(30) as free:
            assert free


@pytest.mark.parametrize(("load", "waits"), [(0.0, 0.0), (0.9, 0.0), (1.0, slots.NONE), (9.0, slots.NONE)])
def test_who_stands_back_takes_a_browser_only_from_an_idle_machine(monkeypatch: pytest.MonkeyPatch, load: float, waits: float) -> None:
    monkeypatch.setattr("os.getloadavg", lambda: (load, 0.0, 0.0))
    assert slots.patience(7.0, standing_back=True) == waits
    assert slots.patience(7.0, standing_back=False) == 7.0
    with slots.take(waits) as free:
        assert free == (waits == 0.0)


def test_waiting_ends_at_its_time() -> None:
    with slots.take(0), slots.take(0):
        started = time.monotonic()
        with slots.take(0.2) as free:
            assert not free
        assert time.monotonic() - started >= 0.2


def test_a_process_that_is_killed_leaves_its_place(tmp_path: Path) -> None:
    code = """if True:
        import sys
        from django.conf import settings
        settings.configure(DATA_DIR=sys.argv[1])
        from tasks.browser import slots
        slots.places = lambda: 1
        with slots.take(0) as free:
            print(free, flush=True)
            sys.stdin.read()
    """
    holder = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline().strip() == "True"
    with slots.take(0) as second, slots.take(0) as third:
        assert (second, third) == (True, False)
    holder.kill()
    holder.wait()
    with slots.take(5) as free, slots.take(5) as another:
        assert (free, another) == (True, True)
