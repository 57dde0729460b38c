"""A service on trial from the command line: the request is kept as practice, sent here and now, and what is reported is evaluated in this process.

In: a request's body. Out: what came of it, with every check. The same rows and the same evaluation as for a class; only who sends and evaluates is
another one, so that neither a web process nor a worker has to run.
"""

from __future__ import annotations

import time
from typing import Any

from tasks.classroom import letters, practice
from tasks.classroom.evaluating.lease import ReportLease
from tasks.classroom.evaluating.queue import counted_reports
from tasks.classroom.evaluating.work import carry_out
from tasks.classroom.reports import receive
from tasks.demo.evaluator import Evaluator
from tasks.models import CheckResult, IssuedTask, RepoReport

EVALUATION_SECONDS = 600.0  # three looks with the pauses between them
OPEN = (RepoReport.State.QUEUED, RepoReport.State.RUNNING)
BAD = (CheckResult.Status.FAIL, CheckResult.Status.ERROR)


def run(body: dict[str, Any], brief_id: str, url: str, secret: str, evaluator: Evaluator, seconds: float) -> dict[str, Any]:
    """`said` in a sentence, `status` the service's, `checks`; `ok` when it was evaluated and no check failed or met an error.

    `Conflict`, `rows.Unfit` for a request that cannot be kept, `Rejected` for a report that does not fit to it."""
    issued = practice.keep(body, brief_id, url, secret)
    letter = letters.claim(issued.pk)
    if letter is not None and letters.settle(letter, letters.post(letter, trusted=True)) != IssuedTask.Status.ACCEPTED:
        practice.stop(issued)
    done: dict[str, Any] = {"ok": False, "id": issued.pk, "checks": []}
    issued.refresh_from_db()
    done["status"] = issued.status_code
    if issued.status != IssuedTask.Status.ACCEPTED and letter is not None:
        answer = issued.history.first()
        return done | {"said": " ".join(filter(None, (answer.error, answer.answer[:300]))) if answer else "It could not be sent."}
    report = wait(issued, evaluator, seconds)
    if report is None:
        return done | {"said": f"no report in {seconds:.0f} s"}
    report = evaluate(report)
    done |= {"repo_url": report.repo_url, "commit_sha": report.commit_sha, "pages_url": report.pages_url, "late": report.is_late}
    done["checks"] = checks(report)
    if report.state != RepoReport.State.DONE:
        return done | {"said": f"could not be evaluated: {report.error or 'it takes too long'}"}
    statuses = [check["status"] for check in done["checks"]]
    said = f"{statuses.count('pass')} of {len(statuses)} checks pass: {report.pages_url}"
    return done | {"ok": not set(statuses) & set(BAD), "said": said}


def wait(issued: IssuedTask, evaluator: Evaluator, seconds: float) -> RepoReport | None:
    """The report on it, as soon as it came in here or at /notify; None after so many seconds."""
    end = time.monotonic() + seconds
    while True:
        heard = evaluator.wait(issued.nonce, min(1.0, max(0.0, end - time.monotonic())))
        if heard is not None:
            receive(heard[1])
        report = counted_reports([issued.pk]).first()
        if report is not None or time.monotonic() >= end:
            return report


def evaluate(report: RepoReport, seconds: float = EVALUATION_SECONDS) -> RepoReport:
    """Until it is evaluated, or could not be; by this process, or by the worker that was faster."""
    end = time.monotonic() + seconds
    while report.state in OPEN and time.monotonic() < end:
        lease = ReportLease.claim(report.pk)
        if lease is not None:
            carry_out(lease)
        else:
            time.sleep(0.5)
        report.refresh_from_db(fields=["state", "error", "evaluated_at"])
    return report


def checks(report: RepoReport) -> list[dict[str, Any]]:
    """What is said of each."""
    rows = CheckResult.objects.filter(report=report).order_by("pk")
    return [{"status": row.status, "score": row.score, "source": row.source, "title": row.title, "reason": row.reason} for row in rows]
