"""The class in numbers: how far its reports are, mean and median, and how the totals are spread. Pure geometry; `_spread.html` draws it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from statistics import fmean, median

from tasks.admin.gradebook import words
from tasks.classroom.gradebook.sheet import Row, Sheet

BINS = 10  # of ten points each; the last one takes 100 too
HEIGHT, TOP, BOTTOM = 150, 22.0, 126.0  # pixels
WIDTH = 100.0 / BINS  # per cent


@dataclass(frozen=True)
class Bar:
    """One bin: where it stands (per cent across, pixels down), how many there are and what to call it."""

    x: str
    middle: str
    width: str
    y: str
    height: str
    count: int
    label: str
    title: str


def tiles(sheet: Sheet) -> list[tuple[str, str, str]]:
    """Label, number and what it is of. Tasks are one round of one brief of one student each."""
    states = Counter(of.state for row in sheet.rows for of in row.rounds.values())
    issued = sum(number for state, number in states.items() if state != "not issued")
    reported = sum(of.report_id is not None for row in sheet.rows for of in row.rounds.values())
    ours = sum(of.open for row in sheet.rows for of in row.rounds.values())
    totals = scored(sheet)
    stuck = states["could not be evaluated"]
    evaluated = f"of {reported:,} reported" + (f", {stuck:,} could not be" if stuck else "")
    return [
        ("students", f"{len(sheet.rows):,}", f"{len(totals):,} with a score"),
        ("tasks issued", f"{issued:,}", f"{states['not accepted']:,} not accepted"),
        ("reported", f"{reported:,}", f"of {issued:,} issued"),
        ("evaluated", f"{states['evaluated']:,}", evaluated),
        ("mean", words.points(fmean(totals) if totals else None), "of 100, of the totals"),
        ("median", words.points(median(totals) if totals else None), f"{ours:,} checks may still change" if ours else "of 100, of the totals"),
    ]


def scored(sheet: Sheet) -> list[float]:
    """The totals of those for whom anything is decided."""
    return [row.total for row in sheet.rows if row.briefs]


def column_means(sheet: Sheet) -> dict[int, float]:
    """The mean score of each check, over those whom it counts for."""
    found: dict[int, list[float]] = {}
    for row in sheet.rows:
        for pk, cell in row.cells.items():
            if cell.score is not None:
                found.setdefault(pk, []).append(cell.score)
    return {pk: fmean(scores) for pk, scores in found.items()}


def spread(rows: list[Row]) -> list[Bar]:
    """Ten bars from 0 to 100; none without any score."""
    totals = [row.total for row in rows if row.briefs]
    if not totals:
        return []
    counts = Counter(min(BINS - 1, int(total // (100 / BINS))) for total in totals)
    most = max(counts.values())
    return [_bar(number, counts[number], most) for number in range(BINS)]


def _bar(number: int, count: int, most: int) -> Bar:
    high = (BOTTOM - TOP) * count / most
    start, end = number * 100 // BINS, (number + 1) * 100 // BINS
    students = "1 student" if count == 1 else f"{count:,} students"
    return Bar(
        x=f"{WIDTH * number + WIDTH * 0.08:.2f}%",
        middle=f"{WIDTH * (number + 0.5):.2f}%",
        width=f"{WIDTH * 0.84:.2f}%",
        y=f"{BOTTOM - high:.1f}",
        height=f"{high:.1f}",
        count=count,
        label=str(start),
        title=f"{students} with {start} to {'100' if end == 100 else f'under {end}'}",
    )
