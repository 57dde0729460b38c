"""Wrong combinations of settings, found before the first request: `manage.py check` lists them with an id and the cure."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from tasks import backends

# https://github.com/distribution/reference: [host[:port]/]path[:tag][@digest], or the digest of an image
_IMAGE = re.compile(r"(?:[\w.-]+(?::\d+)?/)?[a-z0-9]+(?:[._/-]+[a-z0-9]+)*(?::[\w][\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?|sha256:[0-9a-f]{64}")


def unset(id: str, message: str, hint: str) -> CheckMessage:
    return Error(message, hint=hint, id=f"tasks.{id}")


@register()
def check_generator(**kwargs: Any) -> list[CheckMessage]:
    """E001 to E004: the generator exists and has what it needs."""
    found: list[CheckMessage] = []
    choices = backends.names("generators", "Generator")
    if settings.GENERATOR not in choices:
        found.append(unset("E001", f"GENERATOR is {settings.GENERATOR!r}.", f"Use auto or one of {', '.join(choices)}."))
    if settings.GENERATOR == "gemini" and not settings.GEMINI_API_KEY:
        found.append(unset("E002", "GENERATOR is gemini, but GEMINI_API_KEY is not set.", "Set GEMINI_API_KEY, or GENERATOR=offline."))
    if settings.GENERATOR == "gemini" and not settings.GEMINI_MODELS:
        found.append(unset("E003", "GEMINI_MODELS is empty.", "Name at least one model, the preferred one first."))
    if settings.GENERATOR == "openai" and not (settings.OPENAI_BASE_URL and settings.OPENAI_MODEL):
        found.append(unset("E004", "GENERATOR is openai, but OPENAI_BASE_URL or OPENAI_MODEL is not set.", "Set both."))
    return found


@register()
def check_host(**kwargs: Any) -> list[CheckMessage]:
    """E005, E006, W001: the repository host exists, has its token, and its pages have an address that names the repository."""
    found: list[CheckMessage] = []
    choices = backends.names("hosts", "Host")
    if settings.REPO_HOST not in choices:
        found.append(unset("E005", f"REPO_HOST is {settings.REPO_HOST!r}.", f"Use auto or one of {', '.join(choices)}."))
    if settings.REPO_HOST == "github" and not settings.GITHUB_TOKEN:
        found.append(unset("E006", "REPO_HOST is github, but GITHUB_TOKEN is not set.", "Set GITHUB_TOKEN, or REPO_HOST=local."))
    if "{repo}" not in settings.GITHUB_PAGES_URL:
        found.append(Warning("GITHUB_PAGES_URL does not hold {repo}.", hint="Use https://{owner}.github.io/{repo}/.", id="tasks.W001"))
    return found


@register()
def check_runner(**kwargs: Any) -> list[CheckMessage]:
    """E009 to E011: the runner exists, and what is said of Docker can be meant."""
    found: list[CheckMessage] = []
    choices = backends.names("runners", "Runner")
    if settings.RUNNER not in choices:
        found.append(unset("E009", f"RUNNER is {settings.RUNNER!r}.", f"Use one of {', '.join(choices)}."))
    if settings.RUNNER != "docker":
        return found
    if not _IMAGE.fullmatch(settings.DOCKER_IMAGE):
        hint = "Name an image with Python 3.9 or later that the engine has, such as python:3.11-slim."
        found.append(unset("E010", f"DOCKER_IMAGE is {settings.DOCKER_IMAGE!r}.", hint))
    if not re.fullmatch(r"[\w.-]*", settings.DOCKER_RUNTIME):
        hint = "Leave it unset, or name one that `docker info` lists under Runtimes, such as runsc."
        found.append(unset("E011", f"DOCKER_RUNTIME is {settings.DOCKER_RUNTIME!r}.", hint))
    from tasks.runners.engine import wrong_address  # its SDK is loaded only where it is used

    if reason := wrong_address():
        hint = "Leave it unset for the engine of this machine, or use unix:///path/of/docker.sock or tcp://name:2376."
        found.append(unset("E011", f"DOCKER_HOST cannot be used: {reason}", hint))
    return found


@register()
def check_protocol(**kwargs: Any) -> list[CheckMessage]:
    """W002, W003, W005, E007, E008: somebody is accepted, the deadline leaves time, PUBLIC_URL is an address."""
    found: list[CheckMessage] = []
    if not settings.STUDENT_SECRET:
        found.append(
            Warning("STUDENT_SECRET is not set: /ready answers 503.", hint="Set STUDENT_SECRET to the secret you agreed on.", id="tasks.W002")
        )
    elif len(settings.STUDENT_SECRET) < 12:
        hint = "Agree on a longer one: a short word is guessed, and cannot be looked for in generated files."
        found.append(Warning("STUDENT_SECRET has fewer than 12 characters.", hint=hint, id="tasks.W005"))
    if settings.TASK_DEADLINE_SECONDS < 60:
        hint = "The course's rule is 600; under 60 nothing but the fallback page can be made."
        found.append(Warning(f"TASK_DEADLINE_SECONDS is {settings.TASK_DEADLINE_SECONDS}.", hint=hint, id="tasks.W003"))
    parts = urlsplit(settings.PUBLIC_URL)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        found.append(unset("E007", f"PUBLIC_URL is {settings.PUBLIC_URL!r}.", "Give the address that others reach this service by: https://name."))
    if settings.WORKERS < 1:
        found.append(unset("E008", f"WORKERS is {settings.WORKERS}.", "Set it to 1 or more."))
    return found


@register()
def check_cloud_run(**kwargs: Any) -> list[CheckMessage]:
    """E012, E013: the Cloud Run runner knows where, and sends its token to nobody but Google (or this machine)."""
    if settings.RUNNER != "cloud_run":
        return []
    from tasks.runners.cloud_run import unset as missing_settings

    found: list[CheckMessage] = []
    if missing := missing_settings():
        found.append(unset("E012", missing, "Set them, or use RUNNER=sandbox."))
    for name in ("CLOUD_RUN_API_ENDPOINT", "CLOUD_STORAGE_API_ENDPOINT"):
        parts = urlsplit(getattr(settings, name))
        if not parts.hostname or (parts.scheme != "https" and (parts.scheme != "http" or parts.hostname not in {"127.0.0.1", "::1", "localhost"})):
            found.append(unset("E013", f"{name} is {getattr(settings, name)!r}.", "Leave it unset, or use https (http only on this machine)."))
    return found


@register()
def check_briefs(**kwargs: Any) -> list[CheckMessage]:
    """W007: every brief of templates/briefs can be made. The messages name file, place and cure. A warning, since all else works without it."""
    from tasks.classroom.briefs import problems  # its generators are loaded only where they are used

    hint = "Mend the file in templates/briefs: docs/briefs.md says what it may hold. Until then it cannot be sent."
    return [Warning(problem, hint=hint, id="tasks.W007") for problem in problems()]


@register()
def check_redis(**kwargs: Any) -> list[CheckMessage]:
    """W006: where Redis is wanted, it answers."""
    if not settings.REDIS_URL:
        return []
    from tasks.redis_link import problem

    hint = "Start Redis, set REDIS_URL right, or leave it unset. Meanwhile the database does its work."
    return [Warning(f"Redis does not answer: {text}", hint=hint, id="tasks.W006")] if (text := problem()) else []


@register(Tags.security, deploy=True)
def check_demo_key(**kwargs: Any) -> list[CheckMessage]:
    """W004: a demo key outside DEBUG opens everything."""
    if settings.DEMO_API_KEY and not settings.DEBUG:
        hint = "Leave DEMO_API_KEY unset and make keys in the admin."
        return [Warning("DEMO_API_KEY is set outside DEBUG: whoever knows it has every role.", hint=hint, id="tasks.W004")]
    return []
