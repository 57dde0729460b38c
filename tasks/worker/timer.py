"""How long a worker may still work on its job, readable from the sentinel without a lock."""

from __future__ import annotations

import os
import time
from contextlib import AbstractContextManager, nullcontext
from multiprocessing.sharedctypes import RawValue


class Timer:
    """Takes the place of `multiprocessing.Value` in django-q2's worker, whose lock dies with a worker that is killed while it holds it.

    Only the worker writes (-1 idle, -2 recycled, 0 used up, else the seconds it has); what is left follows from the clock, so the sentinel, which
    made the timer, has nothing to count down and its writes are dropped. One writer of one machine word needs no lock.
    """

    def __init__(self, _typecode: str, value: float) -> None:
        self._maker = os.getpid()
        self._word = RawValue("d", value)

    @property
    def value(self) -> float:
        word = self._word.value
        return float(word) if word <= 0 else max(0.0, word - time.monotonic())

    @value.setter
    def value(self, value: float) -> None:
        if os.getpid() != self._maker:
            self._word.value = value + time.monotonic() if value > 0 else value

    def get_lock(self) -> AbstractContextManager[None]:
        return nullcontext()
