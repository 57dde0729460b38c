"""The examination of one report, start to end: the page's address, the repository, the evaluators, the judge.

Out: rows that are not stored yet. `LookAgain` when the page is not there yet or no browser was free, a `TaskError` where it is our or the network's
fault that nothing can be said.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tasks.classroom.evaluating import history, judge, origin, prints, repository, verdicts
from tasks.classroom.evaluating.clone import cloned
from tasks.classroom.evaluating.door import knock
from tasks.classroom.evaluating.git import Unreadable
from tasks.classroom.evaluating.lease import ReportLease
from tasks.classroom.evaluating.looking import LookAgain, await_browser, look, not_loaded
from tasks.classroom.evaluating.subjects import attachments, first_of, subject_of
from tasks.compiled_checks import compile_missing
from tasks.evaluation import Said
from tasks.evaluators import Finding
from tasks.hosts.base import blob_sha
from tasks.models import CheckResult, RepoReport, Screenshot

COMPILE_SECONDS = 40.0
PUBLIC = "The repository is public"
COMMIT = "The repository has the reported commit"


@dataclass(frozen=True)
class Examined:
    results: list[CheckResult]
    shots: list[Screenshot]
    facts: dict[str, Any]
    prints: dict[str, Any]


@dataclass
class Seen:
    """What could be read of the repository. `unreadable` is empty when the files at the commit could."""

    unreadable: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    shas: dict[str, str] = field(default_factory=dict)
    findings: list[tuple[str, Finding]] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)


def examine(report: RepoReport, lease: ReportLease, *, last: bool) -> Examined:
    """`last`: there is no other look after this one, so a page that does not load has failed."""
    await_browser()
    page = knock(report.pages_url)
    if page.problem and not page.final and not last:
        raise LookAgain(0.0, f"The page is looked at again soon: {page.problem}", counts=True)
    given = {blob_sha(data) for data in attachments(report.issued).values()}
    seen = read(report, given)
    subject = subject_of(report, seen.files)
    compile_missing(subject, COMPILE_SECONDS, lease.fenced)
    said = look(subject, page, seen.unreadable)
    problem = not_loaded(said)
    if problem and not page.final and not last:
        raise LookAgain(0.0, f"The page is looked at again soon: {problem}", counts=True)
    said = [Said(kind, finding, 0.0) for kind, finding in seen.findings] + said
    said += [Said("judge", finding, finding.evidence.get("seconds", 0.0)) for finding in judge.judge(subject, seen.unreadable)]
    results, shots = verdicts.results(report, subject, said)
    return Examined(results, shots, seen.facts, prints.prints_of(seen.files, seen.shas, given))


def read(report: RepoReport, given: set[str]) -> Seen:
    """The repository's own checks, and its files."""
    sent_at = first_of(report.issued).sent_at
    seen = Seen()
    try:
        with cloned(report.repo_url) as clone:
            commits = repository.history(clone)
            seen.findings.append(("repository", Finding(PUBLIC, "pass")))
            try:
                seen.files, seen.shas = repository.files_at(clone, commits, report.commit_sha)
                seen.findings.append(("repository", Finding(COMMIT, "pass")))
            except Unreadable as error:
                seen.unreadable = str(error)
                seen.findings.append(("repository", Finding(COMMIT, "fail", str(error))))
            slips = history.finding(clone.git, commits, report.issued.brief, given)
    except Unreadable as error:
        seen.unreadable = str(error)
        titles = {PUBLIC: "repository", COMMIT: "repository", origin.TITLE: "repository", history.TITLE: "history"}
        seen.findings = [(kind, Finding(title, "fail", str(error))) for title, kind in titles.items()]
        return seen
    made = origin.find(report.repo_url, repository.began(commits))
    seen.findings += [("repository", origin.finding(made, sent_at)), ("history", slips)]
    seen.facts = {
        "created_at": made.created_at.isoformat() if made.created_at else None,
        "created_from": made.source,
        "commits": len(commits),
        "files": len(seen.files),
        "bytes": sum(map(len, seen.files.values())),
        "fork": made.fork,
        "capped": slips.evidence.get("capped", ""),
    }
    return seen
