"""The grade-book as a table: students down, checks across. Mean, median and spread are of everybody, the rows of one page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from django.core.paginator import Paginator
from django.http import QueryDict
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from tasks.admin import columns
from tasks.admin.badges import badge
from tasks.admin.gradebook import numbers, words
from tasks.admin.gradebook.marks import legend, mark, sign
from tasks.classroom.gradebook.sheet import RoundScore, Row, Sheet
from tasks.models import GradeBook, GradeColumn

PER_PAGE = 50
STATES = ("could not be evaluated", "to be evaluated", "not accepted", "not reported", "evaluated", "not issued")  # what to look at first
SORTS: dict[str, tuple[str, Callable[[Row], Any]]] = {
    "email": ("e-mail", lambda row: row.email.lower()),
    "total": ("lowest total", lambda row: (bool(row.briefs), row.total, row.email.lower())),
    "-total": ("highest total", lambda row: (-row.total, row.email.lower())),
    "state": ("what needs a look", lambda row: (urgency(row), row.email.lower())),
}


@dataclass(frozen=True)
class Head:
    """A check's column: its title, what it weighs, how the class did."""

    title: str
    short: str
    weight: str
    mean: str
    dropped: bool


@dataclass
class RoundHead:
    number: int
    columns: list[GradeColumn] = field(default_factory=list)
    heads: list[Head] = field(default_factory=list)

    @property
    def span(self) -> int:
        return len(self.columns) + 1


@dataclass
class BriefHead:
    """`whole`: the brief has a column for its own score, since there is more than one round."""

    name: str
    rounds: list[RoundHead] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        return len(self.rounds) > 1

    @property
    def span(self) -> int:
        return sum(round.span for round in self.rounds) + self.whole


def urgency(row: Row) -> tuple[int, int]:
    """Errors of ours and what could not be evaluated first, then what is missing."""
    ranks = [STATES.index(of.state) if of.state in STATES else 0 for of in row.rounds.values()]
    return (0 if any(of.open for of in row.rounds.values()) else 1, min(ranks, default=len(STATES)))


def context(book: GradeBook, shown: Sheet, asked: QueryDict) -> dict[str, Any]:
    """`asked` is the address' query: `q` part of an e-mail, `sort` one of SORTS, `p` the page."""
    wanted = asked.get("q", "").replace("\0", "").strip()
    sort = asked.get("sort", "")
    sort = sort if sort in SORTS else "email"
    rows = [row for row in shown.rows if wanted.lower() in row.email.lower()]
    page = Paginator(sorted(rows, key=SORTS[sort][1]), PER_PAGE).get_page(asked.get("p"))
    heads = headers(shown)
    query = asked.copy()
    query.pop("p", None)
    return {
        "heads": heads,
        "rows": [_row(book, row, heads) for row in page],
        "page": page,
        "page_query": query.urlencode(),
        "wanted": wanted,
        "sort": sort,
        "sorts": [(name, label) for name, (label, _) in SORTS.items()],
        "legend": legend(),
        "tiles": numbers.tiles(shown),
        "bars": numbers.spread(shown.rows),
        "spread": {"height": numbers.HEIGHT, "bottom": numbers.BOTTOM, "labels": numbers.BOTTOM + 16},
        "class_size": len(shown.rows),
    }


def headers(shown: Sheet) -> list[BriefHead]:
    """Briefs, their rounds, and the checks of each. A round that nobody's check was made in yet has its score's column alone."""
    means = numbers.column_means(shown)
    by_place: dict[tuple[str, int], list[GradeColumn]] = {}
    for column in shown.columns:
        by_place.setdefault((column.brief_id, column.round), []).append(column)
    order = {brief: number for number, (brief, _) in enumerate(by_place)}
    places = {place for row in shown.rows for place in row.rounds} | set(by_place)
    made = []
    for name, group in groupby(sorted(places, key=lambda place: (order.get(place[0], len(order)), *place)), key=lambda place: place[0]):
        brief = BriefHead(name)
        for place in group:
            own = by_place.get(place, [])
            brief.rounds.append(RoundHead(place[1], own, [_head(column, means) for column in own]))
        made.append(brief)
    return made


def _head(column: GradeColumn, means: dict[int, float]) -> Head:
    return Head(column.title, words.short(column.title), words.weight(column.weight), words.share(means.get(column.pk), 0), column.is_dropped)


def _row(book: GradeBook, row: Row, heads: list[BriefHead]) -> dict[str, Any]:
    student = reverse("admin:tasks_gradebook_student", args=[book.pk, row.submission_id])
    cells: list[tuple[str, SafeString | str]] = []
    for brief in heads:
        if brief.whole:
            uncounted = brief.name in row.briefs and brief.name not in row.counted
            cells.append(("d-briefscore" + (" d-uncounted" if uncounted else ""), words.points(row.briefs.get(brief.name))))
        for round in brief.rounds:
            cells.append(("d-roundscore", round_cell(row.rounds.get((brief.name, round.number)))))
            for column in round.columns:
                cell = row.cells.get(column.pk)
                url = reverse("admin:tasks_gradebook_cell", args=[book.pk, column.pk, row.submission_id]) if cell and cell.status else ""
                cells.append(("", mark(cell, column.title, url, dropped=column.is_dropped) if cell else ""))
    return {"email": row.email, "url": student, "total": words.points(row.total if row.briefs else None), "cells": cells}


def round_cell(of: RoundScore | None) -> SafeString | str:
    """The round's score, or the state that it is in; late and what may still change beside it."""
    if of is None:
        return ""
    parts: list[SafeString | str] = [words.points(of.score)] if of.score is not None and of.report_id is not None else []
    if of.state != "evaluated":
        parts.append(badge(f"score {of.state}"))
    if of.late:
        parts.append(sign("report late", "the report came late"))
    if of.open:
        parts.append(sign("our error", f"{columns.of(of.open, 'check')} met an error of ours and may still change the score"))
    return format_html_join(" ", "{}", ((part,) for part in parts))
