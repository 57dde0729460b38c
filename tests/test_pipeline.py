"""A round from post to notification, offline and on the local host: what each stage leaves behind, and what happens when things go wrong."""

from __future__ import annotations

import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.utils import timezone

from tasks.hosts import get_host
from tasks.models import CodeVersion, Deployment, NotificationAttempt, Round, StageRun, TaskRequest
from tasks.pipeline import BLOCKED, STAGES
from tasks.rerun import renotify, rerun
from tests.driver import carry, history, post, step
from tests.emulators.evaluator import Evaluator

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _served(live_server: Any, settings: LazySettings, tmp_path: Path) -> None:
    settings.PUBLIC_URL = live_server.url
    settings.CHROMIUM_PATH = "no-browser-here"  # these tests are about the flow; the browser has its own
    settings.DATA_DIR = tmp_path


@pytest.fixture
def task(payload: dict[str, Any], evaluator: Evaluator) -> dict[str, Any]:
    return payload | {"evaluation_url": evaluator.url}


def tree(task_request: TaskRequest) -> dict[str, bytes]:
    host = get_host("local")
    from tasks.stages.generate import repo_of

    round_ = task_request.rounds.first()
    assert round_ is not None
    head = host.head(repo_of(round_))
    assert head is not None
    return host.read(repo_of(round_), head.commit_sha, {})


def test_a_round_ends_notified_with_every_stage_in_the_rows(task: dict[str, Any], evaluator: Evaluator) -> None:
    round_ = carry(post(task))
    assert round_.status == "succeeded"
    assert history(round_) == [(stage, "done") for stage in STAGES]
    deployment = Deployment.objects.get()
    assert deployment.live_at is not None
    assert evaluator.bodies == [
        {
            "email": "student@example.org",
            "task": "sum-of-sales-7f3a2",
            "round": 1,
            "nonce": "ab12-cdef-3456",
            "repo_url": deployment.repo_url,
            "commit_sha": deployment.commit_sha,
            "pages_url": deployment.pages_url,
        }
    ]
    assert len(deployment.commit_sha) == 40


def test_the_repository_holds_license_readme_nojekyll_the_attachment_and_the_page(task: dict[str, Any]) -> None:
    round_ = carry(post(task))
    files = tree(round_.task_request)
    assert {"LICENSE", "README.md", ".nojekyll", "index.html", "data.csv"} <= set(files)
    assert files["data.csv"] == b"product,sales\npen,2\nink,3\n"
    assert b"is hereby granted" in files["LICENSE"]
    assert b"test-secret-value" not in b"".join(files.values())


def test_round_two_revises_the_same_repository_with_one_more_commit(task: dict[str, Any], evaluator: Evaluator, tmp_path: Path) -> None:
    first = carry(post(task))
    second = carry(post(task | {"round": 2, "nonce": "second", "brief": "Add a table with id product-sales.", "attachments": []}))
    assert second.status == "succeeded"
    assert TaskRequest.objects.count() == 1
    shas = [body["commit_sha"] for body in evaluator.bodies]
    assert len(set(shas)) == 2
    repo = tmp_path / "repos" / f"{first.task_request.repo_name}.git"
    log = subprocess.run(["git", "-C", repo, "log", "--format=%H", "main"], capture_output=True, text=True, check=True).stdout.split()
    assert log == list(reversed(shas))
    assert tree(first.task_request)["data.csv"] == b"product,sales\npen,2\nink,3\n"


def test_round_two_posted_at_once_waits_for_round_one(task: dict[str, Any]) -> None:
    first = post(task)
    second = post(task | {"round": 2, "nonce": "second"})
    waiting = step(second)
    assert (waiting.status, waiting.stage, waiting.waiting_for) == ("waiting", "generate", BLOCKED)
    carry(first)
    second.refresh_from_db()
    assert second.next_run_at <= timezone.now()
    assert carry(second).status == "succeeded"


def test_round_two_without_round_one_builds_from_scratch(task: dict[str, Any]) -> None:
    round_ = carry(post(task | {"round": 2}))
    assert (round_.status, round_.version.kind) == ("succeeded", "build")  # type: ignore[union-attr]


def test_a_new_nonce_with_the_same_inputs_reuses_the_code_and_the_commit(task: dict[str, Any], evaluator: Evaluator) -> None:
    carry(post(task))
    again = carry(post(task | {"nonce": "another"}))
    assert again.status == "succeeded"
    assert CodeVersion.objects.count() == 1
    assert len({body["commit_sha"] for body in evaluator.bodies}) == 1
    assert [body["nonce"] for body in evaluator.bodies] == ["ab12-cdef-3456", "another"]
    assert list(Deployment.objects.order_by("id").values_list("created", flat=True)) == [True, False]


def test_a_new_nonce_with_another_brief_makes_a_new_commit_in_the_same_repository(task: dict[str, Any], evaluator: Evaluator) -> None:
    carry(post(task))
    carry(post(task | {"nonce": "another", "brief": 'Publish a page with the title "Other".'}))
    assert len({body["repo_url"] for body in evaluator.bodies}) == 1
    assert len({body["commit_sha"] for body in evaluator.bodies}) == 2


def test_the_same_post_after_the_end_is_notified_once_more(task: dict[str, Any], evaluator: Evaluator) -> None:
    carry(post(task))
    round_ = post(task)
    assert round_.status == "queued"
    assert carry(round_).status == "succeeded"
    assert len(evaluator.bodies) == 2
    assert evaluator.bodies[0] == evaluator.bodies[1]
    assert Deployment.objects.count() == 1


def test_two_people_with_the_same_task_get_two_repositories(task: dict[str, Any], evaluator: Evaluator) -> None:
    carry(post(task))
    carry(post(task | {"email": "other@example.org"}))
    assert len({body["repo_url"] for body in evaluator.bodies}) == 2


def test_a_students_own_edit_survives_round_two(task: dict[str, Any], tmp_path: Path) -> None:
    first = carry(post(task))
    clone = tmp_path / "clone"
    bare = tmp_path / "repos" / f"{first.task_request.repo_name}.git"
    git = ["git", "-c", "user.name=s", "-c", "user.email=s@example.org", "-C", str(clone)]
    subprocess.run(["git", "clone", "-q", str(bare), str(clone)], check=True)
    (clone / "notes.txt").write_text("mine\n")
    subprocess.run([*git, "add", "notes.txt"], check=True)
    subprocess.run([*git, "commit", "-qm", "my own"], check=True)
    subprocess.run([*git, "push", "-q", "origin", "HEAD:main"], check=True)
    carry(post(task | {"round": 2, "nonce": "second", "brief": "Add a heading."}))
    assert tree(first.task_request)["notes.txt"] == b"mine\n"


# -- the notification ------------------------------------------------------------------------------------------------------------------


def test_a_failed_delivery_is_tried_again_after_1_2_4_seconds(task: dict[str, Any], evaluator: Evaluator) -> None:
    evaluator.script.extend([500, 503, "reset"])
    round_ = post(task)
    pauses = []
    for _ in range(3):
        round_ = step(round_)
        assert (round_.status, round_.stage) == ("waiting", "notify")
        pauses.append((round_.next_run_at - timezone.now()).total_seconds())
    assert [round(pause) for pause in pauses] == [1, 2, 4]
    assert carry(round_).status == "succeeded"
    assert list(NotificationAttempt.objects.order_by("id").values_list("outcome", "status_code")) == [
        ("rejected", 500),
        ("rejected", 503),
        ("unreachable", None),
        ("delivered", 200),
    ]


@pytest.mark.parametrize("status", [201, 204, 302, "redirect"])
def test_only_exactly_200_is_success_and_no_redirect_is_followed(task: dict[str, Any], evaluator: Evaluator, status: int | str) -> None:
    evaluator.script.append(status)
    round_ = step(post(task))
    assert (round_.status, round_.stage) == ("waiting", "notify")
    assert evaluator.redirected == 0


def test_a_400_is_believed_after_six_tries_with_its_reason(task: dict[str, Any], evaluator: Evaluator) -> None:
    evaluator.script.extend([400] * 10)
    round_ = carry(post(task))
    assert (round_.status, round_.error_id) == ("failed", "notification-refused")
    assert "scripted 400" in round_.error
    assert len(evaluator.bodies) == 6


@pytest.mark.parametrize("status", [408, 425, 429])
def test_answers_that_ask_for_another_try_do_not_end_the_tries(task: dict[str, Any], evaluator: Evaluator, status: int) -> None:
    evaluator.script.extend([status] * 7)
    assert carry(post(task)).status == "succeeded"


def test_notify_again_sends_one_more_and_only_that(task: dict[str, Any], evaluator: Evaluator) -> None:
    evaluator.script.extend([400] * 6)
    round_ = carry(post(task))
    assert renotify(round_)
    assert carry(round_).status == "succeeded"
    assert len(evaluator.bodies) == 7
    assert Deployment.objects.count() == 1


def test_the_evaluators_address_is_checked_when_it_is_used(task: dict[str, Any], settings: LazySettings) -> None:
    round_ = post(task)
    settings.ALLOWED_PRIVATE_HOSTS = []
    ended = carry(round_)
    assert (ended.status, ended.error_id) == ("failed", "notification-refused")


# -- time and trouble ------------------------------------------------------------------------------------------------------------------


def test_a_page_that_is_not_live_in_time_is_reported_as_it_is_and_watched_on(
    task: dict[str, Any], evaluator: Evaluator, settings: LazySettings
) -> None:
    served = settings.PUBLIC_URL
    settings.PUBLIC_URL = "http://127.0.0.1:9"
    round_ = step(post(task))
    assert (round_.status, round_.stage) == ("waiting", "verify")
    assert evaluator.bodies == []
    past = timezone.now() - timedelta(seconds=545)
    Round.objects.filter(pk=round_.pk).update(received_at=past, deadline_at=past + timedelta(seconds=600))
    round_ = step(round_)
    assert (round_.degraded_id, len(evaluator.bodies)) == ("page-not-live", 1)
    assert (round_.status, round_.stage) == ("waiting", "verify")
    Deployment.objects.update(pages_url=f"{served}/pages/{round_.task_request.repo_name}/")
    round_ = carry(round_)
    assert round_.status == "succeeded"
    assert round_.live_at is not None
    assert len(evaluator.bodies) == 1


def test_a_dead_worker_shows_as_an_interrupted_run_and_the_stage_starts_again(task: dict[str, Any]) -> None:
    round_ = post(task)
    StageRun.objects.create(round=round_, stage="attachments", outcome="running")
    round_ = carry(round_)
    assert history(round_)[:2] == [("attachments", "interrupted"), ("attachments", "done")]
    assert round_.status == "succeeded"


def test_a_stage_that_kills_its_worker_every_time_is_given_up(task: dict[str, Any]) -> None:
    round_ = post(task)
    Round.objects.update(attempt=6)
    StageRun.objects.create(round=round_, stage="attachments", outcome="running")
    assert carry(round_).error_id == "worker-died"


def test_a_failed_round_can_be_run_again_from_a_stage(task: dict[str, Any], evaluator: Evaluator) -> None:
    round_ = carry(post(task))
    assert rerun(round_, "generate")
    again = carry(round_)
    assert again.status == "succeeded"
    assert CodeVersion.objects.count() == 2
    assert len(evaluator.bodies) == 2


def test_a_round_in_a_workers_hands_is_not_run_again(task: dict[str, Any]) -> None:
    round_ = post(task)
    Round.objects.update(lease_owner="somebody", lease_until=timezone.now() + timedelta(seconds=10))
    assert not rerun(round_, "generate")
