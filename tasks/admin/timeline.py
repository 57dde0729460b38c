"""Everything that happened to a round (or a task), in one list: stage runs, messages, deployments, deliveries."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.safestring import SafeString

from tasks.admin.badges import badge
from tasks.admin.columns import out, units
from tasks.models import Deployment, Message, NotificationAttempt, Round, StageRun

NEWEST = 300  # of each kind; a round that was re-run for days stays readable


@dataclass(frozen=True)
class Entry:
    """`offset` is the time since the round came in, `more` what is folded away."""

    at: datetime
    offset: str
    icon: str
    head: str
    text: str = ""
    more: str = ""
    badge: SafeString | str = ""
    link: SafeString | str = ""


def timeline(
    round_: Round,
    runs: Iterable[StageRun],
    messages: Iterable[Message],
    deployments: Iterable[Deployment],
    notifications: Iterable[NotificationAttempt],
) -> list[Entry]:
    """In the order of time, the request itself first."""
    zero = round_.received_at
    entries = [Entry(zero, "0 s", "inbox", "request received", f"round {round_.number}, nonce {round_.nonce}")]
    entries += [of_run(run, zero) for run in runs]
    entries += [of_message(message, zero) for message in messages]
    entries += [of_deployment(deployment, zero) for deployment in deployments]
    entries += [of_delivery(attempt, zero) for attempt in notifications]
    return sorted(entries, key=lambda entry: entry.at)


def since(moment: datetime, zero: datetime) -> str:
    seconds = (moment - zero).total_seconds()
    return f"{'+' if seconds >= 0 else ''}{units(seconds)}"


def of_run(run: StageRun, zero: datetime) -> Entry:
    """A finished run stands where it ended, one that goes on where it began: one entry each."""
    name = f"{run.stage} #{run.attempt}" if run.attempt > 1 else run.stage
    text = f"{run.error_id}: {run.summary}" if run.error_id else run.summary
    more = f"{run.detail}\n\nworker {run.worker}".strip() if run.detail else ""
    if run.finished_at is None:
        return Entry(run.started_at, since(run.started_at, zero), "play_arrow", f"{name} started", text, more, badge(run.outcome))
    took = units((run.finished_at - run.started_at).total_seconds())
    return Entry(run.finished_at, since(run.finished_at, zero), "flag", f"{name} took {took}", text, more, badge(run.outcome))


def of_message(message: Message, zero: datetime) -> Entry:
    icon = {"event": "bolt", "feedback": "rate_review"}.get(message.kind, "forum")
    to = f" to {message.recipient}" if message.recipient else ""
    data = json.dumps(message.data, indent=2, ensure_ascii=False) if message.data else ""
    body, more = (message.body, data) if len(message.body) <= 400 else (message.body[:400] + "…", f"{message.body}\n\n{data}".strip())
    return Entry(message.created_at, since(message.created_at, zero), icon, f"{message.sender}{to}", body, more)


def of_deployment(deployment: Deployment, zero: datetime) -> Entry:
    what = "committed" if deployment.created else "found unchanged"
    head = f"{what} {deployment.commit_sha[:10]} to {deployment.host}"
    text = f"{len(deployment.changed)} files changed, {len(deployment.removed)} removed, {deployment.requests} requests to the host"
    state = badge("live" if deployment.live_at else "not live", deployment.last_look)
    link = out(deployment.pages_url, "page")
    return Entry(deployment.created_at, since(deployment.created_at, zero), "rocket_launch", head, text, "", state, link)


def of_delivery(attempt: NotificationAttempt, zero: datetime) -> Entry:
    status = f"HTTP {attempt.status_code}" if attempt.status_code else attempt.error_id or "no answer yet"
    text = f"{status} after {units(attempt.seconds)} {attempt.error}".strip()
    head = f"delivery {attempt.number}"
    return Entry(attempt.sent_at, since(attempt.sent_at, zero), "outgoing_mail", head, text, attempt.answer, badge(attempt.outcome))
