"""The database is gone in the middle of a look, at its worst moments: between an effect and the row that says it was done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import OperationalError, connection

from tests.emulators.base import Emulator
from tests.faults.cells import Cell, Ends
from tests.faults.world import World


def gone_after(effect: Callable[[World], int]) -> Callable[[World], None]:
    """No statement gets through from the moment that the effect was seen outside, until the lease of the lost worker has run out."""

    def start(world: World) -> None:
        def execute(run: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
            if effect(world):
                raise OperationalError("server closed the connection unexpectedly")
            return run(sql, params, many, context)

        world.until_lifted(world.enter(connection.execute_wrapper(execute)))

    return start


def calls(end: str) -> Callable[[World], int]:
    """How many writes GitHub has seen at the path with that end."""
    return lambda world: sum(1 for request in world.github.writes() if request.path.endswith(end))


def answered(emulator: Callable[[World], Emulator]) -> Callable[[World], int]:
    return lambda world: len(emulator(world).requests)


def with_gemini(start: Callable[[World], None]) -> Callable[[World], None]:
    def begin(world: World) -> None:
        world.ask_gemini()
        start(world)

    return begin


CELLS: list[Cell] = [
    Cell("database", "after-the-model's-answer", "gone", with_gemini(gone_after(answered(lambda world: world.model)))),
    Cell("database", "after-the-repository-was-made", "gone", gone_after(calls("/user/repos"))),
    Cell("database", "after-the-tree-was-made", "gone", gone_after(calls("/git/trees"))),
    Cell("database", "after-the-branch-was-moved", "gone", gone_after(calls("/git/refs/heads/main"))),
    Cell("database", "after-pages-were-switched-on", "gone", gone_after(calls("/pages"))),
    Cell("database", "after-the-notification", "gone", gone_after(answered(lambda world: world.judge)), ends=Ends(copies=2)),
]
