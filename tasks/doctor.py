"""Is everything there that this installation needs? One finding a question, each with the cure.

Asks from outside what settings and system checks cannot know: keys, rights, programs, clock, disk, reachability. It writes nothing.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Literal

from django.conf import settings
from django.core import checks
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from tasks import http
from tasks.browser import find_chromium
from tasks.browser.chromium import CURE
from tasks.errors import TaskError
from tasks.models import Worker
from tasks.redaction import redact
from tasks.runners import get_runner
from tasks.worker import clock

State = Literal["ok", "warning", "error", "off"]
SECONDS = 10.0  # for one question to another service
DISK_BYTES = 1024 * 2**20
CLOCK_SECONDS = 5.0
RIGHTS = ({"repo"}, {"public_repo"})  # of a classic token; either will do
WORKFLOW = "workflow"


@dataclass(frozen=True)
class Finding:
    """`cure` is empty where nothing is to be done; `off`: not asked, since it is not used here."""

    name: str
    state: State
    detail: str
    cure: str = ""


def examine() -> list[Finding]:
    """All findings, in their order. Never raises."""
    with ThreadPoolExecutor(max_workers=4) as pool:  # the slow ones wait for others
        remote = [pool.submit(_safely, question) for question in (generator, github, public_url)]
        local = [finding for question in LOCAL for finding in _safely(question)]
        return [*local, *(finding for future in remote for finding in future.result())]


def _safely(question: Callable[[], Iterator[Finding]]) -> list[Finding]:
    found: list[Finding] = []
    try:
        found.extend(question())
    except Exception as error:
        found.append(
            Finding(
                question.__name__.replace("_", " "), "error", redact(f"{type(error).__name__}: {error}")[:300], "Report this: it is a fault of ours."
            )
        )
    return found


# -- here --------------------------------------------------------------------------------------------------------------------------------


def configuration() -> Iterator[Finding]:
    """Django's own system checks, ours among them."""
    messages = [message for message in checks.run_checks() if not message.is_silenced()]
    for message in messages:
        yield Finding(message.id or "check", "error" if message.is_serious() else "warning", str(message.msg), str(message.hint or ""))
    if not messages:
        yield Finding("settings", "ok", f"generator {settings.GENERATOR}, host {settings.REPO_HOST}, runner {settings.RUNNER}")


def database() -> Iterator[Finding]:
    engine = connection.vendor
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        yield Finding("database", "error", redact(str(error).strip())[:300], "Start the database, or correct DATABASE_URL.")
        return
    if missing:
        yield Finding("database", "error", f"{engine}, {len(missing)} migrations are missing", "Run: python manage.py migrate")
    else:
        yield Finding("database", "ok", f"{engine}, all migrations are applied")
    seconds = clock.ahead()
    if abs(seconds) > CLOCK_SECONDS:
        yield Finding("database's clock", "error", f"{abs(seconds):.0f} s apart from this machine's", "Let NTP set both clocks.")


def worker() -> Iterator[Finding]:
    try:
        seen = Worker.objects.filter(stopped_at=None, seen_at__gte=timezone.now() - timedelta(seconds=15)).count()
    except DatabaseError:
        return
    if seen:
        yield Finding("worker", "ok", f"{seen} running")
    else:
        yield Finding("worker", "warning", "none is running", "Start: python manage.py worker")


def chromium() -> Iterator[Finding]:
    if not settings.EVALUATE:
        yield Finding("Chromium", "off", "EVALUATE is off")
        return
    path = find_chromium()
    if path is None:
        yield Finding("Chromium", "error", "not found; JavaScript checks are skipped", CURE)
        return
    done = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=SECONDS, check=False)  # noqa: S603 - the operator's own program  # nosec B603
    if done.returncode:
        yield Finding("Chromium", "error", f"{path} does not start: {done.stderr.strip()[:200]}", CURE)
    else:
        yield Finding("Chromium", "ok", f"{done.stdout.strip()} ({path})")


def runner() -> Iterator[Finding]:
    chosen = get_runner()
    reason = chosen.unavailable()
    if reason:
        yield Finding("runner", "warning", f"{chosen.name}: programs are not run", reason)
    else:
        yield Finding("runner", "ok", f"{chosen.name} runs programs")


def disk() -> Iterator[Finding]:
    usage = shutil.disk_usage(settings.DATA_DIR)
    detail = f"{usage.free / 2**30:.1f} GiB free of {usage.total / 2**30:.0f} at {settings.DATA_DIR}"
    if usage.free < DISK_BYTES:
        yield Finding("disk", "error", detail, "Free some space, or run: python manage.py prune")
    else:
        yield Finding("disk", "ok", detail)


LOCAL: tuple[Callable[[], Iterator[Finding]], ...] = (configuration, database, worker, chromium, runner, disk)


# -- elsewhere ---------------------------------------------------------------------------------------------------------------------------


def generator() -> Iterator[Finding]:
    """The key is good and the models exist. https://ai.google.dev/api/models, https://platform.openai.com/docs/api-reference/models"""
    if settings.GENERATOR == "gemini":
        url, headers = f"{settings.GEMINI_API_ENDPOINT.rstrip('/')}/v1beta/models?pageSize=1000", {"x-goog-api-key": settings.GEMINI_API_KEY}
        wanted, key = settings.GEMINI_MODELS, "GEMINI_API_KEY"
    elif settings.GENERATOR == "openai":
        url, headers = f"{settings.OPENAI_BASE_URL}/models", {"Authorization": f"Bearer {settings.OPENAI_API_KEY}"}
        wanted, key = [name.strip() for name in settings.OPENAI_MODEL.split(",") if name.strip()], "OPENAI_API_KEY"
    else:
        yield Finding("model", "off", f"the {settings.GENERATOR} generator needs no key")
        return
    status, _, body = _ask(url, headers)
    if status is None:
        yield Finding("model", "error", str(body), f"See that {url.split('?')[0]} can be reached from here.")
    elif status in {400, 401, 403}:
        yield Finding("model", "error", f"the key is refused ({status})", f"Set a valid {key}.")
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
    yield from _clock(answered.get("date", ""))


def _clock(stamp: str) -> Iterator[Finding]:
    try:
        apart = abs((datetime.now(UTC) - parsedate_to_datetime(stamp)).total_seconds())
    except (TypeError, ValueError):
        return
    if apart > CLOCK_SECONDS:
        yield Finding("clock", "warning", f"{apart:.0f} s apart from GitHub's", "Let NTP set the clock: deadlines are counted by it.")
    else:
        yield Finding("clock", "ok", "agrees with GitHub's")


def public_url() -> Iterator[Finding]:
    """Others reach this service where it says it is."""
    status, _, body = _ask(f"{settings.PUBLIC_URL.rstrip('/')}/health", {})
    if status in {200, 503} and isinstance(body, dict) and "status" in body:
        yield Finding("PUBLIC_URL", "ok", f"{settings.PUBLIC_URL} answers: {body['status']}")
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
