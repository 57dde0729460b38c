"""What the Cloud Run runner asks of Cloud Run: jobs, their executions and tasks, as the service's own dictionaries.

https://cloud.google.com/run/docs/reference/rest/v2/projects.locations.jobs
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from django.conf import settings

from tasks.runners.cloud_api import CloudError, ask, parsed


def parent() -> str:
    return f"projects/{settings.CLOUD_RUN_PROJECT}/locations/{settings.CLOUD_RUN_REGION}"


def create_job(name: str, body: dict[str, Any], *, only_try: bool = False) -> dict[str, Any]:
    """The operation. `only_try`: nothing is made, but rights and body are judged.

    https://cloud.google.com/run/docs/reference/rest/v2/projects.locations.jobs/create"""
    query = {"jobId": name} | ({"validateOnly": "true"} if only_try else {})
    return _run("POST", f"{parent()}/jobs?{urlencode(query)}", "run.jobs.create and iam.serviceAccounts.actAs", body)


def find_job(name: str) -> dict[str, Any]:
    """Empty where there is none (yet)."""
    try:
        return _run("GET", f"{parent()}/jobs/{name}", "run.jobs.get")
    except CloudError as error:
        if error.status == 404:
            return {}
        raise


def listed() -> list[dict[str, Any]]:
    """The first hundred of the region."""
    found: list[dict[str, Any]] = _run("GET", f"{parent()}/jobs?pageSize=100", "run.jobs.list").get("jobs", [])
    return found


def run_job(name: str) -> dict[str, Any]:
    """The operation, whose metadata is the execution. Not sent again by itself: it would start another one.

    https://cloud.google.com/run/docs/reference/rest/v2/projects.locations.jobs/run"""
    return _run("POST", f"{parent()}/jobs/{name}:run", "run.jobs.run", {}, once=True)


def delete_job(name: str) -> dict[str, Any]:
    return _run("DELETE", f"{parent()}/jobs/{name}", "run.jobs.delete")


def executions(name: str) -> list[dict[str, Any]]:
    """Of a job, the first one first."""
    found = _run("GET", f"{parent()}/jobs/{name}/executions", "run.executions.list").get("executions", [])
    return sorted(found, key=lambda execution: str(execution.get("createTime", "")))


def get_execution(execution: str) -> dict[str, Any]:
    """By its whole name."""
    return _run("GET", execution, "run.executions.get")


def cancel(execution: str) -> None:
    """Tell it to end; one that has ended meanwhile need not be told."""
    try:
        _run("POST", f"{execution}:cancel", "run.executions.cancel and run.jobs.run", {})
    except CloudError as error:
        if error.status not in {400, 404, 409}:
            raise


def tasks(execution: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = _run("GET", f"{execution}/tasks", "run.tasks.list").get("tasks", [])
    return found


def finished(execution: dict[str, Any]) -> bool:
    return bool(execution.get("completionTime"))


def message_of(thing: dict[str, Any]) -> str:
    """What the conditions of a job, an execution or a task say, the failed ones first."""
    conditions = sorted(thing.get("conditions", []), key=lambda condition: condition.get("state") != "CONDITION_FAILED")
    return next((str(condition["message"]) for condition in conditions if condition.get("message")), "")[:200]


def _run(method: str, path: str, right: str, body: dict[str, Any] | None = None, *, once: bool = False) -> dict[str, Any]:
    data = None if body is None else json.dumps(body).encode()
    roles = f"roles/run.developer, and roles/iam.serviceAccountUser on {settings.CLOUD_RUN_SERVICE_ACCOUNT}"
    cure = f"give this service's identity {right} in {settings.CLOUD_RUN_PROJECT} ({roles})"
    return parsed(ask(method, f"{settings.CLOUD_RUN_API_ENDPOINT}/v2/{path}", data, service="Cloud Run", cure=cure, once=once))
