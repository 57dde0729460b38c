"""What a task's page shows, in a constant number of queries: overview, conversation, code versions, logs and metrics, containers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Max
from django.utils import timezone

from tasks.admin import columns, figures, round_page, run_page, state, talk, task_state, versions
from tasks.admin.badges import badge
from tasks.models import Deployment, TaskRequest
from tasks.orchestrator import logs

TABS = {
    "overview": "Overview",
    "conversation": "Conversation",
    "versions": "Code versions",
    "figures": "Logs and metrics",
    "containers": "Containers",
}
LOGS = 50  # of each kind


def counts(task: TaskRequest) -> dict[str, int]:
    """The numbers beside the tabs."""
    return {
        "conversation": task.messages.count(),
        "versions": task.versions.count(),
        "figures": task.results.count(),
        "containers": task.runs.count(),
    }


def overview(task: TaskRequest) -> dict[str, Any]:
    now = timezone.now()
    deployments = Deployment.objects.filter(round__task_request=task).select_related("round", "version")
    deployments = deployments.defer("version__prompt", "version__raw_answer", "round__brief", "round__checks", "round__extra")
    return {
        "page_link": columns.out(task.pages_url),
        "repo_link": columns.out(task.repo_url),
        "rounds": [
            {
                "row": round_,
                "who": columns.who(round_),
                "where": columns.where(round_, now),
                "time": columns.time_left(round_, now),
                "trouble": columns.trouble(round_),
            }
            for round_ in task.rounds.all()
        ],
        "deployments": [
            {
                "row": deployment,
                "badge": badge("live" if deployment.live_at else "not live"),
                "page": columns.out(deployment.pages_url),
                "commit": columns.out(columns.commit_url(deployment.repo_url, deployment.commit_sha), deployment.commit_sha[:10]),
            }
            for deployment in deployments
        ],
        "unread": talk.unread(task),
    }


def code(task: TaskRequest, chosen: str) -> dict[str, Any]:
    """The table of versions and the files of one: `chosen` is its id, by default the newest that holds any."""
    shown = versions.table(task)
    rows = [line["row"] for line in shown["lines"]]
    version = next((row for row in rows if str(row.pk) == chosen), None) or next((row for row in rows if row.file_count), None)
    version = version or (rows[0] if rows else None)
    return {**shown, "picked": rows, **round_page.version_context(version), "zip_url": columns.admin_url(version, "download") if version else ""}


def page_context(task: TaskRequest, asked: Mapping[str, str], *, runs: bool) -> dict[str, Any]:
    """The whole page. `asked` is the address's query; `runs` says whether this reader may see runs."""
    task_state.with_rounds(task)
    rows = [run_page.row_context(row) for row in run_page.newest(task)] if runs else []
    return {
        "task": task,
        "tabs": TABS,
        "counts": counts(task),
        "live": task_state.is_live(task),
        "marks": task_state.marks(task),
        "last_message": task.messages.aggregate(last=Max("pk"))["last"] or 0,
        "last_run": rows[0]["run"].pk if rows else 0,
        **task_state.status_context(task),
        **overview(task),
        **code(task, asked.get("version", "")),
        **talk.context(task, talk.Filter.of(asked)),
        **figures.context(task, asked.get("metric", ""), asked.get("over", "")),
        "logs": [{"row": row, "size": columns.size(row.size), "modified": columns.when(row.modified)} for row in logs.listing(task, LOGS)],
        "runs": rows,
        "no_worker": any(row["run"].is_open for row in rows) and not state.workers_alive(),
    }
