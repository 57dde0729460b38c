"""Two versions beside each other: which checks the later one fixed and which it broke."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.utils.safestring import SafeString

from tasks.admin.badges import badge, look
from tasks.admin.columns import one_line
from tasks.models import CheckResult

Key = tuple[str, str, str, str, int]  # source, kind, title, expression, and which of several equal ones
Verdicts = Mapping[Key, CheckResult]

CHANGES = ("broken", "fixed", "still fails", "other verdict", "new check", "gone", "same verdict")  # in this order they are shown
WRONG = ("fail", "error")


@dataclass(frozen=True)
class Pair:
    """One check as it was for the left and for the right version; None where it was not run."""

    change: str
    badge: SafeString
    title: str
    source: str
    kind: str
    left: CheckResult | None
    right: CheckResult | None
    left_badge: SafeString | str
    right_badge: SafeString | str


def by_version(results: Iterable[CheckResult]) -> dict[int, dict[Key, CheckResult]]:
    """Results before publishing, each version's from the last round that looked at it, under keys by which two versions can be matched."""
    rows = sorted(results, key=lambda row: row.pk)
    last = {row.version_id: row.round_id for row in sorted(rows, key=lambda row: row.round_id or 0)}
    found: dict[int, dict[Key, CheckResult]] = {}
    seen: Counter[tuple[int, str, str, str, str]] = Counter()
    for row in rows:
        if row.version_id is None or row.deployment_id is not None or row.round_id != last[row.version_id]:
            continue
        # The same check may be the task's own in one round and a regression in the next: it stays the same check.
        source = "common" if row.source == "common" else "task"
        name = (row.version_id, source, row.kind, row.title, row.expression)
        found.setdefault(row.version_id, {})[(*name[1:], seen[name])] = row
        seen[name] += 1
    return found


def change(left: CheckResult | None, right: CheckResult | None) -> str:
    if left is None or right is None:
        return "new check" if left is None else "gone"
    if left.status == right.status:
        return "still fails" if left.status in WRONG else "same verdict"
    if right.status == "pass":
        return "fixed"
    if left.status == "pass" and right.status in WRONG:
        return "broken"
    return "still fails" if left.status in WRONG and right.status in WRONG else "other verdict"


def pairs(left: Verdicts, right: Verdicts) -> list[Pair]:
    """Every check of either, what got worse first."""
    keys = list(dict.fromkeys([*left, *right]))
    made = [_pair(key, left.get(key), right.get(key)) for key in keys]
    return sorted(made, key=lambda pair: CHANGES.index(pair.change))


def _pair(key: Key, left: CheckResult | None, right: CheckResult | None) -> Pair:
    what = change(left, right)
    source, kind, title = key[:3]
    sides = [badge(row.status) if row else SafeString("") for row in (left, right)]
    return Pair(what, badge(what), one_line(title, 300), source, kind, left, right, sides[0], sides[1])


def effect(left: Verdicts, right: Verdicts) -> list[tuple[str, str]]:
    """ "2 fixed", "1 broken", each with its colour; empty when nothing of the kind happened or one of them was not looked at."""
    if not left or not right:
        return []
    counts = Counter(change(left.get(key), right.get(key)) for key in {*left, *right})
    return [(look(name).tone, f"{counts[name]} {name}") for name in ("fixed", "broken") if counts[name]]
