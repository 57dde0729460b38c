"""The classifier: what GitHub says, and what becomes of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
import requests
from github import BadCredentialsException, GithubException, RateLimitExceededException

from tasks.errors import (
    GitHubRefused,
    GitHubSecretBlocked,
    GitHubTokenRefused,
    Misconfigured,
    RateLimited,
    RemoteUnavailable,
    RepositoryConflict,
    TaskError,
)
from tasks.hosts.github_errors import classify, from_exception, name_taken

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
EPOCH = int(NOW.timestamp())
SECONDARY = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
PRIMARY = "API rate limit exceeded for user ID 1."
HTML = "<html><body>Unicorn</body></html>"
BYPASS = {"metadata": {"secret_scanning": {"bypass_placeholders": [{"placeholder_id": "x", "token_type": "google"}]}}}


def says(message: str, **more: Any) -> str:
    return json.dumps({"message": message, "documentation_url": "https://docs.github.com/rest", **more})


CELLS: list[tuple[int, dict[str, str], str, type[TaskError]]] = [
    # the token
    (401, {}, says("Bad credentials"), GitHubTokenRefused),
    (401, {}, says("Requires authentication"), GitHubTokenRefused),
    (401, {"X-GitHub-OTP": "required; app"}, says("Must specify two-factor authentication OTP code."), GitHubTokenRefused),
    (401, {}, HTML, GitHubTokenRefused),
    # 403: a right is missing, or it is a limit, or the repository does not take it
    (403, {}, says("Resource not accessible by personal access token"), GitHubTokenRefused),
    (403, {}, says("Resource not accessible by integration"), GitHubTokenRefused),
    (403, {}, says("Must have admin rights to Repository."), GitHubTokenRefused),
    (403, {"X-Accepted-GitHub-Permissions": "pages=write"}, says("Forbidden"), GitHubTokenRefused),
    (403, {}, says("Resource protected by organization SAML enforcement. You must grant your token access."), GitHubTokenRefused),
    (403, {}, says("Repository was archived so is read-only."), GitHubRefused),
    (403, {"X-Accepted-GitHub-Permissions": "contents=write"}, says("Repository was archived so is read-only."), GitHubRefused),
    (403, {}, says("Sorry. Your account was suspended."), GitHubRefused),
    (403, {}, HTML, RemoteUnavailable),
    (403, {"Retry-After": "30"}, says("Forbidden"), RateLimited),
    (403, {"retry-after": "30"}, HTML, RateLimited),
    (403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(EPOCH + 900)}, says(PRIMARY), RateLimited),
    (403, {"X-RateLimit-Remaining": "4000"}, says(SECONDARY), RateLimited),
    (403, {}, says("You have triggered an abuse detection mechanism."), RateLimited),
    (403, {"X-RateLimit-Remaining": "4999"}, says("Resource not accessible by personal access token"), GitHubTokenRefused),
    # 429 is always a limit
    (429, {}, says("Too many requests"), RateLimited),
    (429, {}, HTML, RateLimited),
    (429, {"Retry-After": "7"}, "", RateLimited),
    (429, {"Retry-After": "soon"}, "", RateLimited),
    # 404
    (404, {}, says("Not Found"), GitHubRefused),
    (404, {}, HTML, RemoteUnavailable),
    (404, {"X-OAuth-Scopes": "gist", "X-Accepted-OAuth-Scopes": "public_repo, repo"}, says("Not Found"), GitHubTokenRefused),
    (404, {"X-OAuth-Scopes": "", "X-Accepted-OAuth-Scopes": "repo"}, says("Not Found"), GitHubTokenRefused),
    (404, {"X-OAuth-Scopes": "gist, repo", "X-Accepted-OAuth-Scopes": "public_repo, repo"}, says("Not Found"), GitHubRefused),
    (404, {"X-Accepted-OAuth-Scopes": "repo"}, says("Not Found"), GitHubRefused),
    # 409
    (409, {}, says("Git Repository is empty."), RemoteUnavailable),
    (409, {}, says("Repository is being created"), RemoteUnavailable),
    (409, {}, says("index.html does not match abc"), RepositoryConflict),
    (409, {}, says("Secret detected in content", **BYPASS), GitHubSecretBlocked),
    (409, {}, HTML, RepositoryConflict),
    # 422
    (422, {}, says("Update is not a fast forward"), RepositoryConflict),
    (422, {}, says("Reference update failed"), RepositoryConflict),
    (422, {}, says("Reference already exists"), RepositoryConflict),
    (422, {}, says("The main branch must exist before GitHub Pages can be built."), RemoteUnavailable),
    (422, {}, says("Repository rule violations found", **BYPASS), GitHubSecretBlocked),
    (422, {}, says("tree.path contains a malformed path component"), GitHubRefused),
    (422, {}, says("Tree SHA does not exist"), RepositoryConflict),
    (422, {}, says("Parent SHA does not exist or is not a commit object"), RepositoryConflict),
    (422, {}, says("Object does not exist"), RepositoryConflict),
    (422, {}, says("Reference does not exist"), RemoteUnavailable),
    (422, {}, says("Validation Failed", errors=[{"resource": "Repository", "code": "custom", "field": "description"}]), GitHubRefused),
    (422, {}, says("Validation Failed", errors=[{"code": "custom", "field": "base", "message": "was submitted too quickly"}]), RateLimited),
    (422, {}, says("Validation Failed", errors=["plain words"]), GitHubRefused),
    # for good
    (400, {}, says("Problems parsing JSON"), GitHubRefused),
    (405, {}, says("Method Not Allowed"), GitHubRefused),
    (410, {}, says("Gone"), GitHubRefused),
    (413, {}, says("Payload too large"), GitHubRefused),
    (451, {}, says("Repository access blocked"), GitHubRefused),
    # for now
    (301, {}, says("Moved Permanently"), RemoteUnavailable),
    (304, {}, "", RemoteUnavailable),
    (408, {}, "", RemoteUnavailable),
    (425, {}, "", RemoteUnavailable),
    (500, {}, says("Server Error"), RemoteUnavailable),
    (502, {}, HTML, RemoteUnavailable),
    (503, {}, says("No server is currently available"), RemoteUnavailable),
    (504, {}, "", RemoteUnavailable),
    (599, {}, "[]", RemoteUnavailable),
]


@pytest.mark.parametrize(("status", "headers", "body", "expected"), CELLS)
def test_an_answer_becomes_the_error_it_stands_for(status: int, headers: dict[str, str], body: str, expected: type[TaskError]) -> None:
    error = classify(status, headers, body, now=NOW)
    assert type(error) is expected
    assert error.detail.startswith(str(status))
    assert (error.retry_at is not None) == isinstance(error, RateLimited | GitHubTokenRefused)


TIMES: list[tuple[dict[str, str], int, float]] = [
    ({"Retry-After": "30"}, 0, 30),
    ({"Retry-After": "0"}, 0, 0),
    ({"Retry-After": "30", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(EPOCH + 900)}, 3, 30),
    ({"Retry-After": format_datetime(NOW + timedelta(seconds=45), usegmt=True)}, 0, 45),
    ({"Retry-After": format_datetime(NOW - timedelta(seconds=45), usegmt=True)}, 0, 0),
    ({"Retry-After": "99999999999999999999"}, 0, 7200),
    ({"Retry-After": "86400"}, 0, 7200),
    ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(EPOCH + 900)}, 3, 900),
    ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(EPOCH - 900)}, 0, 1),
    ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "later"}, 0, 60),
    ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1e400"}, 0, 60),
    ({"X-RateLimit-Remaining": "0"}, 0, 60),
    ({"X-RateLimit-Remaining": "12"}, 0, 60),
    ({}, 0, 60),
    ({}, 1, 120),
    ({}, 2, 240),
    ({}, 60, 3600),
]


@pytest.mark.parametrize("status", [403, 429])
@pytest.mark.parametrize(("headers", "streak", "seconds"), TIMES)
def test_a_limit_ends_at_the_time_that_github_named(status: int, headers: dict[str, str], streak: int, seconds: float) -> None:
    error = classify(status, headers, says(SECONDARY), now=NOW, streak=streak)
    assert error.retry_at == NOW + timedelta(seconds=seconds)


def test_a_server_error_with_a_time_waits_for_it() -> None:
    assert classify(503, {"Retry-After": "20"}, "", now=NOW).retry_at == NOW + timedelta(seconds=20)


def test_a_missing_right_is_named() -> None:
    headers = {"X-Accepted-GitHub-Permissions": "administration=write,pages=write"}
    error = classify(403, headers, says("Resource not accessible by personal access token"), now=NOW)
    assert "administration=write,pages=write" in error.detail


def test_a_missing_scope_is_shown_beside_those_that_the_token_has() -> None:
    headers = {"X-Accepted-OAuth-Scopes": "repo", "X-OAuth-Scopes": "gist"}
    assert "X-Accepted-OAuth-Scopes: repo; X-OAuth-Scopes: gist" in classify(403, headers, says("Forbidden"), now=NOW).detail


def test_what_cannot_be_found_names_the_right_that_may_be_missing() -> None:
    error = classify(404, {"X-Accepted-OAuth-Scopes": "repo", "X-OAuth-Scopes": "public_repo"}, says("Not Found"), now=NOW)
    assert error.detail == "404 Not Found; X-Accepted-OAuth-Scopes: repo; X-OAuth-Scopes: public_repo"


def test_the_detail_holds_githubs_own_words_and_no_more_than_an_excerpt() -> None:
    body = says("Repository creation failed.", errors=[{"field": "name", "message": "name is reserved"}])
    assert classify(422, {}, body, now=NOW).detail == "422 Repository creation failed.: name is reserved"
    assert len(classify(502, {}, "x" * 10_000, now=NOW).detail) < 400


EXCEPTIONS: list[tuple[Exception, type[TaskError]]] = [
    (requests.exceptions.ConnectTimeout("t"), RemoteUnavailable),
    (requests.exceptions.ReadTimeout("t"), RemoteUnavailable),
    (requests.exceptions.ConnectionError("refused"), RemoteUnavailable),
    (requests.exceptions.SSLError("certificate"), RemoteUnavailable),
    (requests.exceptions.ChunkedEncodingError("cut"), RemoteUnavailable),
    (requests.exceptions.ContentDecodingError("gzip"), RemoteUnavailable),
    (requests.exceptions.RetryError("many"), RemoteUnavailable),
    (requests.exceptions.TooManyRedirects("round"), RemoteUnavailable),
    (requests.exceptions.InvalidURL("no host"), Misconfigured),
    (requests.exceptions.MissingSchema("no scheme"), Misconfigured),
    (json.JSONDecodeError("broken", "{", 1), RemoteUnavailable),
    (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid"), RemoteUnavailable),
    (ConnectionResetError("reset"), RemoteUnavailable),
    (TimeoutError("slow"), RemoteUnavailable),
    (RuntimeError("Github server redirected from http protocol to https"), Misconfigured),
    (BadCredentialsException(401, {"message": "Bad credentials"}, {}), GitHubTokenRefused),
    (RateLimitExceededException(403, {"message": PRIMARY}, {"x-ratelimit-remaining": "0"}), RateLimited),
    (GithubException(502, {"data": HTML}, {}), RemoteUnavailable),
    (GithubException(422, {"message": "Update is not a fast forward"}, None), RepositoryConflict),
    (GithubException(404, {"message": "Not Found"}, {}), GitHubRefused),
]


@pytest.mark.parametrize(("raised", "expected"), EXCEPTIONS, ids=lambda value: getattr(value, "__name__", type(value).__name__))
def test_what_the_client_raises_becomes_one_of_our_errors(raised: Exception, expected: type[TaskError]) -> None:
    assert type(from_exception(raised, now=NOW)) is expected


def test_an_error_of_our_own_passes_unchanged() -> None:
    error = RepositoryConflict()
    assert from_exception(error, now=NOW) is error


@pytest.mark.parametrize("raised", [KeyError("x"), RuntimeError("a fault of ours"), AssertionError()])
def test_a_fault_of_ours_is_not_taken_for_githubs(raised: Exception) -> None:
    assert from_exception(raised, now=NOW) is None


@pytest.mark.parametrize(
    ("status", "body", "taken"),
    [
        (
            422,
            says("Repository creation failed.", errors=[{"field": "name", "code": "custom", "message": "name already exists on this account"}]),
            True,
        ),
        (422, says("Repository creation failed.", errors=[{"field": "name", "code": "already_exists"}]), True),
        (422, says("Repository creation failed.", errors=[{"field": "name", "code": "custom", "message": "name is reserved"}]), False),
        (422, says("name already exists on this account"), False),
        (422, says("Validation Failed", errors=["name already exists"]), False),
        (409, says("x", errors=[{"field": "name", "code": "already_exists"}]), False),
        (422, HTML, False),
        (422, "[]", False),
    ],
)
def test_a_taken_name_is_told_by_its_field(status: int, body: str, taken: bool) -> None:
    assert name_taken(status, body) is taken
