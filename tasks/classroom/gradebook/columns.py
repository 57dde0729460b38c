"""The columns of a grade-book: one for each check of each round that was ever made of a student's report.

A task's check has the key `v<variant>-check-<number>` and applies to those who got that variant; every other check applies to everybody.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from django.db.models import Min, QuerySet

from tasks.classroom import brief_files
from tasks.models import CheckResult, GradeBook, GradeColumn

TASK_CHECK = re.compile(r"v(\d{1,6})-check-(\d{1,6})")
MOST_CHARACTERS = 500  # of a title
# What a new column weighs, until somebody decides: two dozen checks that any sound repository passes are not to outweigh what was asked for.
TASK_WEIGHT, COMMON_WEIGHT = 5.0, 1.0
WEIGHTS = {"judge": 3.0}  # by kind
LOADS, LOADS_WEIGHT = "page:the-page-loads", 3.0


def weight_of(key: str, kind: str) -> float:
    if TASK_CHECK.fullmatch(key):
        return TASK_WEIGHT
    return LOADS_WEIGHT if key == LOADS else WEIGHTS.get(kind, COMMON_WEIGHT)


def variant_of(key: str) -> int | None:
    """The variant that a check belongs to; None for one that applies to all."""
    match = TASK_CHECK.fullmatch(key)
    return int(match[1]) if match else None


def results(book: GradeBook) -> QuerySet[CheckResult]:
    """Of all reports of the course that the book is about, whether they count or not."""
    rows = CheckResult.objects.filter(report__issued__submission__is_practice=False).exclude(key="").order_by()
    return rows.filter(report__issued__brief_id__in=book.briefs) if book.briefs else rows


def sync(book: GradeBook) -> int:
    """Add the columns of checks that have none yet, with the weights above; how many. Nothing else is changed, in a locked book nothing at all."""
    if book.locked_at is not None:
        return 0
    known = set(book.columns.values_list("brief_id", "round", "key"))
    found = results(book).values_list("report__issued__brief_id", "report__issued__round", "key")
    new = [
        GradeColumn(
            book=book, brief_id=brief, round=round, key=key, title=title_of(brief, round, key) or title, kind=kind, weight=weight_of(key, kind)
        )
        for brief, round, key, title, kind, _ in found.annotate(Min("title"), Min("kind"), first=Min("pk")).order_by("first")  # as they were made
        if (brief, round, key) not in known
    ]
    GradeColumn.objects.bulk_create(ordered(book, new), ignore_conflicts=True)  # somebody else may be looking at the book, too
    return len(new)


def of(book: GradeBook) -> list[GradeColumn]:
    """The book's columns in the order in which they are shown."""
    rows = book.columns.filter(brief_id__in=book.briefs) if book.briefs else book.columns.all()
    return ordered(book, rows)


def ordered(book: GradeBook, rows: Iterable[GradeColumn]) -> list[GradeColumn]:
    """Briefs as the book names them, else by name; in each round the task's checks first, by variant and number, then the common ones."""
    places = {name: place for place, name in enumerate(book.briefs)}

    def place(column: GradeColumn) -> tuple[int, str, int, tuple[int, ...], int]:
        match = TASK_CHECK.fullmatch(column.key)
        check = (0, int(match[1]), int(match[2])) if match else (1,)
        return (places.get(column.brief_id, len(places)), column.brief_id, column.round, check, column.pk or 0)

    return sorted(rows, key=place)


def title_of(brief: str, round: int, key: str) -> str:
    """What the brief's file says of a task's check, its placeholders unfilled, since each student's values are others; nothing where it is gone."""
    match = TASK_CHECK.fullmatch(key)
    if not match or int(match[2]) < 1:
        return ""
    try:
        check = brief_files.load(brief).rounds[round - 1][int(match[1])].checks[int(match[2]) - 1]
    except (brief_files.BriefError, IndexError):
        return ""
    return " ".join((check["js"] if isinstance(check, dict) else check).split())[:MOST_CHARACTERS]
