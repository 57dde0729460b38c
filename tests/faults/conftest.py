"""One world a cell, and the figures at the end of a run, whichever process played which cell: with FAULTS=table a line for each."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.conf import LazySettings

from tasks.generators import get_generator
from tasks.generators.offline import Generator as Offline
from tasks.hosts.github_client import Client
from tests.faults.cells import TEN_MINUTES, Cell
from tests.faults.world import NOON, World

pytest.register_assert_rewrite("tests.faults.play")


@pytest.fixture
def world(cell: Cell, settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Undisturbed peers, a clock that stands at noon, and shorter limits in the place of the shipped ones, so that a peer that never answers
    costs a second and not twenty, and a page that never comes a quarter of an hour of looks and not a whole one."""
    for limit in LIMITS:
        monkeypatch.setattr(limit, cell.limit)
    monkeypatch.setattr("tasks.hosts.github_client.WAITS", (0.01,) * 4)
    for watcher in ("tasks.stages.notify.WATCH_SECONDS", "tasks.stages.verify.WATCH_SECONDS"):
        monkeypatch.setattr(watcher, 900.0)
    monkeypatch.setattr("tasks.stages.generate.MIN_CALL_SECONDS", cell.limit / 2)
    monkeypatch.setattr(Client, "_streaks", {})
    Offline.queue.clear()
    get_generator("gemini")  # a worker imports the SDK before it takes a round
    settings.EVALUATE, settings.GENERATOR = False, "offline"
    with time_machine.travel(NOON, tick=False) as clock, World.of(cell, settings, monkeypatch, clock) as running:
        yield running


LIMITS = (
    "tasks.hosts.github_client.CALL_SECONDS",
    "tasks.stages.notify.SECONDS",
    "tasks.stages.verify.SECONDS",
    "tasks.stages.generate.CALL_SECONDS",
)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    rows = sorted(measured(terminalreporter), key=lambda row: row["id"])
    if not rows:
        return
    write = terminalreporter.write_line
    terminalreporter.section("fault grid")
    if os.environ.get("FAULTS") == "table":
        write(f"{'cell':<60}{'looks':>6}{'held s':>8}{'took s':>10}{'back s':>8}  first wait → end")
        for row in rows:
            back = "" if row["back"] is None else f"{row['back']:.0f}"
            told = f"{row['waits'] or 'none'} → {row['ends'] or 'DID NOT HOLD'}"
            write(f"{row['id']:<60}{row['looks']:>6}{row['held']:>8.2f}{row['total']:>10.0f}{back:>8}  {told}")
    cells, hold = Counter(row["peer"] for row in rows), Counter(row["peer"] for row in rows if row["ends"])
    for peer in cells:
        write(f"{peer}: {hold[peer]} of {cells[peer]} cells hold")
    waits = [pause for row in rows for pause in row["pauses"]]
    longest = max(rows, key=lambda row: row["held"])
    write(
        f"all: {sum(hold.values())} of {len(rows)} cells hold; {len(waits)} waits, {sum(row['stated'] for row in rows)} of them stated in the row; "
        f"shortest {min(waits, default=0):g} s, longest {max(waits, default=0):g} s; {sum(row['looks'] for row in rows)} looks, "
        f"a worker was held for {longest['held']:.2f} s at most ({longest['id']})"
    )
    lasted = sorted((row for row in rows if row["back"] is not None and row["lasts"] <= TEN_MINUTES), key=lambda row: row["back"])
    if lasted:
        middle, last = lasted[len(lasted) // 2], lasted[-1]
        write(
            f"{len(lasted)} troubles of up to ten minutes: the round was over {middle['back']:.0f} s after they ended in the middle, "
            f"{last['back']:.0f} s at most ({last['id']})"
        )


def measured(reporter: pytest.TerminalReporter) -> Iterator[dict[str, Any]]:
    for reports in reporter.stats.values():
        for report in reports:
            if getattr(report, "when", "") == "call":
                yield from (value for name, value in report.user_properties if name == "fault cell")
