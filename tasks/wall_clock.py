"""A limit of wall-clock time around a call that has none of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def within(seconds: float, call: Callable[[], T], *, abandoned: Callable[[], None] | None = None) -> T:
    """What `call()` returns or raises, if it is done within `seconds`; else `TimeoutError`.

    The call runs in a daemon thread of its own. A thread cannot be killed: a late call is left behind, and `abandoned` is told so that it can
    cut the connection the thread waits for. So the call must not write anything that matters."""
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(call())
        except BaseException as error:  # raised again below, in the caller's thread
            errors.append(error)

    thread = threading.Thread(target=run, name="within", daemon=True)
    thread.start()
    thread.join(max(0.0, seconds))
    if results:
        return results[0]
    if errors:
        raise errors[0]
    if abandoned is not None:
        abandoned()
    raise TimeoutError
