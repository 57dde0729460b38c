"""A task's conversation, the newest first: messages, feedback and events of agents, of the service and of people."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils.safestring import SafeString

from tasks.admin.badges import badge
from tasks.admin.columns import one_line
from tasks.models import Message, TaskRequest
from tasks.orchestrator.uploads import label_of

NEWEST = 100  # the rest is in the list of messages
SENDERS = 50  # offered by the filter
FOLDED = 600  # characters that are shown before the rest is folded away
UNFOLDED = 20_000  # and so many of that; the whole is on the message's own page
ICONS = {"event": "bolt", "feedback": "rate_review", "message": "forum"}


@dataclass(frozen=True)
class Said:
    """One entry. `more` is what is folded away."""

    row: Message
    icon: str
    version: str
    text: str
    more: str
    unread: SafeString | str


@dataclass(frozen=True)
class Filter:
    """What the reader wants to see; empty is all."""

    kind: str = ""
    sender: str = ""

    @classmethod
    def of(cls, asked: Mapping[str, str]) -> Filter:
        """From the address; a kind that does not exist is no filter."""
        kind = asked.get("kind", "")
        return cls(kind if kind in Message.Kind.values else "", asked.get("sender", "").replace("\0", "")[:100])

    def apply(self, rows: QuerySet[Message]) -> QuerySet[Message]:
        rows = rows.filter(kind=self.kind) if self.kind else rows
        return rows.filter(sender=self.sender) if self.sender else rows


def entries(task: TaskRequest, wanted: Filter, since: int = 0) -> list[Said]:
    """The newest messages that pass the filter, those with a higher id than `since` only."""
    rows = wanted.apply(task.messages.filter(pk__gt=since)).select_related("version").order_by("-id")
    return [said(row) for row in rows.defer("version__prompt", "version__raw_answer")[:NEWEST]]


def said(row: Message) -> Said:
    data = json.dumps(row.data, indent=2, ensure_ascii=False) if row.data else ""
    long = len(row.body) > FOLDED
    return Said(
        row=row,
        icon=ICONS.get(row.kind, "forum"),
        version=one_line(label_of(row.version), 40) if row.version else "",
        text=row.body[:FOLDED] + "…" if long else row.body,
        more=shortened(f"{row.body}\n\n{data}".strip() if long else data),
        unread=badge("unread", "The coder has not acknowledged it.") if is_unread(row) else "",
    )


def shortened(text: str) -> str:
    return text if len(text) <= UNFOLDED else f"{text[:UNFOLDED]}…\n\nThe rest is on the message's own page."


def is_unread(row: Message) -> bool:
    """Feedback that the coder has not acknowledged."""
    return row.kind == Message.Kind.FEEDBACK and row.acknowledged_at is None


def unread(task: TaskRequest) -> int:
    return task.messages.filter(kind=Message.Kind.FEEDBACK, acknowledged_at=None).count()


def senders(task: TaskRequest) -> list[str]:
    """Names for the filter."""
    return list(task.messages.order_by("sender").values_list("sender", flat=True).distinct()[:SENDERS])


def context(task: TaskRequest, wanted: Filter) -> dict[str, Any]:
    """What `_conversation.html` shows."""
    shown = entries(task, wanted)
    return {
        "talk": shown,
        "talk_filter": wanted,
        "talk_capped": NEWEST if len(shown) == NEWEST else 0,
        "senders": senders(task),
        "kinds": Message.Kind.choices,
    }
