"""The dashboard's tiles: one number each, with the list behind it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse

from tasks.admin import columns
from tasks.admin.badges import look
from tasks.admin.counts import AGENT_SEEN, midnight
from tasks.models import AgentKey, CodeVersion, ContainerRun, RepoReport, Round, Worker


@dataclass(frozen=True)
class Tile:
    """`url` is empty for whoever may not open the list behind the number."""

    label: str
    value: str
    url: str
    icon: str
    tone: str
    note: str = ""
    model: type[Model] = Round  # whose list `url` is


def may_see(request: HttpRequest, model: type[Model]) -> bool:
    return bool(admin.site.get_model_admin(model).has_view_permission(request))


def for_user(request: HttpRequest, shown: list[Tile]) -> list[Tile]:
    """The same tiles, with links only to what this user may open."""
    open_to = {model: may_see(request, model) for model in {tile.model for tile in shown}}
    return [tile if open_to[tile.model] else replace(tile, url="") for tile in shown]


def list_url(model: type[Model], **query: str) -> str:
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return f"{address}?{urlencode(query)}" if query else address


def rounds_url(**query: str) -> str:
    return list_url(Round, **query)


def tiles(now: datetime, numbers: dict[str, Any], used: dict[str, Any], alive: int) -> list[Tile]:
    today = {"received_at__gte": midnight(now).isoformat(sep=" ")}
    written = list_url(CodeVersion, created_at__gte=midnight(now).isoformat(sep=" "))
    tokens = (used["tokens_in"] or 0) + (used["tokens_out"] or 0)
    oldest = numbers["oldest_due"]
    age = (now - oldest).total_seconds() if oldest else 0.0

    def tile(name: str, label: str, state: str, note: str = "", **query: str) -> Tile:
        shown = look(state)
        return Tile(label, f"{numbers[name]:,}", rounds_url(**query), shown.icon, shown.tone if numbers[name] else "grey", note)

    def other(model: type[Model], label: str, value: str, icon: str, tone: str, note: str, url: str = "") -> Tile:
        return Tile(label, value, url or list_url(model), icon, tone, note, model)

    return [
        tile("received", "received", "queued", "today", **today),
        tile("open", "in progress", "running", f"{numbers['running']} running, {numbers['waiting']} waiting", show="open"),
        tile("overdue", "overdue", "overdue", "nobody told in time", show="overdue"),
        tile("failed", "failed", "failed", "today", status__exact="failed", **today),
        tile("degraded", "degraded", "degraded", "today", show="degraded", **today),
        tile("succeeded", "succeeded", "succeeded", "today, in full", status__exact="succeeded", degraded_id__isempty="1", **today),
        other(
            ContainerRun, "programs", f"{numbers['programs']:,}", "terminal", "blue" if numbers["programs"] else "grey",
            f"{numbers['programs_running']} running, {numbers['programs_waiting']} waiting",
            list_url(ContainerRun, status__in=",".join(ContainerRun.OPEN)),
        ),
        other(
            AgentKey, "agents", f"{numbers['agents']:,}", "smart_toy", "green" if numbers["agents"] else "grey",
            f"of {numbers['keys']} keys, in 15 min", list_url(AgentKey, last_used_at__gte=(now - AGENT_SEEN).isoformat(sep=" ")),
        ),
        Tile("queue age", columns.units(age), rounds_url(show="due"), "schedule", "orange" if age > 30 else "grey", "oldest due round"),
        other(Worker, "workers", str(alive), "memory", "green" if alive else "red", "alive"),
        other(
            CodeVersion, "tokens", columns.count(tokens), "token", "blue" if tokens else "grey",
            f"today, {columns.count(used['tokens_out'] or 0)} of them out", written,
        ),
        other(
            CodeVersion, "cost", columns.dollars(used["cost"] or Decimal(0)), "payments", "blue" if used["cost"] else "grey",
            f"today, {used['priced']} of {used['versions']} versions priced", written,
        ),
        *(of_class(numbers) if numbers["reports"] else ()),
    ]  # fmt: skip


def of_class(numbers: dict[str, Any]) -> list[Tile]:
    """Of the instructor's side: what is still to be evaluated, and what met an error of ours."""
    waiting, ours = numbers["reports_waiting"], numbers["reports_ours"]
    open_ = list_url(RepoReport, state__in="queued,running")
    to_do = Tile("reports", f"{waiting:,}", open_, "move_to_inbox", "blue" if waiting else "grey", "to be evaluated", RepoReport)
    met = list_url(RepoReport, ours="1")
    return [to_do, Tile("our errors", f"{ours:,}", met, "build", "orange" if ours else "grey", "reports to evaluate again", RepoReport)]
