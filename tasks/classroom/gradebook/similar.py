"""Hints at reports that are alike: a reason to look at two pages side by side, never a verdict.

In: `RepoReport.prints`, {"files": {path: blob sha}, "marks": [numbers that similar texts share]}. Out: pairs of students within one brief and round,
the strongest hint first. What many have is boilerplate that the same model writes for everybody, and is left out of the comparison.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from urllib.parse import urlsplit

from django.db.models import Min, QuerySet

from tasks.classroom.evaluating.prints import MOST
from tasks.classroom.gradebook import books, overlap
from tasks.models import GradeBook, IssuedTask, RepoReport

MANY, MANY_SHARE = 4, 1 / 3  # so many reports, and more than that share of them: boilerplate
FEWEST_MARKS = 12  # a text with fewer says nothing
LEAST = 0.5  # a smaller share is no hint
MOST_HINTS = 1_000
MOST_FILES = 20  # that a hint names
NO_CONTENT = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"  # of .nojekyll and every other empty file
NOT_THEIRS = re.compile(r"(.*/)?(license|licence|copying)(\.\w+)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Hint:
    """Two students, by submission and address. `share` is how much of the shorter one's text is in the other, 0 to 1; `why` says it in a sentence."""

    a: int
    a_email: str
    b: int
    b_email: str
    brief_id: str
    round: int
    share: float
    same_files: list[str]
    why: str
    a_report: int
    b_report: int
    same_repository: bool = False


@dataclass(slots=True)
class _Work:
    """One report, without what is boilerplate."""

    report: int
    student: int
    email: str
    repository: tuple[str, str]  # owner's place, name
    is_fork: bool
    files: dict[str, str]  # blob sha → path
    marks: frozenset[int]
    limit: float  # the largest mark that would have been kept


def hints(source: GradeBook | QuerySet[RepoReport], *, most: int = MOST_HINTS) -> list[Hint]:
    """Of a grade-book's counted reports, or of these. The same repository comes first, then by the share of the text."""
    reports = books.counted_reports(books.issued_tasks(source)) if isinstance(source, GradeBook) else source
    rows = reports.order_by("issued__brief_id", "issued__round", "pk").values_list(
        "issued__brief_id", "issued__round", "pk", "issued__submission_id", "issued__submission__email", "repo_url", "facts__fork", "prints"
    )
    found: list[Hint] = []
    attached = _attachments(reports)
    for (brief, round), group in groupby(rows.iterator(chunk_size=200), key=lambda row: (row[0], row[1])):
        works = [_work(*row[2:], attached[brief]) for row in group]
        _leave_boilerplate_out(works)
        met = ((works[a], works[b], share) for (a, b), share in _pairs(works).items())
        found += (_hint(brief, round, a, b, share) for a, b, share in met if a.student != b.student)
    told = (hint for hint in found if hint.why)
    return sorted(told, key=lambda hint: (not hint.same_repository, -hint.share, -len(hint.same_files), hint.a_email, hint.b_email))[:most]


def _work(report: int, student: int, email: str, url: str, fork: Any, prints: dict[str, Any], attached: set[str]) -> _Work:
    held = prints if isinstance(prints, dict) else {}
    marks = held.get("marks", ())
    files = {sha: path for path, sha in held.get("files", {}).items() if sha != NO_CONTENT and not _is_given(path, attached)}
    return _Work(
        report, student, email, _repository(url), bool(fork), files, frozenset(marks), max(marks) if len(marks) >= MOST else overlap.EVERYTHING
    )


def _is_given(path: str, attached: set[str]) -> bool:
    return bool(NOT_THEIRS.fullmatch(path)) or path in attached or path.rsplit("/", 1)[-1] in attached


def _repository(url: str) -> tuple[str, str]:
    parts = urlsplit(url.strip().lower())
    place, _, name = f"{parts.netloc}{parts.path}".rstrip("/").removesuffix(".git").rpartition("/")
    return place, name


def _attachments(reports: QuerySet[RepoReport]) -> defaultdict[str, set[str]]:
    """Names by brief, from one task of each variant: every student has the same names, and their contents are large."""
    tasks = IssuedTask.objects.filter(reports__in=reports.order_by()).order_by()
    samples = tasks.values("brief_id", "round", "variant").annotate(one=Min("pk")).values("one")
    names: defaultdict[str, set[str]] = defaultdict(set)
    for brief, attachments in IssuedTask.objects.filter(pk__in=samples).values_list("brief_id", "attachments"):
        names[brief] |= {item["name"] for item in attachments if isinstance(item, dict) and isinstance(item.get("name"), str)}
    return names


def _leave_boilerplate_out(works: list[_Work]) -> None:
    most = max(MANY - 1, int(len(works) * MANY_SHARE))
    marks = Counter(mark for work in works for mark in work.marks)
    files = Counter(sha for work in works for sha in work.files)
    for work in works:
        work.marks = frozenset(mark for mark in work.marks if marks[mark] <= most)
        work.files = {sha: path for sha, path in work.files.items() if files[sha] <= most}


def _pairs(works: list[_Work]) -> dict[tuple[int, int], float]:
    """Places of two reports that have something in common, with the share of the text."""
    found = {(a, b): share for a, b, share in overlap.pairs([work.marks for work in works], [work.limit for work in works], LEAST, FEWEST_MARKS)}
    names = overlap.masks([[work.repository[1]] for work in works])
    related = overlap.masks([[*work.files, work.repository] for work in works])
    for place, work in enumerate(works):
        mask = names[work.repository[1]] if work.is_fork else 0
        for thing in (*work.files, work.repository):
            mask |= related[thing]
        for other in overlap.places(mask & ~(1 << place)):
            found.setdefault((min(place, other), max(place, other)), 0.0)
    return found


def _hint(brief: str, round: int, a: _Work, b: _Work, share: float) -> Hint:
    files = sorted(path for sha, path in a.files.items() if sha in b.files)[:MOST_FILES]
    related = _related(a, b)
    why = [related] if related else []
    if files:
        why.append(
            f"{'the same file' if len(files) == 1 else f'{len(files)} files the same'}: {', '.join(files[:3])}{' …' if len(files) > 3 else ''}"
        )
    if share:
        why.append(f"{share:.0%} of the shorter text is in the other")
    sentence = "; ".join(why)
    same = bool(related)
    return Hint(a.student, a.email, b.student, b.email, brief, round, share, files, sentence[:1].upper() + sentence[1:], a.report, b.report, same)


def _related(a: _Work, b: _Work) -> str:
    if a.repository == b.repository:
        return "the same repository"
    if a.repository[1] == b.repository[1] and (a.is_fork or b.is_fork):
        return "repositories of one name, one of them a fork"
    return ""
