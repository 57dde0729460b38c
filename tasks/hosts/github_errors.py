"""What GitHub's refusals mean: one classifier from (status, headers, body), or from what the client raised, to our errors.

Three outcomes matter to the pipeline: try again soon (`RemoteUnavailable`), try again at a named time (`RateLimited`, and `GitHubTokenRefused`,
for a token can be mended without touching the round), never (`GitHubRefused` and its kin). GitHub's rules:
https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api and
https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import requests
from github import GithubException

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

SECONDARY_SECONDS = 60  # GitHub: at least a minute when it names no time, longer each time
LONGEST_SECONDS = 3600
TOKEN_SECONDS = 60  # GitHub locks an account out that comes back at once with a refused token
FARTHEST = timedelta(hours=2)  # no limit of GitHub's lasts longer than one; a wrong header must not stop the service for days
EXCERPT = 300

FAILED = "GitHub did not answer as it should; the round tries again by itself."
LIMITED = "GitHub asks this token to slow down; the round goes on at the time it named."

RATE_WORDS = ("rate limit", "abuse detection", "submitted too quickly", "try again later", "wait a few minutes")
RIGHTS_WORDS = ("not accessible", "must have admin", "permission", "scope", "saml", "forbids access", "bad credentials", "requires authentication")
# Only objects and branches that GitHub gave us are ever named, so one that does not exist is one not seen yet, or a branch just gone.
RACE_WORDS = ("not a fast forward", "reference update failed", "reference already exists", "sha does not exist", "object does not exist")
EARLY_WORDS = ("repository is empty", "being created", "reference does not exist")


def classify(status: int, headers: Mapping[str, Any], body: Any, *, now: datetime, streak: int = 0) -> TaskError:
    """The error that an answer stands for. `body` is the text or the parsed JSON; `streak` counts limits without a named time that came
    one after another, each of which doubles the wait."""
    headers = {str(name).lower(): str(value) for name, value in headers.items()}
    data = parsed(body)
    words = json.dumps(data).lower() if data is not None else str(body or "").lower()
    detail = describe(status, data, body)
    if status == 401:
        return token_refused(detail, now=now)
    if status in {403, 429} or (status == 422 and "submitted too quickly" in words):
        until = limited_until(status, headers, words, now=now, streak=streak)
        if until is not None:
            return RateLimited(LIMITED, detail=detail, retry_at=until)
    if status == 403:
        return forbidden(headers, data, words, detail, now=now)
    if status in {409, 422}:
        return unprocessable(status, words, detail)
    if status in {408, 425} or status >= 500 or status < 400:
        return RemoteUnavailable(FAILED, detail=detail, retry_at=named_time(headers, now=now))
    if status == 404 and data is None:  # something else stands in between
        return RemoteUnavailable(FAILED, detail=detail)
    if status == 404:  # also the answer to a token without the right
        detail = "; ".join([detail, *rights(headers)])
        return token_refused(detail, now=now) if lacks_scope(headers) else GitHubRefused(detail=detail)
    return GitHubRefused(detail=detail)


def forbidden(headers: Mapping[str, str], data: Any, words: str, detail: str, *, now: datetime) -> TaskError:
    """403 that is no limit: a right is missing, or the repository does not take it."""
    if data is None:
        return RemoteUnavailable(FAILED, detail=detail)
    needed = rights(headers)
    if "archived" not in words and (needed or any(word in words for word in RIGHTS_WORDS)):
        return token_refused("; ".join([detail, *needed]), now=now)
    return GitHubRefused(detail=detail)


def token_refused(detail: str, *, now: datetime) -> GitHubTokenRefused:
    return GitHubTokenRefused(detail=detail, retry_at=now + timedelta(seconds=TOKEN_SECONDS))


def lacks_scope(headers: Mapping[str, str]) -> bool:
    """Whether a classic token has none of the scopes that the call takes."""
    had, taken = ({scope.strip() for scope in headers.get(name, "").split(",")} - {""} for name in ("x-oauth-scopes", "x-accepted-oauth-scopes"))
    return "x-oauth-scopes" in headers and bool(taken) and not had & taken


def rights(headers: Mapping[str, str]) -> list[str]:
    """The rights that the call needs and the token has, as far as GitHub names them."""
    needed = [
        f"{name}: {headers[name.lower()]}" for name in ("X-Accepted-GitHub-Permissions", "X-Accepted-OAuth-Scopes") if headers.get(name.lower())
    ]
    if needed and "x-oauth-scopes" in headers:
        needed.append(f"X-OAuth-Scopes: {headers['x-oauth-scopes']}")
    return needed


def unprocessable(status: int, words: str, detail: str) -> TaskError:
    """409 and 422: a secret found, a race on the branch, a repository still being made, or a request that can never pass."""
    if "secret_scanning" in words or "secret detected" in words or "push protection" in words:
        return GitHubSecretBlocked(detail=detail)
    if any(word in words for word in EARLY_WORDS) or ("branch" in words and "must exist" in words):
        return RemoteUnavailable(FAILED, detail=detail)
    if status == 409 or any(word in words for word in RACE_WORDS):
        return RepositoryConflict(detail=detail)
    return GitHubRefused(detail=detail)


def limited_until(status: int, headers: Mapping[str, str], words: str, *, now: datetime, streak: int) -> datetime | None:
    """When a limited request may be made again, None when the answer is no limit. GitHub's order: `retry-after`, then an empty quota's
    reset, then a minute or more."""
    named = named_time(headers, now=now)
    if named is not None:
        return named
    if headers.get("x-ratelimit-remaining") == "0":
        try:
            reset = datetime.fromtimestamp(float(headers["x-ratelimit-reset"]), UTC)
        except (KeyError, ValueError, OverflowError, OSError):
            reset = now + timedelta(seconds=SECONDARY_SECONDS)
        return min(max(reset, now + timedelta(seconds=1)), now + FARTHEST)
    if status == 429 or any(word in words for word in RATE_WORDS):
        return now + timedelta(seconds=min(SECONDARY_SECONDS * 2 ** min(streak, 10), LONGEST_SECONDS))
    return None


def named_time(headers: Mapping[str, str], *, now: datetime) -> datetime | None:
    """The moment in `retry-after`, seconds or a date (RFC 9110 10.2.3), at most two hours away."""
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    try:
        moment = now + timedelta(seconds=int(value)) if value.isdigit() else parsedate_to_datetime(value)
    except OverflowError:
        return now + FARTHEST
    except ValueError:
        return None
    return min(max(moment if moment.tzinfo else moment.replace(tzinfo=UTC), now), now + FARTHEST)


def from_exception(error: Exception, *, now: datetime, streak: int = 0) -> TaskError | None:
    """Our error for what PyGithub or requests raised, None for anything else (a fault of our own)."""
    if isinstance(error, TaskError):
        return error
    if isinstance(error, GithubException):
        return classify(error.status, error.headers or {}, error.data, now=now, streak=streak)
    if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.MissingSchema | requests.exceptions.InvalidSchema):
        return Misconfigured("GITHUB_API_URL is no usable address; correct it.", detail=brief(error))
    if isinstance(error, RuntimeError) and "redirected" in str(error):
        return Misconfigured("GITHUB_API_URL redirects elsewhere; set it to the API's own address.", detail=brief(error))
    if isinstance(error, requests.exceptions.RequestException | OSError | ValueError):  # ValueError: broken JSON, text or header
        return RemoteUnavailable(FAILED, detail=brief(error))
    return None


def name_taken(status: int, body: Any) -> bool:
    """Whether a creation was refused because the account has a repository of that name."""
    data = parsed(body)
    errors = data.get("errors") if status == 422 and isinstance(data, dict) else None
    return any(
        isinstance(error, dict)
        and error.get("field") == "name"
        and (error.get("code") == "already_exists" or "already exists" in str(error.get("message", "")).lower())
        for error in errors or ()
    )


def parsed(body: Any) -> Any:
    """The JSON object or list of a body, None when it is something else. PyGithub wraps other text as {"data": text}."""
    if isinstance(body, dict):
        return None if set(body) == {"data"} else body
    if isinstance(body, list):
        return body
    try:
        data = json.loads(body)
    except (TypeError, ValueError):
        return None
    return data if isinstance(data, dict | list) else None


def describe(status: int, data: Any, body: Any) -> str:
    """The status and GitHub's own words, short."""
    if isinstance(data, dict) and data.get("message"):
        errors = [
            str(error.get("message") or error.get("code") or error) if isinstance(error, dict) else str(error) for error in data.get("errors") or ()
        ]
        text = ": ".join([str(data["message"]), *errors])
    else:
        text = str(body["data"] if isinstance(body, dict) and "data" in body else body or "")
    return f"{status} {' '.join(text.split())[:EXCERPT]}".strip()


def brief(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:EXCERPT]}"
