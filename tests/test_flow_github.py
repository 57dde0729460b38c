"""Rounds through the real google-generativeai and PyGithub clients against the emulators: repositories, commits, pages and notifications."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import LazySettings

from tasks.models import CodeVersion, Deployment, Message, Round
from tests.driver import post, step
from tests.emulators import gemini
from tests.emulators.evaluator import Evaluator
from tests.emulators.gemini import GeminiEmulator, prompt_of
from tests.emulators.github import GitHubEmulator

pytestmark = pytest.mark.django_db(transaction=True)

README = """# Sales

## Summary
This page loads data.csv, adds up its sales column and shows the total to the visitor.

## Setup
Nothing needs to be installed: copy the files to any static web server.

## Usage
Open index.html in a browser; the total appears as soon as the file is loaded.

## Code explanation
One page with one inline script: it fetches the table, splits its lines, and sums the numbers of the last column.

## License
MIT, see LICENSE.
"""
PAGE = (
    '<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{title}</title></head>\n<body>\n<p id="total-sales">5</p>\n'
    "<script>fetch('data.csv').then((r) => r.text()).then((t) => console.log(t.length))</script>\n</body>\n</html>\n"
)


def answer(title: str) -> str:
    return f'<file path="index.html">\n{PAGE.format(title=title)}</file>\n<file path="README.md">\n{README}</file>\n'


@pytest.fixture
def github() -> Iterator[GitHubEmulator]:
    with GitHubEmulator(pages_latency=0.2) as running:
        yield running


@pytest.fixture
def model() -> Iterator[GeminiEmulator]:
    def reply(request: dict[str, Any]) -> str:
        return answer("Round two" if "Add a heading" in prompt_of(request) else "Round one")

    with GeminiEmulator(reply=reply) as running:
        yield running


@pytest.fixture(autouse=True)
def _settings(settings: LazySettings, github: GitHubEmulator, model: GeminiEmulator) -> None:
    for name, value in github.django_settings().items():
        setattr(settings, name, value)
    settings.CHROMIUM_PATH = "no-browser-here"  # these tests are about the flow; the browser has its own
    settings.GENERATOR, settings.GEMINI_API_KEY, settings.GEMINI_API_ENDPOINT = "gemini", model.key, model.url


@pytest.fixture
def task(payload: dict[str, Any], evaluator: Evaluator) -> dict[str, Any]:
    return payload | {"evaluation_url": evaluator.url}


def carry_slowly(round_: Round, seconds: float = 15.0) -> Round:
    """To the end, leaving the emulated Pages the time that they take."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        round_ = step(round_)
        if not round_.is_open:
            return round_
        time.sleep(0.1)
    raise AssertionError(f"still {round_.status} in {round_.stage}: {round_.waiting_for}")


def test_two_rounds_make_one_repository_two_commits_and_two_notifications(
    task: dict[str, Any], evaluator: Evaluator, github: GitHubEmulator, model: GeminiEmulator
) -> None:
    first = carry_slowly(post(task))
    assert first.status == "succeeded", first.error
    assert first.degraded_id == "", first.degraded
    calls_of_round_one = len(github.api_requests())
    second = carry_slowly(post(task | {"round": 2, "nonce": "second", "brief": "Add a heading.", "attachments": []}))
    assert second.status == "succeeded", second.error
    repo = first.task_request.repo_name
    assert [item.name for item in github.repositories()] == [repo]
    shas = [body["commit_sha"] for body in evaluator.bodies]
    assert github.commits(repo) == list(reversed(shas))
    assert [body["round"] for body in evaluator.bodies] == [1, 2]
    files = github.files(github.owner, repo)
    assert files["data.csv"] == b"product,sales\npen,2\nink,3\n"
    assert b"Round two" in files["index.html"]
    assert calls_of_round_one <= 5
    assert len(github.api_requests()) - calls_of_round_one <= 4
    assert github.violations == []


def test_no_notification_leaves_before_the_new_page_is_served(task: dict[str, Any], evaluator: Evaluator, github: GitHubEmulator) -> None:
    first = carry_slowly(post(task))
    pages = github.repository(first.task_request.repo_name).pages
    assert pages is not None
    pages.latency = 600.0
    round_ = post(task | {"round": 2, "nonce": "second", "brief": "Add a heading.", "attachments": []})
    round_ = step(round_)
    assert (round_.stage, round_.status) == ("verify", "waiting")
    assert "other content" in round_.waiting_for
    assert len(evaluator.bodies) == 1
    github.finish_builds()
    assert carry_slowly(round_).status == "succeeded"
    deployment = Deployment.objects.filter(round=round_).get()
    assert round_.deployments.count() == 1
    assert deployment.live_at is not None
    assert len(evaluator.bodies) == 2


def test_a_binary_attachment_costs_one_more_request_and_arrives_byte_for_byte(task: dict[str, Any], github: GitHubEmulator) -> None:
    png = bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001000000010806000000") + bytes(range(256))
    task["attachments"].append({"name": "sample.png", "url": "data:image/png;base64," + __import__("base64").b64encode(png).decode()})
    round_ = carry_slowly(post(task))
    assert len(github.api_requests()) <= 6
    assert github.files(github.owner, round_.task_request.repo_name)["sample.png"] == png


def test_the_prompt_has_the_brief_the_checks_and_the_data_and_no_secret(task: dict[str, Any], model: GeminiEmulator, settings: LazySettings) -> None:
    carry_slowly(post(task))
    prompt = json.dumps(model.requests[0].json())
    assert "sums the sales column" in prompt
    assert "total-sales" in prompt
    assert "product" in prompt
    for secret in (settings.STUDENT_SECRET, settings.GITHUB_TOKEN, settings.GEMINI_API_KEY, settings.SECRET_KEY):
        assert secret not in prompt
    assert "student@example.org" not in prompt


def test_a_busy_model_gives_way_to_the_next_one_of_the_chain(task: dict[str, Any], model: GeminiEmulator, settings: LazySettings) -> None:
    settings.GEMINI_MODELS = ["gemini-2.5-flash", "gemini-2.5-pro"]
    model.enqueue(gemini.error(503, "UNAVAILABLE"))
    round_ = carry_slowly(post(task))
    assert round_.status == "succeeded"
    assert round_.version is not None
    assert round_.version.model.startswith("gemini-2.5-pro")
    assert Message.objects.filter(kind="event", body__startswith="gemini-2.5-flash").exists()


def test_a_refused_key_ends_in_the_fallback_page_that_says_so(task: dict[str, Any], model: GeminiEmulator, evaluator: Evaluator) -> None:
    model.enqueue(gemini.invalid_key())
    round_ = carry_slowly(post(task))
    assert (round_.status, round_.degraded_id) == ("succeeded", "fallback-page")
    assert "GEMINI_API_KEY" in round_.degraded
    assert len(evaluator.bodies) == 1


def test_answers_without_a_file_are_kept_asked_again_and_end_in_the_fallback_page(task: dict[str, Any], model: GeminiEmulator) -> None:
    model.reply = lambda request: "I am sorry, I cannot help with that."
    round_ = carry_slowly(post(task))
    assert (round_.status, round_.degraded_id) == ("succeeded", "fallback-page")
    unusable = CodeVersion.objects.filter(status="unusable")
    assert unusable.count() == 4
    assert all("cannot help" in version.raw_answer for version in unusable)


def test_a_stored_answer_is_not_asked_for_again_after_a_crash(task: dict[str, Any], model: GeminiEmulator) -> None:
    round_ = post(task)
    carry_slowly(round_)
    asked = len(model.requests)
    version = CodeVersion.objects.get()
    version.files.all().delete()
    CodeVersion.objects.update(status="answered", score=None)
    Deployment.objects.all().delete()
    Round.objects.update(stage="generate", status="queued", version=None, notify_asked_at=None, notified_at=None)
    assert carry_slowly(round_).status == "succeeded"
    assert len(model.requests) == asked


def test_a_failing_check_is_repaired_with_its_reason_in_the_prompt(task: dict[str, Any], model: GeminiEmulator) -> None:
    task["checks"] = ["notes.txt exists"]
    replies = [answer("First"), answer("First") + '<file path="notes.txt">\nhello\n</file>\n']
    model.reply = lambda request: replies.pop(0)
    round_ = carry_slowly(post(task))
    assert round_.degraded_id == "", round_.degraded
    assert [version.kind for version in CodeVersion.objects.order_by("number")] == ["build", "repair"]
    assert "notes.txt" in model.prompts()[1]
    assert round_.version is not None
    assert "notes.txt" in round_.version.tree()


def test_a_version_with_our_own_secret_in_it_is_never_published(
    task: dict[str, Any], model: GeminiEmulator, github: GitHubEmulator, settings: LazySettings
) -> None:
    model.reply = lambda request: answer(f"key {settings.GITHUB_TOKEN}-{settings.GEMINI_API_KEY}")
    round_ = carry_slowly(post(task))
    assert round_.status == "succeeded"
    assert round_.degraded_id == "fallback-page"
    everything = b"".join(request.body for request in github.requests)
    assert settings.GEMINI_API_KEY.encode() not in everything
    assert settings.GITHUB_TOKEN.encode() not in everything


def test_github_being_down_makes_the_round_wait_and_go_on_by_itself(task: dict[str, Any], github: GitHubEmulator) -> None:
    github.fault("*", r"/", 2, "status", status=503)
    round_ = step(post(task))
    assert (round_.status, round_.stage, round_.error_id) == ("waiting", "publish", "remote-unavailable")
    assert carry_slowly(round_).status == "succeeded"
    assert len(github.repositories()) == 1


def test_a_refused_token_names_the_cure_and_the_round_goes_on_with_a_valid_one(
    task: dict[str, Any], github: GitHubEmulator, settings: LazySettings
) -> None:
    settings.GITHUB_TOKEN = "revoked"
    round_ = step(post(task))
    assert (round_.status, round_.error_id) == ("waiting", "github-token")
    assert "GITHUB_TOKEN" in round_.error
    settings.GITHUB_TOKEN = github.token
    assert carry_slowly(round_).status == "succeeded"


@pytest.mark.parametrize("path", [r"/user/repos$", r"/git/trees$", r"/git/commits$", r"/git/refs/", r"/pages$"])
def test_a_call_that_was_done_but_answered_502_is_not_done_twice(task: dict[str, Any], github: GitHubEmulator, path: str) -> None:
    github.fault("*", path, 1, "done-but-502")
    round_ = carry_slowly(post(task))
    assert round_.status == "succeeded", round_.error
    assert len(github.repositories()) == 1
    assert len(github.commits(round_.task_request.repo_name)) == 1


def test_a_repository_of_somebody_elses_making_is_left_alone(task: dict[str, Any], github: GitHubEmulator, evaluator: Evaluator) -> None:
    foreign = github.add_repository(github.owner, "sum-of-sales-7f3a2", description="mine")
    round_ = carry_slowly(post(task))
    assert round_.status == "succeeded"
    assert round_.task_request.repo_name.startswith("sum-of-sales-7f3a2-")
    assert foreign.description == "mine"
    assert evaluator.bodies[0]["repo_url"].endswith(round_.task_request.repo_name)
