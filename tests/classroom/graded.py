"""A class that is evaluated already: submissions, issued tasks, reports and check results, made quickly.

Everything is as `make_class` says unless a test changes it: every student accepted and reported each round in time, and check `n` of student `i`
fails where `(i + n + round) % 4 == 0`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from tasks.models import CheckResult, IssuedTask, RepoReport, Screenshot, Submission

COMMON = (
    ("license", "license:mit-license", "LICENSE is the MIT license"),
    ("readme", "readme:readme-md", "README.md is complete"),
    ("leaks", "leaks:no-secret", "No secret in any commit"),
    ("page", "page:the-page-loads", "The page loads"),
    ("page", "page:no-errors", "No errors in the console"),
    ("page", "page:phone", "It fits a phone"),
    ("files", "files:index-html", "index.html is there"),
    ("files", "files:links", "All local links lead somewhere"),
    ("attachments", "attachments:as-posted", "The attachments are as they were posted"),
    ("repository", "repository:public", "The repository is public"),
    ("repository", "repository:made-after", "It was made after the request"),
    ("judge", "judge:code", "The code is tidy"),
)
WEBP = b"RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00\x2f\x00\x00\x00\x10\x07\x10\x11\x11\x88\x88\xfe\x07\x00"  # one pixel
LIMIT = timedelta(minutes=10)
Chooses = Callable[[int, str, int], Any]  # (number of the student from 0, brief, round)


@dataclass
class Graded:
    """What was made; `issued` and `reports` by (number of the student, brief, round)."""

    submissions: list[Submission] = field(default_factory=list)
    issued: dict[tuple[int, str, int], IssuedTask] = field(default_factory=dict)
    reports: dict[tuple[int, str, int], RepoReport] = field(default_factory=dict)

    def result(self, student: int, key: str, brief: str = "sales-total", round: int = 1) -> CheckResult:
        return CheckResult.objects.get(report=self.reports[student, brief, round], key=key)


def passes(student: int, check: int, round: int) -> str:
    return "fail" if (student + check + round) % 4 == 0 else "pass"


def make_class(
    students: int = 3,
    briefs: Sequence[str] = ("sales-total",),
    *,
    rounds: int = 1,
    checks: int = 2,
    common: int = 3,
    issued: Chooses = lambda student, brief, round: True,
    reported: Chooses = lambda student, brief, round: True,
    late: Chooses = lambda student, brief, round: False,
    variant: Chooses = lambda student, brief, round: 0,
    status: Callable[[int, int, int], str] = passes,
    prints: Chooses = lambda student, brief, round: {},
    shots: bool = False,
    issued_fields: dict[str, Any] | None = None,
) -> Graded:
    """So many students, each with `checks` of the task and `common` ones (12 at most) in each round of each brief. The `Chooses` decide who got a
    task, who reported, late or not, which variant they have; `status(student, check, round)` what a check said, counted over the common ones, then
    those of the task, from 1. `shots`: each report has a desktop and a phone picture."""
    made, now = Graded(), timezone.now()
    made.submissions = Submission.every.bulk_create(
        Submission(email=f"student{n:04}@example.org", endpoint=f"https://s{n}.example.org/ready", sealed_secret="", submitted_at=now)
        for n in range(students)
    )
    sent = now - timedelta(hours=2)
    for round in range(1, rounds + 1):
        places = [(n, brief, round) for brief in briefs for n in range(students) if issued(n, brief, round)]
        rows = [_issued(made, place, sent, variant(*place), issued_fields or {}) for place in places]
        made.issued.update(zip(places, IssuedTask.objects.bulk_create(rows, batch_size=500), strict=True))
    places = [place for place in made.issued if reported(*place)]
    reports = [_report(made.issued[place], place[0], late(*place), prints(*place)) for place in places]
    made.reports.update(zip(places, RepoReport.objects.bulk_create(reports, batch_size=500), strict=True))
    results = (row for place, report in made.reports.items() for row in _results(report, place, checks, common, status))
    CheckResult.objects.bulk_create(results, batch_size=2_000)
    if shots:
        names = {"desktop": (1280, 800), "phone": (390, 844)}
        Screenshot.objects.bulk_create(
            Screenshot(report=report, name=name, width=width, height=height, media_type="image/webp", content=WEBP)
            for report in made.reports.values()
            for name, (width, height) in names.items()
        )
    return made


def _issued(made: Graded, place: tuple[int, str, int], sent: datetime, variant: int, fields: dict[str, Any]) -> IssuedTask:
    student, brief, round = place
    defaults: dict[str, Any] = {
        "first": made.issued.get((student, brief, 1)) if round > 1 else None,
        "seed": "2026-10-03-12",
        "variant": variant,
        "task": f"{brief}-{student:05x}",
        "nonce": f"{brief} {student} {round}",
        "brief": f"Publish the page of {brief}, round {round}.",
        "checks": [{"js": "!!document.querySelector('#total-sales')"}],
        "attachments": [{"name": "data.csv", "url": "data:text/csv;base64,YQ=="}],
        "evaluation_url": "http://127.0.0.1:9/notify",
        "status": IssuedTask.Status.ACCEPTED,
        "next_try_at": None,
        "sent_at": sent,
        "accepted_at": sent,
        "deadline_at": sent + LIMIT,
    }
    return IssuedTask(submission=made.submissions[student], brief_id=brief, round=round, **{**defaults, **fields})


def _report(issued: IssuedTask, student: int, late: bool, prints: dict[str, Any]) -> RepoReport:
    received = (issued.deadline_at or timezone.now()) + (LIMIT if late else -LIMIT / 2)
    return RepoReport(
        issued=issued,
        repo_url=f"https://github.com/s{student}/{issued.task}",
        commit_sha=f"{student:020x}{issued.round:020x}",
        pages_url=f"https://s{student}.github.io/{issued.task}/",
        received_at=received,
        is_late=late,
        state=RepoReport.State.DONE,
        evaluated_at=received + LIMIT,
        seconds=4.5,
        prints=prints,
        facts={"commits": 3, "files": 5, "bytes": 4_000},
    )


def _results(report: RepoReport, place: tuple[int, str, int], checks: int, common: int, status: Callable[[int, int, int], str]) -> list[CheckResult]:
    student, _brief, round = place
    kinds = [("common", *COMMON[n]) for n in range(common)]
    variant = report.issued.variant
    kinds += [("task", "page", f"v{variant}-check-{n}", f"check {n} of variant {variant}") for n in range(1, checks + 1)]
    rows = []
    for number, (source, kind, key, title) in enumerate(kinds, 1):
        said = status(student, number, round)
        reason = "" if said == "pass" else f"{title}: it is not so."
        evidence = {"seen": [f"line {n}" for n in range(3)]}
        fields = {"status": said, "score": float(said == "pass"), "reason": reason, "evidence": evidence}
        rows.append(CheckResult(report=report, source=source, kind=kind, key=key, title=title, **fields))
    return rows
