"""What the checks said, for reading: by what they looked at (the live page, a version), then by who asked for them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.utils.safestring import SafeString

from tasks.admin.badges import badge, look
from tasks.admin.columns import units
from tasks.admin.evidence_lines import Line, cut, lines
from tasks.models import CheckResult, Deployment

STATUSES = ("fail", "error", "undecided", "pass", "skipped")  # what went wrong first
SOURCES = {"task": "Checks of the task", "common": "Common checks", "regression": "Regressions: checks of earlier rounds"}
WRONG = ("fail", "error", "undecided")
EXPRESSION_CHARACTERS = 4_000


@dataclass(frozen=True)
class Summary:
    """How many of each status: in one line ("7 of 9 pass · 1 undecided", `rest` is what follows the dot), and as parts of a bar (colour, percent,
    title)."""

    text: str
    head: str
    rest: str
    tone: str
    bar: tuple[tuple[str, str, str], ...]


def summary(statuses: Iterable[str]) -> Summary:
    counts = Counter(statuses)
    whole = sum(counts.values())
    parts = [f"{counts[status]} {look(status).word}" for status in STATUSES if status != "pass" and counts[status]]
    order = ("pass", *(status for status in STATUSES if status != "pass"))
    bar = tuple(
        (look(status).tone, f"{100 * counts[status] / whole:.2f}", f"{counts[status]} {look(status).word}") for status in order if counts[status]
    )
    wrong, open_ = counts["fail"] + counts["error"], counts["undecided"]
    tone = "red" if wrong else "orange" if open_ else "green" if counts["pass"] else "grey"
    head = f"{counts['pass']} of {whole} pass" if whole else "none"
    return Summary(" · ".join([head, *parts]), head, " · ".join(parts), tone, bar)


@dataclass(frozen=True)
class Verdict:
    """One result. `expression` is empty where the title says it already; `unfold`: it went wrong, so its evidence is shown at once (where it is seen
    first: the live page and the version before publishing mostly fail alike)."""

    row: CheckResult
    badge: SafeString
    took: str
    expression: str
    evidence: list[Line]
    unfold: bool
    part: str = ""


@dataclass(frozen=True)
class Source:
    name: str
    title: str
    summary: Summary
    verdicts: list[Verdict]


@dataclass
class Panel:
    """Everything that was said of one version before publishing, or of one deployment on its live page. `folded`: a newer look took its place."""

    title: str
    icon: str
    note: str
    rows: list[CheckResult] = field(default_factory=list)
    folded: bool = False
    summary: Summary = field(default_factory=lambda: summary(()))
    sources: list[Source] = field(default_factory=list)


def panels(results: Sequence[CheckResult], chosen: int | None = None) -> list[Panel]:
    """The live page first (the newest deployment), then the chosen version, then the others, the newest first; of each kind only the first is open.

    `chosen` is the id of the version that is (to be) published. The results come with version, deployment and round."""
    found: dict[tuple[int, int, int | None], Panel] = {}
    several = len({row.round_id for row in results}) > 1
    for row in results:
        of_round = f"round {row.round.number}" if several and row.round else ""
        if row.deployment_id is not None and row.deployment is not None:
            key = (2, row.deployment_id, row.round_id)
            made = Panel(f"On the live page, commit {row.deployment.commit_sha[:10]}", "public", of_round)
        else:
            key = (1 if row.version_id == chosen else 0, row.version_id or 0, row.round_id)
            note = ", ".join(part for part in (of_round, "chosen" if chosen and row.version_id == chosen else "") if part)
            made = Panel(f"Before publishing, version {row.version.number}" if row.version else "Without a version", "science", note)
        found.setdefault(key, made).rows.append(row)
    ordered = [found[key] for key in sorted(found, reverse=True)]
    icons: set[str] = set()
    told: set[tuple[str, str]] = set()
    for one in ordered:
        one.folded = one.icon in icons
        icons.add(one.icon)
        one.summary = summary(row.status for row in one.rows)
        one.sources = [_source(name, title, one.rows, told) for name, title in SOURCES.items() if any(row.source == name for row in one.rows)]
    return ordered


def sources(results: Sequence[CheckResult], *, evidence: bool = True) -> list[Source]:
    """The verdicts of one look by who asked for them; without `evidence` only what was said."""
    told: set[tuple[str, str]] = set()
    found = [_source(name, title, results, told, evidence=evidence) for name, title in SOURCES.items()]
    return [source for source in found if source.verdicts]


def _source(name: str, title: str, rows: Sequence[CheckResult], told: set[tuple[str, str]], *, evidence: bool = True) -> Source:
    own = [row for row in rows if row.source == name]
    own.sort(key=lambda row: STATUSES.index(row.status) if row.status in STATUSES else 0)
    verdicts = [verdict(row, fresh=(row.title, row.reason) not in told, evidence=evidence) for row in own]
    told.update((row.title, row.reason) for row in own)
    return Source(name, title, summary(row.status for row in own), verdicts)


def verdict(row: CheckResult, *, fresh: bool = True, evidence: bool = True) -> Verdict:
    expression = "" if row.expression.strip() == row.title.strip() or not evidence else cut(row.expression, EXPRESSION_CHARACTERS)
    seen = lines(row.evidence) if evidence else []
    return Verdict(row, badge(row.status), units(row.seconds), expression, seen, bool(seen) and fresh and row.status in WRONG, part(row))


def part(row: CheckResult) -> str:
    """The score of a check that passed or failed by degrees, in per cent; empty for a plain yes or no."""
    return f"{100 * row.score:.0f} %" if row.status in ("pass", "fail") and 0 < row.score < 1 else ""


def counting(results: Iterable[tuple[str, int | None, int | None]], deployments: Sequence[Deployment], chosen: int | None) -> list[str]:
    """The statuses that count now, of (status, version id, deployment id): the live page's if it was looked at, else the chosen version's."""
    results = list(results)
    latest = deployments[0].pk if deployments else None
    live = [status for status, _, deployment in results if latest is not None and deployment == latest]
    before = [status for status, version, deployment in results if deployment is None and version is not None and version == chosen]
    return live or before


def newest(results: Iterable[tuple[str, int | None, int | None]], deployments: Sequence[Deployment], chosen: int | None) -> Summary | None:
    """The summary of what counts now."""
    statuses = counting(results, deployments, chosen)
    return summary(statuses) if statuses else None
