"""A line of the grid: a fault, and what must hold."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tasks.models import Round
    from tests.faults.world import World

FOR_EVER = math.inf
TEN_MINUTES = 610.0  # and ten seconds: past the deadline, and not just when the next try is due


@dataclass(frozen=True)
class Waits:
    """What the row says when the fault first makes it wait: for what, and how many seconds. `error` is empty where waiting is no error."""

    stage: str
    error: str
    seconds: float
    words: str


@dataclass(frozen=True)
class Ends:
    """How the round ends. `told`: the evaluator has taken the notification, `copies` times at most; `commits`: on the branch, GitHub's own first
    one not counted."""

    status: str = "succeeded"
    error: str = ""
    degraded: str = ""
    told: bool = True
    copies: int = 1
    commits: int = 1


LIVE = Ends()


def failed(error: str, *, commits: int = 0) -> Ends:
    """Nobody can be told, and the row says why."""
    return Ends("failed", error, told=False, commits=commits)


def degraded(id: str, *, commits: int = 1) -> Ends:
    """Told, with less than was asked."""
    return Ends(degraded=id, commits=commits)


@dataclass(frozen=True)
class Cell:
    """`start` makes the trouble; `World.lift` ends it after `lasts` seconds (0: it ends by itself). `waits` None: nobody has to wait.

    `before` is the number of waits on the way to the place; `number` the round that meets the fault (2: an undisturbed first round precedes);
    `back` is the most that may pass between the end of the trouble and the end of the round."""

    peer: str
    place: str
    fault: str
    start: Callable[[World], None]
    waits: Waits | None = None
    ends: Ends = LIVE
    lasts: float = 0.0
    before: int = 0
    number: int = 1
    back: float = 60.0
    limit: float = 2.0  # seconds of every request of ours, in the place of the shipped limits
    also: Callable[[World, Round], None] | None = None  # what else must hold at the end

    @property
    def id(self) -> str:
        return f"{self.peer}/{self.place}/{self.fault}{length(self.lasts)}"

    @property
    def in_time(self) -> bool:
        """Must the evaluator be told a minute before the deadline? Not when it was away itself, or GitHub was for long."""
        return self.ends.told and self.peer != "evaluator" and (self.peer != "github" or self.lasts < 300)


def length(seconds: float) -> str:
    """How long a fault lasts, as it stands in an id."""
    if not seconds:
        return ""
    if seconds == FOR_EVER:
        return "-for-ever"
    return f"-for-{seconds / 60:g}-min" if seconds % 60 == 0 else f"-for-{seconds:g}-s"
