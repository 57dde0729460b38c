"""How a task stands: in a sentence, with who has a part in it, and in marks by which an open page sees that something is new."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Count, Max, Prefetch, Q, prefetch_related_objects
from django.utils import timezone

from tasks.admin import columns, figures, talk
from tasks.admin.badges import badge
from tasks.models import AgentKey, CodeVersion, ContainerRun, Round, TaskRequest
from tasks.orchestrator import assignments
from tasks.orchestrator.uploads import label_of

FINAL = ("completed", "failed")
TONES = {"completed": "green", "failed": "red", "running": "blue"}
WORDS = {"running": "Set to running", "completed": "Mark completed", "failed": "Mark failed"}


@dataclass(frozen=True)
class Part:
    """Who has a role in the task; `tone` is orange where nobody can fill it."""

    role: str
    who: str
    note: str
    tone: str = "grey"


def with_rounds(task: TaskRequest) -> TaskRequest:
    """The same row with its rounds read once, without their long texts."""
    prefetch_related_objects([task], Prefetch("rounds", Round.objects.defer("brief", "checks", "extra").order_by("-id")))
    return task


def status_context(task: TaskRequest) -> dict[str, Any]:
    """What `_state.html` shows: a sentence, and for an agent's task the states that may follow. The rounds must have been read."""
    shown = assignments.shown_status(task)
    rounds = list(task.rounds.all())
    last = task.results.select_related("version").defer("version__prompt", "version__raw_answer", "version__round").order_by("-id").first()
    version = task.versions.only("id", "number", "label", "task_request_id").order_by("-number").first()
    return {
        "status": shown,
        "status_badge": badge(shown),
        "tone": TONES.get(shown, "grey"),
        "sentence": _sentence(task, shown, rounds, version, figures.numbers(last).get("accuracy") if last else None),
        "newest_round": rounds[0] if rounds else None,
        "moves": [{"status": word, "label": WORDS[word]} for word in moves(task, shown)],
        "parts": parts(task),
    }


def moves(task: TaskRequest, shown: str) -> list[str]:
    """States that a person may set an agent's task to; none that would change nothing of what is shown. The rounds must have been read."""
    if not task.name:
        return []
    allowed = [word for word in WORDS if word in assignments.MOVES.get(task.status, WORDS) and word != shown]
    by_round = task.status not in FINAL and task.rounds.all()
    return [word for word in allowed if word != "running" or not by_round]


def _sentence(task: TaskRequest, shown: str, rounds: list[Round], version: CodeVersion | None, accuracy: float | None) -> str:
    measured = f", last measured accuracy {accuracy:.4g}" if accuracy is not None else ""
    code = f"newest code {columns.one_line(label_of(version), 40)}{measured}" if version else "no code yet"
    if rounds and shown not in FINAL:
        newest = rounds[0]
        waits = f", waits for {newest.waiting_for}" if newest.status == Round.Status.WAITING and newest.waiting_for else ""
        return f"Round {newest.number} is {newest.status} in {newest.stage}{waits}; {code}."
    match shown:
        case "completed":
            return f"The work is done; {code}."
        case "failed":
            return f"It failed{f' in {rounds[0].stage}: {rounds[0].error}' if rounds and rounds[0].error else ''}; {code}."
        case "created":
            waits = (
                f"It waits for {task.coder or 'a coder'}" if version is None else f"It waits for {task.evaluator or 'an evaluator'} or further code"
            )
            return f"Nobody has set it to running; {code}. {waits}."
        case "running":
            return f"Agents are at work; {code}."
    return f"The agents call its state “{columns.one_line(shown, 40)}”; {code}."


def parts(task: TaskRequest) -> list[Part]:
    """Creator, coder and evaluator."""
    if not task.name:
        return [
            Part("creator", task.email or "–", "posted to /ready"),
            Part("coder", "this service", f"generator {settings.GENERATOR}"),
            Part("evaluator", "this service", "evaluate stage"),
        ]
    named = {"creator": task.creator_agent, "coder": task.coder, "evaluator": task.evaluator}
    valid = AgentKey.objects.filter(revoked=False).exclude(expiry_date__lt=timezone.now())
    keys = list(valid.filter(Q(name__in=named.values()) | Q(role__in=["coder", "evaluator"])).values("name", "role", "last_used_at")[:500])
    return [_part(role, who, keys) for role, who in named.items()]


def _part(role: str, who: str, keys: Sequence[Mapping[str, Any]]) -> Part:
    if who == assignments.BUILTIN:
        return Part(role, "this service", f"generator {settings.GENERATOR}" if role == "coder" else "evaluate stage")
    if not who and role == "creator":
        return Part(role, "–", "")
    if not who:
        able = sum(key["role"] == role for key in keys)
        if not able and settings.DEMO_API_KEY:
            return Part(role, "any agent", "with DEMO_API_KEY; none has a key of its own")
        return Part(role, "any agent", f"{able} with a valid {role} key", "grey" if able else "orange")
    key = next((key for key in keys if key["name"] == who), None)
    if key is None:
        return Part(role, who, "no valid key has this name", "grey" if role == "creator" or settings.DEMO_API_KEY else "orange")
    used = f"last used {key['last_used_at']:%d %b %H:%M} UTC" if key["last_used_at"] else "never used"
    return Part(role, who, f"{key['role']} key, {used}")


def is_live(task: TaskRequest) -> bool:
    """Whether anything may still happen by itself. The rounds must have been read."""
    return assignments.shown_status(task) not in FINAL or task.runs.filter(status__in=ContainerRun.OPEN).exists()


def marks(task: TaskRequest) -> dict[str, str]:
    """A short word for each part of the page that changes when the part does. The rounds must have been read."""
    code = task.versions.aggregate(Count("pk"), Max("pk"), Max("score"))
    measured = [*task.results.aggregate(Count("pk"), Max("pk")).values(), *task.logs.aggregate(Max("modified_at")).values()]
    rounds = [[row.pk, row.status, row.stage, row.error_id] for row in task.rounds.all()]
    said = {
        "overview": [task.status, rounds, task.repo_url, task.pages_url, talk.unread(task), code, measured],
        "versions": code,
        "figures": measured,
    }
    return {name: hashlib.sha256(json.dumps(value, default=str).encode()).hexdigest()[:12] for name, value in said.items()}
