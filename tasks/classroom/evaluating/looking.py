"""The student side's evaluators on a report: on the files at its commit, and the page and its checks on the live address."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from tasks import evaluation, pace
from tasks.backends import names
from tasks.browser import slots
from tasks.classroom.evaluating.door import Page
from tasks.evaluation import Said
from tasks.evaluators import Finding, Subject, prose
from tasks.evaluators.page import LOADS, NO_ERRORS, OWN_FILES
from tasks.models import CheckResult
from tasks.prose.predicates import expressions

PATIENCE = 20.0  # seconds that a free browser is waited for
Status = CheckResult.Status


@dataclass
class LookAgain(Exception):
    """Not now: `counts` is whether this was one of the looks that a report has."""

    seconds: float
    reason: str
    counts: bool

    def __str__(self) -> str:
        return self.reason


def busy() -> LookAgain:
    return LookAgain(10.0, "Every browser was busy; it waits for a free one.", counts=False)


def await_browser() -> None:
    """`LookAgain` when none comes free: asked before anything is fetched for the report."""
    with slots.take(slots.patience(PATIENCE, standing_back=pace.is_behind())) as free:
        if not free:
            raise busy()


def look(subject: Subject, page: Page, unreadable: str) -> list[Said]:
    """What all evaluators say. With `unreadable` there are no files, and everything that they should have shown has failed for that reason.

    `LookAgain` when no browser was free."""
    patience = slots.patience(PATIENCE, standing_back=pace.is_behind())
    live = replace(subject, url=page.url, addresses=page.addresses, refused=page.problem, patience=patience)
    static = [name for name in names("evaluators", "Evaluator") if name not in evaluation.LIVE]
    said = evaluation.look(live, evaluation.LIVE, reported=True)
    if any(item.finding.reason == slots.BUSY for item in said):
        raise busy()
    problem = not_loaded(said)
    said += [Said("page", Finding(title, Status.FAIL, problem), 0.0) for title in (NO_ERRORS, OWN_FILES) if problem]
    said = [*evaluation.look(subject, static, reported=True), *(_ours(item, said) for item in said)]
    return [_unseen(item, live, unreadable) for item in said] if unreadable else said


def not_loaded(said: list[Said]) -> str:
    """Why the page did not load, empty if it did or nobody could look."""
    found = next((item.finding for item in said if item.finding.title == LOADS), None)
    if found is None or found.status != Status.FAIL or found.evidence.get("loaded"):
        return ""
    return found.reason


def _ours(item: Said, said: list[Said]) -> Said:
    """Without a browser, or with one that broke, there is no verdict, through no fault of the student's: an error, not skipped."""
    loads = next((other.finding for other in said if other.finding.title == LOADS), None)
    finding = item.finding
    if loads is None or loads.status not in {Status.SKIPPED, Status.ERROR}:
        return item
    open_ = finding.status in {Status.SKIPPED, Status.UNDECIDED} and finding.reason != prose.NOBODY
    return replace(item, finding=replace(finding, status=Status.ERROR, reason=loads.reason)) if open_ else item


def _unseen(item: Said, subject: Subject, reason: str) -> Said:
    """A verdict on files that nobody could read."""
    finding = item.finding
    if item.kind == "page" or (item.kind == "prose" and _in_browser(finding, subject)):
        return item
    return replace(item, finding=replace(finding, status=Status.FAIL, reason=reason, evidence={}))


def _in_browser(finding: Finding, subject: Subject) -> bool:
    return bool(finding.expression and expressions(json.loads(finding.expression), subject))
