"""What a round's page shows. The live part (state, bars, timeline, checks, deliveries) is also served alone, for the poll of an open page."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.db.models import Model
from django.forms.models import model_to_dict
from django.utils import timezone

from tasks.admin import files, pictures, state, verdicts
from tasks.admin.badges import badge, round_badges
from tasks.admin.columns import clock, commit_url, is_web, one_line, out, size, units
from tasks.admin.gantt import gantt
from tasks.admin.timeline import NEWEST, timeline
from tasks.models import CheckResult, CodeVersion, Round
from tasks.pipeline import STAGES

TABS = ("timeline", "files", "checks", "deliveries", "preview", "request", "raw")


def live_context(round_: Round, seen: str = "") -> dict[str, Any]:
    """The part that moves. `changed` is False when the page that asks (`seen`) holds everything but the clock and the bars already."""
    now = timezone.now()
    runs = list(round_.stage_runs.order_by("started_at", "id"))
    messages = list(round_.messages.order_by("-id")[:NEWEST])
    deployments = list(round_.deployments.order_by("-id"))
    notifications = list(round_.notifications.order_by("-id")[:NEWEST])
    verdicts_now = list(round_.check_results.order_by("id").values_list("status", "version_id", "deployment_id", "pk"))
    alive = state.workers_alive(now)
    explained = state.explain(round_, now, alive=alive, deployed=bool(deployments))
    counts = [len(runs), len(messages), len(verdicts_now), len(deployments), len(notifications)]
    marks: list[Any] = [round_.status, round_.stage, round_.attempt, round_.waiting_for, explained.held, alive > 0, counts, round_.version_id]
    marks += [[run.outcome, run.summary] for run in runs[-3:]] + [attempt.outcome for attempt in notifications[:1]] + verdicts_now[-1:]
    signature = hashlib.sha256(json.dumps(marks).encode()).hexdigest()[:16]
    return {
        "round": round_,
        "now": now,
        "state": explained,
        "stages": STAGES,
        "evaluation_link": out(round_.evaluation_url),
        "badges": round_badges(round_, now),
        "clock": clock(round_, now),
        "gantt": gantt(round_, runs, now),
        "no_worker": not alive and round_.is_open,
        "timeline": timeline(round_, runs, messages, deployments, notifications),
        "checks": verdicts.panels(results_of(round_), round_.version_id) if signature != seen else [],
        "checks_now": verdicts.newest((row[:3] for row in verdicts_now), deployments, round_.version_id),
        "deliveries": [
            {"row": attempt, "badge": badge(attempt.outcome), "took": units(attempt.seconds), "payload": pretty(attempt.payload)}
            for attempt in notifications
        ],
        "deployments": [
            {
                "row": deployment,
                "badge": badge("live" if deployment.live_at else "not live"),
                "page": out(deployment.pages_url),
                "repo": out(deployment.repo_url),
                "commit": out(commit_url(deployment.repo_url, deployment.commit_sha), deployment.commit_sha[:10]),
                "live_after": units((deployment.live_at - deployment.created_at).total_seconds()) if deployment.live_at else "",
            }
            for deployment in deployments
        ],
        "signature": signature,
        "changed": signature != seen,
    }


def page_context(round_: Round, chosen: str = "") -> dict[str, Any]:
    """The whole page. `chosen` is the id of the version to show, default the published one or the newest."""
    versions = list(round_.task_request.versions.defer("prompt", "raw_answer").order_by("-number"))
    own = [version for version in versions if version.round_id == round_.pk]
    version = next((row for row in versions if str(row.pk) == chosen), None)
    version = version or next((row for row in versions if row.pk == round_.version_id), None) or (own[0] if own else None)
    attachments = list(round_.attachments.defer("content", "url", "profile"))
    live = live_context(round_)
    latest = live["deployments"][0]["row"] if live["deployments"] else None
    page = (latest.pages_url if latest else "") or (round_.task_request.pages_url if version else "")
    return {
        **live,
        "task": round_.task_request,
        "tabs": TABS,
        "title": f"{round_.task_request}, round {round_.number}",
        "page_link": out(round_.task_request.pages_url, "page"),
        "repo_link": out(round_.task_request.repo_url, "repository"),
        "rounds": round_.task_request.rounds.only("id", "number", "nonce", "status", "task_request_id").order_by("id"),
        "versions": versions,
        "preview": page if is_web(page) else "",
        "strips": pictures.of_round(round_),
        "checks_asked": [check_text(check) for check in round_.checks] if isinstance(round_.checks, list) else [pretty(round_.checks)],
        "attachments": [{"row": row, "size": size(row.size)} for row in attachments],
        "raw": pretty(raw(round_, live, attachments)),
        **version_context(version),
    }


def version_context(version: CodeVersion | None) -> dict[str, Any]:
    """Files and differences of one version, for `_files.html`."""
    if version is None:
        return {"version": None, "files": []}
    before = files.version_before(version)
    return {"version": version, "before": before, "files": files.views(version, before), "version_badge": badge(version.status)}


def check_text(check: Any) -> str:
    """A posted check as one would write it: its JavaScript or its sentence."""
    if isinstance(check, dict) and set(check) == {"js"}:
        return str(check["js"])
    return check if isinstance(check, str) else pretty(check)


def results_of(round_: Round) -> list[CheckResult]:
    """The round's check results with what their panels need of version, deployment and round."""
    rows = round_.check_results.select_related("version", "deployment", "round").order_by("id")
    return list(rows.defer("version__prompt", "version__raw_answer", "round__brief", "round__checks", "round__extra"))


def raw(round_: Round, live: dict[str, Any], attachments: list[Any]) -> dict[str, Any]:
    """The rows as data, without file contents."""
    return {
        "round": {"id": round_.pk, "uuid": round_.uuid, "received_at": round_.received_at, **values(round_)},
        "task": {"id": round_.task_request_id, **values(round_.task_request)},
        "attachments": [{field: getattr(row, field) for field in ("name", "path", "media_type", "size", "sha256", "error")} for row in attachments],
        "deployments": [values(item["row"]) for item in live["deployments"]],
        "deliveries": [values(item["row"]) for item in live["deliveries"][:20]],
    }


def values(row: Model) -> dict[str, Any]:
    return {name: one_line(value, 2000) if isinstance(value, str) and len(value) > 2000 else value for name, value in model_to_dict(row).items()}


def pretty(data: Any) -> str:
    return json.dumps(data, indent=2, ensure_ascii=False, default=str)
