"""The GitHub host and answers that are no success: wrong bodies, refusals, limits."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tasks.errors import (
    GitHubRefused,
    GitHubSecretBlocked,
    GitHubTokenRefused,
    Misconfigured,
    RateLimited,
    RemoteUnavailable,
    TaskError,
)
from tasks.hosts import Repo
from tasks.hosts.github import Host
from tasks.hosts.github_client import Client
from tasks.models import WriteBudget
from tests.emulators.github import GitHubEmulator
from tests.hosts.publishing import DESCRIPTION, MARKER, PNG, ROUND_1, WRITES, commit, ensure, publish

pytestmark = pytest.mark.django_db


# -- answers that are not what they should be ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"<html>Welcome</html>",
        b"",
        b"{}",
        b"[]",
        b"null",
        b'{"sha": "abc"}',
        b'{"sha": null, "object": {}}',
        b'{"sha": "' + b"0" * 40 + b'"}',
        b'{"sha"',
    ],
)
@pytest.mark.parametrize("path", WRITES[:4])
def test_an_answer_without_what_it_must_hold_is_no_success(github: GitHubEmulator, path: str, body: bytes) -> None:
    github.fault("*", path, 1, "status", status=200, body=body)
    with pytest.raises(RemoteUnavailable):
        publish(Host(), ROUND_1)


@pytest.mark.parametrize("body", [b"<html>Welcome</html>", b"", b"{}", b"[]", b"null", b'{"tree": [{}, 3]}', b'{"sha"'])
@pytest.mark.parametrize("path", [r"^/user$", r"^/repos/student/sum-of-sales$", r"/branches/main$", r"/git/trees/", r"/git/blobs/", r"/pages$"])
def test_a_question_without_a_proper_answer_is_asked_again_later(github: GitHubEmulator, path: str, body: bytes) -> None:
    host = Host()
    repo = ensure(host)
    host.enable_pages(repo)
    github.fault("GET", path, 1, "status", status=200, body=body)
    with pytest.raises(RemoteUnavailable):
        read_everything(Host())


def read_everything(host: Host) -> None:
    repo = ensure(host, known=True)
    host.enable_pages(repo)
    head = host.head(repo)
    assert head is not None
    if host.read(repo, head.commit_sha, {}).keys() != {"README.md"}:
        raise RemoteUnavailable


@pytest.mark.parametrize("field", ["name", "full_name", "created_at", "owner", "default_branch", "html_url"])
def test_a_repository_without_a_field_is_no_success(github: GitHubEmulator, field: str) -> None:
    body: dict[str, Any] = {
        "name": "a",
        "full_name": "student/a",
        "created_at": "2026-11-20T12:00:00Z",
        "owner": {"login": "student"},
        "default_branch": "main",
        "html_url": "http://127.0.0.1/student/a",
    }
    github.fault("POST", "/user/repos", 1, "status", status=201, body=json.dumps({**body, field: None}).encode())
    with pytest.raises(RemoteUnavailable):
        Host().ensure_repo("a", description=DESCRIPTION, marker=MARKER, known=False)


def test_an_html_page_with_status_200_is_no_success(github: GitHubEmulator) -> None:
    github.fault("POST", "/user/repos", 1, "html-200")
    with pytest.raises(RemoteUnavailable) as raised:
        ensure(Host())
    assert "Unicorn" in raised.value.detail


def test_a_server_error_is_not_repeated_in_the_call(github: GitHubEmulator) -> None:
    github.fault("POST", "/user/repos", 5, "status", status=503)
    with pytest.raises(RemoteUnavailable):
        ensure(Host())
    assert len(github.api_requests()) == 1


def test_a_silent_server_ends_as_unavailable(github: GitHubEmulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.hosts.github_client.TIMEOUT_SECONDS", 1)
    github.fault("POST", "/user/repos", 1, "hang", seconds=2)
    with pytest.raises(RemoteUnavailable) as raised:
        ensure(Host())
    assert "Timeout" in raised.value.detail


def test_no_server_ends_as_unavailable(settings: Any) -> None:
    settings.GITHUB_TOKEN, settings.GITHUB_API_URL = "t", "http://127.0.0.1:9"
    with pytest.raises(RemoteUnavailable):
        ensure(Host())


# -- refusals --------------------------------------------------------------------------------------------------------------------------


def test_a_bad_token_is_named(github: GitHubEmulator, settings: Any) -> None:
    settings.GITHUB_TOKEN = "wrong"
    with pytest.raises(GitHubTokenRefused) as raised:
        ensure(Host())
    assert "wrong" not in raised.value.detail


def test_a_username_that_is_not_the_tokens_is_named(github: GitHubEmulator, settings: Any) -> None:
    settings.GITHUB_USERNAME = "somebody"
    with pytest.raises(Misconfigured, match="somebody"):
        ensure(Host(), known=True)


def test_a_username_saves_the_question_who_we_are(github: GitHubEmulator, settings: Any) -> None:
    ensure(Host())
    settings.GITHUB_USERNAME = "Student"
    ensure(Host(), known=True)
    assert "/user" not in [call.path for call in github.api_requests()]


def test_push_protection_is_shown_and_not_tried_again(github: GitHubEmulator) -> None:
    github.secrets.append(b"AIza-looks-like-a-key")
    with pytest.raises(GitHubSecretBlocked) as raised:
        publish(Host(), {**ROUND_1, "data.bin": b"\x00AIza-looks-like-a-key"})
    assert not raised.value.retry


def test_a_name_longer_than_github_takes_is_refused(github: GitHubEmulator) -> None:
    with pytest.raises(GitHubRefused) as raised:
        ensure(Host(), "z" * 101)
    assert "100 characters" in raised.value.detail


def test_a_workflow_file_is_refused_without_the_scope(github: GitHubEmulator) -> None:
    publish(Host(), ROUND_1)
    github.repository("sum-of-sales").created_at -= timedelta(minutes=5)
    host = Host()
    repo = Repo("student", "sum-of-sales", "", "")
    with pytest.raises(GitHubRefused):
        commit(host, repo, {**ROUND_1, ".github/workflows/x.yml": b"on: push"}, host.head(repo))


# -- limits ----------------------------------------------------------------------------------------------------------------------------


def limited(call: Callable[[], Any]) -> TaskError:
    with pytest.raises(RateLimited) as raised:
        call()
    return raised.value


def test_a_limit_named_by_github_holds_for_every_worker(github: GitHubEmulator) -> None:
    github.fault("POST", "/user/repos", 1, "status", status=403, headers={"Retry-After": "120"}, body=b'{"message": "slow down"}')
    error = limited(lambda: ensure(Host()))
    assert error.retry_at is not None
    assert timedelta(seconds=110) < error.retry_at - timezone.now() <= timedelta(seconds=120)
    asked = len(github.api_requests())
    assert limited(lambda: Host().head(Repo("student", "sum-of-sales", "", ""))).retry_at == error.retry_at
    assert len(github.api_requests()) == asked


def test_limits_without_a_time_double_the_wait(github: GitHubEmulator) -> None:
    github.fault("POST", "/user/repos", 3, "status", status=429, body=b'{"message": "You have exceeded a secondary rate limit."}')
    waits = []
    for _ in range(3):
        error = limited(lambda: ensure(Host()))
        assert error.retry_at is not None
        waits.append(round((error.retry_at - timezone.now()).total_seconds(), -1))
        WriteBudget.objects.update(blocked_until=None)
    assert waits == [60, 120, 240]
    ensure(Host())
    assert Client._streaks == {}


def test_the_secondary_limit_of_the_account_is_met(github: GitHubEmulator) -> None:
    github.writes_per_minute = 3
    limited(lambda: publish(Host(), ROUND_1))
    assert len(github.commits("sum-of-sales")) == 1


def test_writes_are_taken_from_the_budget_before_they_are_made(github: GitHubEmulator, settings: Any) -> None:
    settings.GITHUB_WRITES_PER_MINUTE, settings.GITHUB_WRITES_PER_HOUR = 80, 500
    publish(Host(), {**ROUND_1, "logo.png": PNG})
    assert len(WriteBudget.objects.get().stamps) == len(github.writes()) == 6


def test_a_used_up_budget_makes_no_request(github: GitHubEmulator, settings: Any) -> None:
    settings.GITHUB_WRITES_PER_MINUTE, settings.GITHUB_WRITES_PER_HOUR = 1, 0
    ensure(Host())
    limited(lambda: ensure(Host(), "another"))
    assert len(github.api_requests()) == 1
