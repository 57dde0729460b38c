"""A task in which agents outside take the coder's or the evaluator's part, carried through the ordinary pipeline."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from tasks.hosts import get_host
from tasks.models import Message, Round, TaskRequest
from tasks.orchestrator import assignments, reports, uploads
from tasks.orchestrator.assignments import BUILTIN
from tasks.stages import outside
from tasks.stages.generate import repo_of
from tests.driver import step

pytestmark = pytest.mark.django_db(transaction=True)

GOOD = b"<!doctype html><html lang=en><title>Digits</title><body><h1>Digits</h1><p id=answer>42</p>"
CHECK = "The file data.txt exists"


@pytest.fixture(autouse=True)
def _no_browser_and_no_pause(settings, live_server, monkeypatch) -> None:
    monkeypatch.setattr(outside, "SETTLE_SECONDS", 0.0)
    settings.CHROMIUM_PATH, settings.PUBLIC_URL = "/nowhere/chromium", live_server.url


def create(**parts: str) -> tuple[TaskRequest, Round]:
    task = assignments.create(name="Digits", agent="gina", description="A page with the answer in #answer, and data.txt.", checks=[CHECK], **parts)
    return task, task.rounds.get()


def carry(round_: Round) -> Round:
    """As far as it goes."""
    for _ in range(40):
        round_.refresh_from_db()
        if not round_.is_open or (round_.status == "waiting" and round_.next_run_at > timezone.now() + timedelta(seconds=60)):
            break
        step(round_)
    round_.refresh_from_db()
    return round_


def published(round_: Round) -> dict[str, bytes]:
    host, deployment = get_host("local"), round_.deployments.get()
    return dict(host.read(repo_of(round_), deployment.commit_sha, {}))


def test_a_task_of_agents_alone_has_no_round() -> None:
    task = assignments.create(name="Theirs", agent="gina", coder="cody", evaluator="eve")
    assert not task.rounds.exists()
    assert assignments.shown_status(task) == "created"


def test_built_in_parts_build_and_publish_and_tell_nobody() -> None:
    task, round_ = create(coder=BUILTIN, evaluator=BUILTIN)
    carry(round_)
    assert (round_.status, round_.notified_at, round_.notifications.count()) == ("succeeded", None, 0)
    assert b"A page with the answer" in published(round_)["index.html"]
    assert assignments.shown_status(TaskRequest.objects.get(pk=task.pk)) == "completed"


def test_an_outside_coder_is_waited_for_told_what_fails_and_published() -> None:
    task, round_ = create(coder="cody", evaluator=BUILTIN)
    carry(round_)
    assert (round_.status, round_.stage, round_.waiting_for) == ("waiting", "generate", "code from cody")

    uploads.upload(task, "v1", {"index.html": GOOD}, "cody")
    carry(round_)
    assert (round_.stage, round_.waiting_for) == ("generate", "code from cody")
    feedback = task.messages.get(kind=Message.Kind.FEEDBACK)
    assert (feedback.sender, feedback.recipient) == ("evaluate", "cody")
    assert "data.txt" in feedback.body

    uploads.upload(task, "v2", {"index.html": GOOD, "data.txt": b"data"}, "cody")
    carry(round_)
    assert (round_.status, round_.degraded_id) == ("succeeded", "")
    files = published(round_)
    assert (files["index.html"], files["data.txt"]) == (GOOD, b"data")
    assert {"LICENSE", "README.md", ".nojekyll"} <= set(files)
    assert set(uploads.find(task, "v2").tree()) == {"index.html", "data.txt"}  # what was uploaded stays as it was


def test_files_that_come_one_by_one_are_taken_together(monkeypatch) -> None:
    monkeypatch.setattr(outside, "SETTLE_SECONDS", 3600.0)
    task, round_ = create(coder="cody", evaluator=BUILTIN)
    carry(round_)
    uploads.upload(task, "v1", {"index.html": GOOD}, "cody")
    assert step(round_).waiting_for == "further files of v1"
    uploads.upload(task, "v1", {"data.txt": b"data"}, "cody")
    monkeypatch.setattr(outside, "SETTLE_SECONDS", 0.0)
    carry(round_)
    assert (round_.status, published(round_)["data.txt"]) == ("succeeded", b"data")
    with pytest.raises(uploads.Deployed):
        uploads.upload(task, "v1", {"late.txt": b"x"}, "cody")


def test_an_outside_coder_that_never_mends_is_asked_a_limited_number_of_times(settings) -> None:
    settings.MAX_REPAIRS = 1
    task, round_ = create(coder="", evaluator=BUILTIN)
    carry(round_)
    for number in range(3):
        uploads.upload(task, f"v{number}", {"index.html": GOOD + str(number).encode()}, "anybody")
        carry(round_)
    assert (round_.status, round_.degraded_id) == ("succeeded", "checks-failed")
    assert task.messages.filter(kind=Message.Kind.FEEDBACK).count() == 1


def test_an_outside_evaluators_verdict_decides() -> None:
    task, round_ = create(coder=BUILTIN, evaluator="eve")
    carry(round_)
    assert (round_.stage, round_.waiting_for) == ("evaluate", f"the verdict of eve on v{round_.version.number}")

    reports.report(task, "eve", version=round_.version, passed=True, accuracy=1.0)
    carry(round_)
    assert round_.status == "succeeded"


def test_an_outside_evaluators_refusal_is_said_of_what_is_published() -> None:
    task, round_ = create(coder=BUILTIN, evaluator="eve")
    carry(round_)
    reports.feed_back(task, "eve", "The heading is too small.", version=round_.version)
    carry(round_)  # the offline generator does not mend
    assert (round_.status, round_.degraded_id) == ("succeeded", "checks-failed")
    assert "eve did not pass" in round_.degraded


def test_a_round_whose_agent_never_came_ends_and_says_so() -> None:
    _, round_ = create(coder="cody", evaluator=BUILTIN)
    carry(round_)
    with time_machine.travel(round_.deadline_at + timedelta(seconds=1), tick=True):
        carry(round_)
    assert (round_.status, round_.error_id) == ("failed", "agent-silent")
    assert "code from cody" in round_.error
