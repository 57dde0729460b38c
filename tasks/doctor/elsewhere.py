"""What other services are asked: the model's, GitHub's, and this one by the address that others know."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from tasks import http
from tasks.doctor.finding import Finding
from tasks.errors import TaskError
from tasks.redaction import redact

SECONDS = 10.0  # for one question to another service
CLOCK_SECONDS = 5.0
RIGHTS = ({"repo"}, {"public_repo"})  # of a classic token; either will do
WORKFLOW = "workflow"
LOCAL_NAMES = {"127.0.0.1", "localhost", "::1"}


def model() -> Iterator[Finding]:
    """The key is good and the models exist. https://ai.google.dev/api/models, https://platform.openai.com/docs/api-reference/models"""
    if settings.GENERATOR == "gemini":
        url, headers = f"{settings.GEMINI_API_ENDPOINT.rstrip('/')}/v1beta/models?pageSize=1000", {"x-goog-api-key": settings.GEMINI_API_KEY}
        wanted, key = settings.GEMINI_MODELS, "GEMINI_API_KEY"
    elif settings.GENERATOR == "openai":
        url, headers = f"{settings.OPENAI_BASE_URL}/models", {"Authorization": f"Bearer {settings.OPENAI_API_KEY}"}
        wanted, key = [name.strip() for name in settings.OPENAI_MODEL.split(",") if name.strip()], "OPENAI_API_KEY"
    else:
        yield Finding("model", "off", f"the {settings.GENERATOR} generator needs no key")
        if settings.REPO_HOST != "github":
            yield Finding("clock", "off", "no service outside is used to compare it with")
        return
    status, answered, body = _ask(url, headers)
    if settings.REPO_HOST != "github":
        yield from _clock(answered.get("date", ""), "the model service's")
    if status is None:
        yield Finding("model", "error", str(body), f"See that {url.split('?')[0]} can be reached from here.")
    elif status in {400, 401, 403}:
        yield Finding("model", "error", f"the key is refused ({status})", f"Set a valid {key}.")
    elif status == 404:
        if settings.GENERATOR == "gemini":
            yield Finding("model", "error", f"{url.split('?')[0]} does not exist", "Correct GEMINI_API_ENDPOINT.")
        else:  # not every compatible service has such a list
            yield Finding("model", "warning", f"{url} does not exist", "If rounds find no model either, correct OPENAI_BASE_URL: it ends in /v1.")
    elif status != 200 or not isinstance(body, dict):
        yield Finding("model", "warning", f"the list of models answered {status}", "Try again later; rounds fall back meanwhile.")
    else:
        listed = {str(item.get("name") or item.get("id") or "").removeprefix("models/") for item in body.get("models") or body.get("data") or ()}
        missing = [name for name in wanted if listed and name not in listed]
        if missing and len(missing) == len(wanted):
            yield Finding("model", "error", f"none of {', '.join(wanted)} is offered", "Name models that the service has.")
        elif missing:
            yield Finding("model", "warning", f"{', '.join(missing)} is not offered", "Take it out of the list of models.")
        else:
            yield Finding("model", "ok", f"the key is good, {', '.join(wanted)} can be asked")


def github() -> Iterator[Finding]:
    """The token, its rights, its limits and the clock. https://docs.github.com/en/rest/users/users#get-the-authenticated-user"""
    if settings.REPO_HOST != "github":
        yield Finding("GitHub", "off", "repositories stay on this machine")
        return
    headers = {"Authorization": f"Bearer {settings.GITHUB_TOKEN}", "User-Agent": "deployer", "X-GitHub-Api-Version": "2022-11-28"}
    status, answered, body = _ask(f"{settings.GITHUB_API_URL}/user", headers)
    yield from _clock(answered.get("date", ""), "GitHub's")
    if status is None:
        yield Finding("GitHub", "error", str(body), f"See that {settings.GITHUB_API_URL} can be reached from here.")
        return
    if status != 200 or not isinstance(body, dict):
        yield Finding("GitHub", "error", f"the token is refused ({status})", "Set a valid GITHUB_TOKEN.")
        return
    scopes = {scope.strip() for scope in answered.get("x-oauth-scopes", "").split(",") if scope.strip()}
    if scopes and not any(rights <= scopes for rights in RIGHTS):
        yield Finding("GitHub", "error", f"{body.get('login')}: the token may only {', '.join(sorted(scopes))}", "Give it the scope public_repo.")
    elif scopes and WORKFLOW not in scopes:
        yield Finding(
            "GitHub", "warning", f"{body.get('login')}: the token may not write workflows", "Give it the scope workflow, if briefs ask for one."
        )
    else:
        rights = f"may {', '.join(sorted(scopes))}" if scopes else "is fine-grained: its rights cannot be read"
        yield Finding("GitHub", "ok", f"{body.get('login')}: the token {rights}")
    remaining = answered.get("x-ratelimit-remaining", "")
    if remaining.isdecimal() and int(remaining) < 100:
        yield Finding("GitHub's limit", "warning", f"{remaining} requests are left of this hour", "Wait, or use another account for other programs.")
    yield from _pages(str(body.get("login")))


def _pages(owner: str) -> Iterator[Finding]:
    """Published pages are asked for by the verify stage: any answer shows that they can be."""
    address = urlsplit(settings.GITHUB_PAGES_URL.replace("{owner}", owner))
    site = f"{address.scheme}://{address.netloc}/"
    status, _, reason = _ask(site, {})
    if status is None:
        yield Finding("GitHub Pages", "error", str(reason), f"See that {site} can be reached from here.")
    else:
        yield Finding("GitHub Pages", "ok", f"{site} can be reached")


def _clock(stamp: str, whose: str) -> Iterator[Finding]:
    """This machine's clock beside that of a service that was asked anyway: deadlines are counted by it."""
    try:
        apart = abs((datetime.now(UTC) - parsedate_to_datetime(stamp)).total_seconds())
    except (TypeError, ValueError):
        yield Finding("clock", "off", f"{whose} was not told, so there is nothing to compare with")
        return
    if apart > CLOCK_SECONDS:
        yield Finding("clock", "warning", f"{apart:.0f} s apart from {whose}", "Let NTP set the clock: deadlines are counted by it.")
    else:
        yield Finding("clock", "ok", f"agrees with {whose}")


def public_url() -> Iterator[Finding]:
    """Others reach this service where it says it is."""
    status, _, body = _ask(f"{settings.PUBLIC_URL.rstrip('/')}/health", {})
    if status in {200, 503} and isinstance(body, dict) and "status" in body:
        near = "; only this machine can reach it" if urlsplit(settings.PUBLIC_URL).hostname in LOCAL_NAMES else ""
        yield Finding("PUBLIC_URL", "ok", f"{settings.PUBLIC_URL} answers: {body['status']}{near}")
    elif status is None:
        yield Finding("PUBLIC_URL", "warning", f"{settings.PUBLIC_URL} does not answer: {body}", "Start the web process, or correct PUBLIC_URL.")
    else:
        yield Finding(
            "PUBLIC_URL", "error", f"{settings.PUBLIC_URL}/health answers {status}, which is not this service", "Correct PUBLIC_URL or the proxy."
        )


def _ask(url: str, headers: dict[str, str]) -> tuple[int | None, dict[str, str], Any]:
    """Status, headers and body; no status and the reason where nothing answers."""
    try:
        answer = http.fetch(url, headers=headers, seconds=SECONDS, trusted=True)
    except TaskError as error:
        return None, {}, redact(error.message)
    try:
        body = json.loads(answer.text)
    except ValueError:
        body = None
    return answer.status, {name.lower(): value for name, value in answer.headers.items()}, body
