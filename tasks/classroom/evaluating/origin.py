"""When was the repository made? GitHub says so; elsewhere the first commit's own word has to do, which can be forged.

https://docs.github.com/en/rest/repos/repos#get-a-repository
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings

from tasks import http
from tasks.classroom.evaluating.clone import clone_url
from tasks.classroom.evaluating.door import github_site, same_origin
from tasks.errors import TaskError
from tasks.evaluators import Finding
from tasks.hosts.github_errors import classify
from tasks.redaction import redact

TITLE = "The repository was made after the request"
SECONDS = 15.0
MAX_BYTES = 1024 * 1024
SKEW = timedelta(minutes=2)  # that two machines' clocks may differ
GITHUB, FIRST_COMMIT = "github", "first commit"


@dataclass(frozen=True)
class Origin:
    """`source` is `github` or `first commit`; `fork` is known of GitHub's alone. `problem`: why GitHub did not say."""

    created_at: datetime | None
    source: str = FIRST_COMMIT
    fork: bool | None = None
    problem: str = ""


def find(repo_url: str, began: datetime | None) -> Origin:
    """`began` is when the first commit was made."""
    if not same_origin(repo_url, github_site()):
        return Origin(began)
    name = urlsplit(clone_url(repo_url)).path.strip("/").removesuffix(".git")
    headers = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
    if settings.GITHUB_TOKEN:
        headers["Authorization"] = f"Bearer {settings.GITHUB_TOKEN}"
    try:
        answer = http.fetch(
            f"{settings.GITHUB_API_URL}/repos/{name}", headers=headers, seconds=SECONDS, max_bytes=MAX_BYTES, redirects=2, trusted=True
        )
        if answer.status != 200:
            raise classify(answer.status, answer.headers, answer.text, now=datetime.now(UTC))
        data = json.loads(answer.body)
        made = datetime.fromisoformat(data["created_at"])
        return Origin(made, GITHUB, bool(data.get("fork")))
    except TaskError as error:
        why = redact(error.detail or error.message)[:300]
        cure = "" if settings.GITHUB_TOKEN else " GITHUB_TOKEN allows 5,000 questions an hour in place of 60."
        return Origin(None, GITHUB, problem=f"GitHub did not say when it was made ({why}).{cure}")
    except (KeyError, TypeError, ValueError):
        return Origin(None, GITHUB, problem="GitHub's answer does not say when it was made.")


def finding(origin: Origin, sent_at: datetime | None) -> Finding:
    """Made no earlier than the request was sent (a student's service may be quicker than our own clock)."""
    if origin.problem:
        return Finding(TITLE, "error", f"{origin.problem} Evaluate it again later."[:900])
    if origin.created_at is None:
        return Finding(TITLE, "fail", "The repository has no commit, so nothing shows when it was made.")
    evidence = {"created_at": origin.created_at.isoformat(), "created_from": origin.source, "fork": origin.fork}
    if sent_at is None:
        return Finding(TITLE, "skipped", "It is not known when the request was sent.", evidence=evidence)
    evidence["sent_at"] = sent_at.isoformat()
    if origin.source == FIRST_COMMIT:
        evidence["note"] = "by the first commit's own clock, which its author sets"
    if origin.created_at >= sent_at - SKEW:
        return Finding(TITLE, "pass", evidence=evidence)
    when = f"{origin.created_at:%Y-%m-%d %H:%M} UTC"
    reason = f"It was made {when} ({origin.source}), before the request was sent ({sent_at:%Y-%m-%d %H:%M} UTC): a new one is asked for."
    return Finding(TITLE, "fail", reason, evidence=evidence)
