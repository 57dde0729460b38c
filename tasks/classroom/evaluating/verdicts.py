"""Findings to rows: each check of the task under its number, each common check under a key that is the same for every student of a brief.

The titles of some common checks name a file. One that the brief or the checks name is everybody's; one that the student called as they liked stands
under no name of its own, and several of a kind count as one check, which fails if it fails for one of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from tasks.check_forms import CODE_KEYS, TEXT_KEYS, classify
from tasks.evaluation import Said, rows
from tasks.evaluators import Finding, Subject
from tasks.files.paths import fold
from tasks.models import CheckResult, RepoReport, Screenshot
from tasks.required import check_texts, required_files

MAX_KEY = 100
ANY_FILE = "a file of the student's own"
COMMON_FILES = ("index.html", "README.md", ".github/README.md", "LICENSE")
MAX_REASONS = 3
Status = CheckResult.Status
WORST = (Status.FAIL, Status.ERROR, Status.UNDECIDED, Status.SKIPPED, Status.PASS)


def results(report: RepoReport, subject: Subject, said: Iterable[Said]) -> tuple[list[CheckResult], list[Screenshot]]:
    """Rows that are not stored yet: the task's checks in their order, then the common ones."""
    said = list(said)
    named = task_checks(report, said) + common_checks(subject, said)
    made, shots = rows((item for _, item in named), report=report)
    for row, (key, _) in zip(made, named, strict=True):
        row.key = key
    return made, shots


def task_checks(report: RepoReport, said: list[Said]) -> list[tuple[str, Said]]:
    """One for each check that was sent, also for one that was sent twice or is empty."""
    js = {item.finding.expression: item for item in said if item.kind == "page" and item.finding.source == "task"}
    english = {item.finding.title: item for item in said if item.kind == "prose"}
    found = []
    for number, check in enumerate(report.issued.checks, 1):
        kind, text = classify(check)
        item = (js if kind == "js" else english).get(text)
        if item is None:
            item = Said("page" if kind == "js" else "prose", Finding(text or "empty check", Status.SKIPPED, "There is nothing to check."), 0.0)
        finding, evidence = item.finding, item.finding.evidence
        if kind == "prose" and finding.expression:
            evidence = {**evidence, "predicate": finding.expression}
        title = label(check) or finding.title
        finding = replace(finding, title=title, expression=text, evidence=evidence, source=CheckResult.Source.TASK, guards=False)
        found.append((f"v{report.issued.variant}-check-{number}", replace(item, finding=finding)))
    return found


def label(check: Any) -> str:
    """The words that stand beside a check's JavaScript."""
    if not isinstance(check, dict) or not any(isinstance(check.get(key), str) for key in CODE_KEYS):
        return ""
    return next((check[key] for key in TEXT_KEYS if isinstance(check.get(key), str)), "")


def common_checks(subject: Subject, said: list[Said]) -> list[tuple[str, Said]]:
    own = students_own(subject)
    groups: dict[str, list[Said]] = {}
    for item in said:
        if item.finding.source == CheckResult.Source.COMMON:
            title = without_names(item.finding.title, own)
            finding = replace(item.finding, title=title, guards=False)
            groups.setdefault(key_of(item.kind, title), []).append(replace(item, finding=finding))
    return [(key, merged(items)) for key, items in groups.items()]


def students_own(subject: Subject) -> list[str]:
    """Paths that nobody but the student thought of, longest first."""
    checks = check_texts(subject.checks)
    everybodys = {fold(path) for path in (*subject.attachments, *required_files(subject.brief, checks), *COMMON_FILES)}
    asked = "\n".join((subject.brief, *checks))
    return sorted((path for path in subject.files if fold(path) not in everybodys and path not in asked), key=len, reverse=True)


def without_names(title: str, own: Iterable[str]) -> str:
    for path in own:
        if title.startswith(f"{path} "):
            return ANY_FILE.capitalize() + title.removeprefix(path)
    return title


def key_of(kind: str, title: str) -> str:
    return f"{kind}:{re.sub(r'[^a-z0-9]+', '-', title.lower()).strip('-')}"[:MAX_KEY]


def merged(items: list[Said]) -> Said:
    """Several findings as one: the worst, with the reasons of all that are as bad."""
    worst = min(items, key=lambda item: WORST.index(Status(item.finding.status)))
    alike = [item for item in items if item.finding.status == worst.finding.status]
    if len(items) == 1:
        return worst
    reasons = [item.finding.reason for item in alike if item.finding.reason]
    more = f" (and {len(reasons) - MAX_REASONS} more)" if len(reasons) > MAX_REASONS else ""
    reason = " ".join(reasons[:MAX_REASONS]) + more
    return replace(worst, finding=replace(worst.finding, reason=reason), seconds=sum(item.seconds for item in items))
