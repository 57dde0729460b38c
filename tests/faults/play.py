"""Carries one round through a cell and checks what must hold: while it waits, and when it is over.

While it waits, always: the look has returned and no lease is left; the row is `waiting`, names what for and until when, `/status` shows the same,
and the moment lies ahead. When it is over, always: one repository of ours and one commit for each content; the evaluator was sent nothing
but the true sha, and took it once; what is committed is what the version holds."""

from __future__ import annotations

import math
import time
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any

from django.db import OperationalError
from django.test import Client

from tasks.lease import LEASE_SECONDS
from tasks.models import Round
from tasks.pipeline import run_round
from tests.faults.cells import Cell
from tests.faults.world import CSV, KEY, PNG, World

HELD_SECONDS = 12.0  # of real time; a look that sleeps through a limit, a retry or a build takes longer on any machine
LEAST_PAUSE = 0.5  # between two looks at one round: less would be a busy loop
MANY_LOOKS = 400


@dataclass
class Figures:
    """What was measured. `held` is real time, the rest is the cell's clock."""

    id: str
    peer: str
    lasts: float = 0.0
    held: float = 0.0
    looks: int = 0
    stated: int = 0
    pauses: list[float] = field(default_factory=list)
    waits: str = ""
    ends: str = ""
    total: float = 0.0
    back: float | None = None  # from the end of the trouble to the end of the round

    def as_row(self) -> dict[str, Any]:
        return asdict(self)


def play(cell: Cell, world: World, figures: Figures) -> None:
    if cell.number > 1:
        world.wake_judge()
    for number in range(1, cell.number):
        round_ = carry(world, world.post(number), Figures(cell.id, cell.peer))
        assert (round_.status, round_.degraded_id) == ("succeeded", ""), f"{round_.error} {round_.degraded}"
    figures.lasts = cell.lasts
    cell.start(world)
    if cell.number == 1 and not world.judge_is_away:
        world.wake_judge()
    began = world.now
    round_ = carry(world, world.post(cell.number), figures, cell)
    figures.total = (world.now - began).total_seconds()
    at_the_end(cell, world, round_)
    figures.ends = f"{round_.status} {round_.error_id or round_.degraded_id}".strip()


def carry(world: World, round_: Round, figures: Figures, cell: Cell | None = None) -> Round:
    """Look at the round whenever its time has come, to its end; the trouble ends when its time has come."""
    lifted_at = world.now + timedelta(seconds=cell.lasts) if cell and 0 < cell.lasts < math.inf else None
    waits = 0
    for _ in range(MANY_LOOKS):
        look(round_, figures, world)
        round_ = Round.objects.select_related("task_request", "version").get(pk=round_.pk)
        if not round_.is_open:
            break
        while_waiting(round_, figures, world)
        if cell and cell.waits and waits == cell.before:
            first_wait(cell, round_, figures, world)
        waits += 1
        if lifted_at and lifted_at <= round_.next_run_at:
            world.travel(lifted_at)
            world.lift()
            lifted_at, lifted = None, world.now
        world.travel(round_.next_run_at)
    assert not round_.is_open, f"still {round_.status} in {round_.stage} after {figures.looks} looks: {round_.waiting_for}"
    assert cell is None or cell.waits is None or waits > cell.before, "nothing made it wait"
    assert cell is None or cell.waits is not None or waits == cell.before, f"it waited: {figures.waits}"
    assert lifted_at is None, "the round ended before the trouble did"
    if cell and 0 < cell.lasts < math.inf:
        figures.back = (world.now - lifted).total_seconds()
        assert figures.back <= cell.back, f"the trouble had been over for {figures.back:g} s before the round ended"
    return round_


def look(round_: Round, figures: Figures, world: World) -> None:
    """One look by a worker, its real time measured. A database that is gone ends it as it would end the job."""
    began = time.perf_counter()
    try:
        run_round(round_.pk)
    except OperationalError:
        assert world.cell.peer == "database"
        world.lift()
        world.travel(world.now + timedelta(seconds=LEASE_SECONDS + 1))
        run_round(round_.pk)
    figures.held = max(figures.held, time.perf_counter() - began)
    figures.looks += 1
    assert figures.held < HELD_SECONDS, f"a worker was held for {figures.held:.1f} s"


def while_waiting(round_: Round, figures: Figures, world: World) -> None:
    pause = (round_.next_run_at - world.now).total_seconds()
    assert (round_.status, round_.lease_owner, round_.lease_until) == ("waiting", "", None)
    assert round_.waiting_for, "the row does not say what it waits for"
    assert pause >= LEAST_PAUSE, f"the next look is due in {pause} s"
    figures.stated += 1
    figures.pauses.append(pause)
    figures.waits = figures.waits or f"{round_.stage}, {pause:g} s: {round_.waiting_for}"


def first_wait(cell: Cell, round_: Round, figures: Figures, world: World) -> None:
    """What the line of the table says, and that /status says it too."""
    assert cell.waits is not None
    pause = figures.pauses[-1]
    assert (round_.stage, round_.error_id, pause) == (cell.waits.stage, cell.waits.error, cell.waits.seconds), round_.waiting_for
    assert cell.waits.words in round_.waiting_for
    shown = Client().get(f"/status/{round_.uuid}", headers={"X-API-KEY": KEY}).json()
    assert shown["waiting_for"] == round_.waiting_for
    assert shown["next_run_at"].startswith(f"{round_.next_run_at:%Y-%m-%dT%H:%M:%S}")
    assert (shown["error"] or {"id": ""})["id"] == cell.waits.error
    figures.waits = f"{round_.stage}, {pause:g} s: {round_.waiting_for}"


def at_the_end(cell: Cell, world: World, round_: Round) -> None:
    ends, name = cell.ends, round_.task_request.repo_name
    assert (round_.status, round_.error_id, round_.degraded_id) == (ends.status, ends.error, ends.degraded), f"{round_.error} {round_.degraded}"
    assert (round_.waiting_for, round_.lease_owner) == ("", "")
    assert bool(round_.error) == bool(ends.error)
    assert bool(round_.degraded) == bool(ends.degraded)
    marked = [repo for repo in world.github.repositories() if round_.task_request.marker in (repo.description or "")]
    assert all(not repo.refs for repo in world.github.repositories() if repo not in marked), "somebody else's repository was written to"
    commits = world.github.commits(name) if marked else []
    own = commits[:-1] if commits and world.github.files(world.github.owner, name, commits[-1]).keys() == {"README.md"} else commits
    assert [repo.name for repo in marked] == ([name] if marked else [])
    assert len(own) == ends.commits, f"{len(own)} commits"
    sent = [body for body in world.judge.bodies if body["round"] == cell.number]
    taken = [body for body in world.judge.accepted if body["round"] == cell.number]
    assert (1 <= len(taken) <= ends.copies) if ends.told else not taken
    assert bool(round_.notified_at) == ends.told
    if cell.in_time:
        assert round_.notified_at is not None
        assert round_.notified_at <= round_.deadline_at - timedelta(seconds=60)
    for body in sent:
        assert body == {
            "email": "student@example.org",
            "task": round_.task_request.task,
            "round": cell.number,
            "nonce": f"nonce-{cell.number}",
            "repo_url": f"{world.github.url}/{world.github.owner}/{name}",
            "commit_sha": own[0],
            "pages_url": f"{world.github.url}/pages/{world.github.owner}/{name}/",
        }
    if own:
        files = world.github.files(world.github.owner, name)
        assert round_.version is not None
        assert files == round_.version.tree()
        assert (files["data.csv"], files["sample.png"]) == (CSV, PNG)
    if cell.also:
        cell.also(world, round_)
