"""Every cell of the grid holds. One cell: `pytest tests/faults -k github/tree/502-but-done`."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from tests.faults import database, evaluator, github, models, pages
from tests.faults.cells import Cell
from tests.faults.play import Figures, play
from tests.faults.world import World

pytestmark = pytest.mark.django_db(transaction=True)

GRID = [*github.CELLS, *models.CELLS, *pages.CELLS, *evaluator.CELLS, *database.CELLS]
PLAYED = GRID if os.environ.get("FAULTS") == "table" else GRID[::12]  # all of it in `make faults`


@pytest.mark.parametrize("cell", PLAYED, ids=lambda cell: cell.id)
def test_the_round_says_what_it_waits_for_and_ends_without_a_hand(cell: Cell, world: World, record_property: Callable[[str, object], None]) -> None:
    figures = Figures(cell.id, cell.peer)
    try:
        play(cell, world, figures)
    finally:
        record_property("fault cell", figures.as_row())


def test_the_grid_has_no_line_twice_and_every_peer() -> None:
    assert len({cell.id for cell in GRID}) == len(GRID) >= 150
    assert {cell.peer for cell in GRID} == {"github", "gemini", "openai", "pages", "evaluator", "database"}
