"""A line over numbered points as SVG: where everything stands. Pure geometry; `_chart.html` draws it.

Across everything is in per cent of the width and down in pixels, so that the text keeps its size on a phone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

HEIGHT, TOP, BOTTOM = 240.0, 26.0, 204.0
LEFT, RIGHT = 11.0, 97.0  # per cent of the width
LABELS = 7  # words below the line; more would run into each other on a phone
BIGGEST = 1e100  # beyond it the differences of two numbers are no numbers any more


@dataclass(frozen=True)
class Point:
    """`label` stands below the line, `title` is what the point says."""

    label: str
    value: float
    title: str


@dataclass(frozen=True)
class Dot:
    x: str
    y: str
    title: str


@dataclass(frozen=True)
class Word:
    """A text of the axes. `anchor` is SVG's text-anchor."""

    x: str
    y: str
    text: str
    anchor: str = "start"


@dataclass(frozen=True)
class Chart:
    """`strokes` are the pieces of the line, each from a dot to the next one."""

    height: int
    dots: list[Dot]
    strokes: list[tuple[Dot, Dot]]
    grid: list[Word]
    words: list[Word]
    below: str


def number(value: float) -> str:
    """Four digits that count, whole numbers whole."""
    if value == int(value) and abs(value) < 1e7:
        return f"{int(value):,}"
    return f"{value:.4g}"


def drawable(value: object) -> float | None:
    """The number when it is one that can be drawn."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < BIGGEST:
        return None
    return float(value)


def ticks(low: float, high: float) -> list[float]:
    """Some four round numbers whose first is at most `low` and whose last is at least `high`."""
    widest = max(abs(low), abs(high))
    if high - low <= 1e-9 * widest or high - low < 1e-200:
        room = widest / 10 if widest > 1e-190 else 1.0
        low, high = low - room, high + room
    rough = (high - low) / 4
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next((unit * factor for factor in (1, 2, 2.5, 5) if unit * factor >= rough), unit * 10)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [step * index for index in range(first, last + 1)]


def draw(points: Sequence[Point]) -> Chart | None:
    """The points from left to right; None without any."""
    if not points:
        return None
    marks = ticks(min(point.value for point in points), max(point.value for point in points))
    span = marks[-1] - marks[0]

    def down(value: float) -> str:
        return f"{BOTTOM - (BOTTOM - TOP) * (value - marks[0]) / span:.1f}"

    def across(index: int) -> str:
        share = index / (len(points) - 1) if len(points) > 1 else 0.5
        return f"{LEFT + (RIGHT - LEFT) * share:.2f}%"

    dots = [Dot(across(index), down(point.value), point.title) for index, point in enumerate(points)]
    named = range(0, len(points), max(1, math.ceil(len(points) / LABELS)))
    return Chart(
        height=int(HEIGHT),
        dots=dots,
        strokes=list(pairwise(dots)),
        grid=[Word("0", down(mark), number(mark)) for mark in marks],
        words=[Word(dots[index].x, f"{BOTTOM + 22:.0f}", points[index].label, "middle") for index in named],
        below=f"{BOTTOM:.1f}",
    )
