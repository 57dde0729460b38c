"""A line over points: every point lies between round numbers."""

import pytest

from tasks.admin.chart import BOTTOM, TOP, Point, draw, drawable, number, ticks


@pytest.mark.parametrize(
    ("low", "high"), [(0.81, 0.934), (0, 0), (5, 5), (-3, 7), (1e-200, 2e-200), (-9e99, 9e99), (1e16, 1e16 + 2), (0, 5e-324), (650, 3250), (-1e-9, 0)]
)
def test_a_few_round_marks_hold_all_values(low, high):
    marks = ticks(low, high)

    assert 3 <= len(marks) <= 8
    assert marks[0] <= low
    assert marks[-1] >= high
    assert len({number(mark) for mark in marks}) >= 3 or low > 1e15  # beyond that four digits cannot tell them apart
    drawn = draw([Point("a", low, "a"), Point("b", high, "b")])
    assert drawn is not None
    assert all(TOP <= float(dot.y) <= BOTTOM for dot in drawn.dots)


def test_points_go_from_left_to_right_and_only_some_are_named():
    drawn = draw([Point(f"v{index}", index % 3, "") for index in range(40)])

    assert drawn is not None
    across = [float(dot.x.rstrip("%")) for dot in drawn.dots]
    assert across == sorted(across)
    assert 0 < across[0] < across[-1] < 100
    assert (len(drawn.strokes), len(drawn.words)) == (39, 7)
    assert draw([]) is None


@pytest.mark.parametrize("value", [True, None, "1", float("nan"), float("inf"), 10**400, [1], {}])
def test_what_is_no_number_is_not_drawn(value):
    assert drawable(value) is None


def test_a_number_is_written_short():
    assert [number(value) for value in (0.9340, 3250.0, 1e-7, 1.5e12, -2)] == ["0.934", "3,250", "1e-07", "1.5e+12", "-2"]
