"""What a report's page shows. `body` is the part that the instructor, and a student who practises, both read: verdicts, what could not be checked,
pictures, facts of the repository. It looks at no permission and links nowhere into the admin by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from tasks.admin import columns, pictures, state, verdicts
from tasks.admin.badges import badge
from tasks.admin.evidence_lines import lines
from tasks.classroom.evaluating import queue
from tasks.models import CheckResult, GradeBook, RepoReport

OPEN = (RepoReport.State.QUEUED, RepoReport.State.RUNNING)
OTHERS = 20  # further reports on the same issued task that are linked


@dataclass(frozen=True)
class Explained:
    """One sentence that says how the report stands, and whether it may be evaluated again now."""

    sentence: str
    tone: str
    again: bool


def is_open(report: RepoReport) -> bool:
    return report.state in OPEN


def results_of(report: RepoReport) -> list[CheckResult]:
    """The newest result of each check, in the order of the checks."""
    newest: dict[str, CheckResult] = {}
    for row in report.check_results.order_by("id"):
        newest[row.key or f"#{row.pk}"] = row
    return list(newest.values())


def explain(report: RepoReport, results: Sequence[CheckResult], now: datetime, *, alive: int) -> Explained:
    """Tone and sentence of the state, and what to do about it."""
    worker = "a worker takes it next" if alive else "but no worker is running: start one with `manage.py worker`"
    match report.state:
        case RepoReport.State.QUEUED:
            ahead = (report.due_at - now).total_seconds()
            if ahead > 0:
                said = f"Looked at {columns.of(report.attempt, 'time')}; looks again in {columns.units(ahead)}"
                return Explained(f"{said}: {report.error or 'it is not due yet'}", "blue", again=True)
            return Explained(f"To be evaluated, {worker}.", "grey", again=False)
        case RepoReport.State.RUNNING:
            if report.lease_until is not None and report.lease_until < now:
                return Explained(f"The worker that evaluated it went silent; {worker}.", "orange", again=False)
            return Explained("A worker is evaluating it.", "blue", again=False)
        case RepoReport.State.ERROR:
            why = (report.error or "no reason was kept").rstrip(".")
            return Explained(
                f"Could not be evaluated: {why}. This is no fault of the student's; evaluate it again once that is mended.", "red", again=True
            )
    return _done(report, results)


def _done(report: RepoReport, results: Sequence[CheckResult]) -> Explained:
    counted = verdicts.summary(row.status for row in results)
    took = f" in {columns.units(report.seconds)}" if report.seconds is not None else ""
    sentence = f"Evaluated{took}: {counted.text}." if results else f"Evaluated{took}, and no check was made: the brief has none."
    errors = sum(row.status == "error" for row in results)
    if errors:
        those = "That check is" if errors == 1 else f"Those {errors} checks are"
        sentence += f" {those} left out of the score until evaluated again: the error is ours."
    failed = any(row.status == "fail" for row in results)
    return Explained(sentence, "orange" if errors or failed else "green", again=True)


def body(report: RepoReport, *, image: Callable[[int], str] = pictures.image_url, evidence: bool = True) -> dict[str, Any]:
    """The context of `report/_body.html`: `sources` are the verdicts, `ours` the checks that met an error of ours, `shots` the pictures.

    `image` is the address of a screenshot's image by its id; without `evidence` only verdicts and reasons are shown."""
    results = results_of(report)
    explained = explain(report, results, timezone.now(), alive=state.workers_alive())
    judged = [row for row in results if row.status != "error"]
    return {
        "report": report,
        "state": explained,
        "open": is_open(report),
        "summary": verdicts.summary(row.status for row in results),
        "sources": verdicts.sources(judged, evidence=evidence),
        "ours": [verdicts.verdict(row) for row in results if row.status == "error"],
        "any": bool(results),
        "shots": pictures.of_reports([report.pk], image).get(report.pk, []),
        "facts": lines(report.facts),
    }


def page_context(report: RepoReport, book_page: Callable[[GradeBook], str] | None) -> dict[str, Any]:
    """The whole page. `book_page` is the address of the student's page in a grade-book, None for whoever may not see grade-books."""
    issued = report.issued
    others = issued.reports.exclude(pk=report.pk).defer("prints", "facts")[:OTHERS]
    return {
        **body(report),
        "issued": issued,
        "title": f"Report of {issued.submission.email} on {issued.task}, round {issued.round}",
        "badges": [badge("report late" if report.is_late else "report in time")],
        "links": link_rows(report),
        "counts": queue.counted_reports([issued.pk]).filter(pk=report.pk).exists(),
        "others": [{"row": row, "badge": badge(f"report {row.state}", row.error), "link": columns.inside(row, f"report {row.pk}")} for row in others],
        "checks_asked": lines(issued.checks),
        "books": [{"name": book.name, "url": book_page(book)} for book in GradeBook.objects.all()[:OTHERS]] if book_page else [],
        "no_worker": is_open(report) and not state.workers_alive(),
    }


def link_rows(report: RepoReport) -> dict[str, Any]:
    """Page, repository and commit as links out; what is no http(s) address stays text."""
    at_host = columns.commit_url(report.repo_url, report.commit_sha)
    return {
        "page": columns.out(report.pages_url),
        "repo": columns.out(report.repo_url),
        "commit": columns.out(at_host, report.commit_sha[:10]) if at_host else columns.out(report.commit_sha[:10]),
    }
