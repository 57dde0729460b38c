"""Who looks at the admin in these tests, and one round with something of everything."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from deployer.unfold import UNFOLD
from tasks.classroom.gradebook import columns
from tasks.models import (
    Artefact,
    Attachment,
    CheckResult,
    CodeVersion,
    CompiledCheck,
    ContainerRun,
    Deployment,
    GradeBook,
    GradeOverride,
    IdempotencyKey,
    IssuedTask,
    IssueTry,
    LogFile,
    Message,
    NotificationAttempt,
    RepoReport,
    Result,
    Round,
    Screenshot,
    StageRun,
    Submission,
    TaskRequest,
    Worker,
    WriteBudget,
)
from tests.factories import make_issued, make_round, make_submission, make_task, make_version


@pytest.fixture(autouse=True)
def skin(settings):
    settings.UNFOLD = UNFOLD


@pytest.fixture
def boss(db) -> Client:
    """A superuser's browser."""
    client = Client()
    client.force_login(User.objects.create_superuser("boss", "boss@example.org", "x"))
    return client


def staff(*codenames: str) -> Client:
    """The browser of somebody on the staff who holds just these permissions of this app."""
    user = User.objects.create_user(f"staff-{User.objects.count()}", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="tasks", codename__in=codenames))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def viewer(db) -> Client:
    """Somebody who may look at every record and change none."""
    views = Permission.objects.filter(content_type__app_label="tasks", codename__startswith="view_").values_list("codename", flat=True)
    return staff(*views)


PIXEL = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")


def make_screenshot(round_: Round, name: str = "desktop", **fields: Any) -> Screenshot:
    width, height = (390, 844) if name == "phone" else (1280, 800)
    defaults = {"name": name, "width": width, "height": height, "media_type": "image/png", "content": PIXEL}
    return Screenshot.objects.create(round=round_, **{**defaults, **fields})


def agents(task: TaskRequest, version: CodeVersion, text: str) -> None:
    """What agents outside leave: a log, a result, a run with a file, an answer that may be asked for again."""
    log = LogFile.objects.create(task_request=task, filename=text[:200], agent=text[:100], content=text, size=len(text.encode()))
    Result.objects.create(task_request=task, version=version, agent=text[:100], accuracy=0.5, metrics={text: 1}, log=log)
    run = ContainerRun.objects.create(
        task_request=task, version=version, agent=text[:100], runner="sandbox", command=["python", text], status="failed", reason=text[:500],
        stdout=text, stderr=text, limits={text: 1}, applied={text: text}, left_out={text: text}, finished_at=timezone.now(),
    )  # fmt: skip
    Artefact.objects.create(run=run, path=text[:200], content=text.encode(), size=len(text.encode()), sha256="a" * 64)
    IdempotencyKey.objects.create(
        agent=text[:100], key=f"{IdempotencyKey.objects.count()} {text}"[:200], route="/", body_sha256="b" * 64, status_code=201, answer={text: text}
    )


def practised(text: str, url: str) -> IssuedTask:
    """A practice that was sent and reported."""
    student = make_submission(email=f"{Submission.every.count()}-{text}"[:230] + "@example.org", endpoint=url, is_practice=True)
    free = {"brief_id": text[:100], "brief": text, "checks": [{"js": text}, text], "attachments": [{"name": text, "url": url}], "error": text[:500]}
    row = make_issued(student, **free, task=text[:200], endpoint=url, status="accepted", sent_at=timezone.now(), tries=1)
    IssueTry.objects.create(issued=row, number=1, url=url, seconds=0.2, status_code=200, answer=text[:1000], error=text[:500])
    reported = {"repo_url": url, "commit_sha": "c" * 40, "pages_url": url, "error": text[:500], "state": "done", "facts": {text: text}}
    report = RepoReport.objects.create(issued=row, **reported)
    said = {"kind": "page", "title": text, "expression": text, "reason": text, "evidence": {text: text}}
    for status in ("fail", "error"):
        CheckResult.objects.create(report=report, key=status, status=status, **said)
    Screenshot.objects.create(report=report, name="desktop", width=1280, height=800, media_type="image/png", content=PIXEL)
    return row


def classroom(text: str, url: str) -> IssuedTask:
    """What the instructor's side has of a student: both rounds of a task, sent and reported."""
    number = Submission.objects.count()
    student = make_submission(
        email=f"{number}-{text}"[:230] + "@example.org", endpoint=url, note=text[:500], probe="answers", probe_detail=text[:300]
    )
    first = None
    for round_ in (1, 2):
        free = {"brief_id": text[:100], "seed": text[:100], "brief": text, "checks": [{"js": text}], "attachments": [{"name": text, "url": url}]}
        ended = {"status": "accepted", "error": text[:500], "sent_at": timezone.now(), "accepted_at": timezone.now(), "next_try_at": None, "tries": 1}
        row = make_issued(student, **free, **ended, task=text[:200], round=round_, first=first, evaluation_url=url, endpoint=url, status_code=200)
        IssueTry.objects.create(issued=row, number=1, url=url, seconds=0.2, status_code=200, answer=text[:1000], error=text[:500])
        RepoReport.objects.create(issued=row, repo_url=url, commit_sha="c" * 40, pages_url=url, error=text[:500], is_late=round_ == 2)
        first = first or row
    return first


def grade(student: Submission, text: str) -> None:
    """This student's reports are evaluated, and there is a grade-book with a score set by hand."""
    for report in RepoReport.objects.filter(issued__submission=student):
        judged(report, text)
    book = GradeBook.objects.create(name=f"{GradeBook.objects.count()} {text}"[:100], note=text[:500], publish_at=timezone.now())
    columns.sync(book)
    GradeOverride.objects.create(column=book.columns.filter(brief_id=text[:100]).first(), submission=student, score=0.5, note=text[:500])


def judged(report: RepoReport, text: str) -> None:
    """What the checks said of a report, one verdict of each kind, and what the browser saw."""
    report.state, report.facts = RepoReport.State.DONE, {text: [text]}
    report.save()
    for number, status in enumerate(CheckResult.Status.values):
        said = {"title": text, "expression": text, "reason": text, "evidence": {text: [text]}, "score": float(status == "pass")}
        CheckResult.objects.create(report=report, kind="page", key=f"{number} {text}"[:100], status=status, source="task", **said)
    Screenshot.objects.create(report=report, name="desktop", width=1280, height=800, media_type="image/png", content=PIXEL)


@dataclass
class Story:
    round: Round
    first: CodeVersion
    version: CodeVersion
    deployment: Deployment
    attachment: Attachment
    budget: WriteBudget
    worker: Worker
    screenshot: Screenshot


@pytest.fixture
def story(db) -> Story:
    return tell()


def tell(text: str = "ok", url: str = "https://example.org/page/", *, graded: bool = False) -> Story:
    """A finished round with every kind of row, with `text` in every free field and `url` in every address; with `graded` a student's grades, too."""
    begin = timezone.now() - timedelta(seconds=120)

    def at(seconds: float):
        return begin + timedelta(seconds=seconds)

    task = make_task(
        task=f"task {text}"[:200],
        email=f"{text}@example.org"[:250],
        name=text,
        dataset=text,
        description=text,
        creator_agent=text[:100],
        repo_host="github",
        repo_owner=text[:100],
        repo_name=text[:100],
        repo_created=True,
        repo_url=url,
        pages_url=url,
    )
    round_ = make_round(
        task,
        nonce=text,
        brief=text,
        checks=[{"js": text}, text, {"odd": text}],
        evaluation_url=url,
        extra={text: text},
        received_at=begin,
        status="succeeded",
        stage="notify",
        degraded_id="deadline",
        degraded=text,
        error_id="internal",
        error=text,
        waiting_for=text,
        live_at=at(40),
        notified_at=at(42),
        finished_at=at(42),
    )
    attachment = Attachment.objects.create(
        round=round_, name=text, path="data.csv", url=url, declared_type=text, media_type="text/csv", content=text.encode(), size=9, profile=text
    )
    Attachment.objects.create(round=round_, position=1, name=text, url=url, error_id="attachment-unusable", error=text)
    files = {"index.html": f"<p>one</p>\n<!-- {text} -->\n".encode(), f"{text.replace('/', '')}.js": text.encode()}
    first = make_version(round_, files, prompt=text, raw_answer=text, notes=text, model=text[:100], finish="stop")
    version = make_version(
        round_,
        {"index.html": f"<p>two</p>\n{text}\n".encode(), "new.md": text.encode(), "logo.png": b"\x89\0"},
        kind="repair",
        based_on=first,
        cost="0.0042",
    )
    Round.objects.filter(pk=round_.pk).update(version=version)
    StageRun.objects.create(
        round=round_,
        stage="generate",
        outcome="error",
        summary=text,
        error_id="model-key",
        detail=text,
        worker=text,
        started_at=at(1),
        finished_at=at(9),
    )
    StageRun.objects.create(round=round_, stage="generate", attempt=2, outcome="done", summary=text, started_at=at(10), finished_at=at(30))
    StageRun.objects.create(round=round_, stage="verify", outcome="done", polls=4, summary=text, started_at=at(30), finished_at=at(40))
    deployment = Deployment.objects.create(
        round=round_,
        version=version,
        host="github",
        repo_url=url,
        pages_url=url,
        commit_sha="c" * 40,
        tree_sha="d" * 40,
        changed=[text],
        last_look=text,
    )
    for kind in ("message", "feedback", "event"):
        Message.objects.create(
            task_request=task,
            round=round_,
            version=version,
            sender=text,
            recipient=text,
            kind=kind,
            body=text * 3,
            data={text: text},
            created_at=at(5),
        )
    evidence = {"value": text, text: [text, [text, {text: text}]], "console": [f"error: {text}", text], "nested": {text: {text: [text]}}}
    for status in CheckResult.Status.values:
        CheckResult.objects.create(
            round=round_, version=version, kind="page", title=f"{status} {text}", expression=f"{text};", status=status, reason=text, evidence=evidence
        )
        CheckResult.objects.create(round=round_, version=first, kind="page", title=f"{status} {text}", status="pass", reason=text)
    CheckResult.objects.create(round=round_, version=version, source="regression", kind="page", title=text, status="fail", reason=text)
    CheckResult.objects.create(round=round_, version=version, deployment=deployment, kind="page", title=text, status="pass", seconds=0.5)
    NotificationAttempt.objects.create(
        round=round_,
        number=1,
        url=url,
        payload={text: text},
        outcome="rejected",
        status_code=400,
        answer=text,
        error=text,
        sent_at=at(41),
        seconds=0.4,
    )
    NotificationAttempt.objects.create(round=round_, number=2, url=url, payload={}, outcome="delivered", status_code=200, sent_at=at(42), seconds=0.2)
    for name in ("desktop", "phone"):
        make_screenshot(round_, name, version=first)
        make_screenshot(round_, name, version=version, deployment=deployment)
    screenshot = make_screenshot(round_, text[:20], version=version, media_type="image/png")
    CompiledCheck.objects.create(key=f"{CompiledCheck.objects.count():064x}", text=text, predicate={"op": text, "expression": text}, model=text[:100])
    worker = Worker.objects.create(name=text, host=text, pid=7)
    agents(task, version, text)
    issued = classroom(text, url)
    if graded:
        grade(issued.submission, text)
    budget = WriteBudget.objects.create(key=f"{WriteBudget.objects.count():064x}", stamps=[timezone.now().timestamp()])
    return Story(Round.objects.get(pk=round_.pk), first, version, deployment, attachment, budget, worker, screenshot)
