"""GitHub Pages of one repository: switched on for the branch or for workflow runs, built again, and what a run has published.

`call` is one call below the repository, as `github.Host` makes it. https://docs.github.com/en/rest/pages/pages
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tasks.hosts.base import Repo
from tasks.hosts.github_client import Answer, Client, unexpected

UNDER_WAY = frozenset({"building", "queued"})
FAILED = frozenset({"failure", "error"})
DONE = frozenset({"success", "inactive"})  # inactive: a later deployment took its place, so it had been a success
LOST_RUNS = frozenset({"failure", "startup_failure", "timed_out", "cancelled"})

Call = Callable[..., Answer]


def enable(call: Call, client: Client, repo: Repo, *, workflow: bool) -> None:
    """Already on is fine; on in the other way is changed. A changed source is not built by GitHub itself, so a build is asked for."""
    source = {"branch": repo.branch, "path": "/"}
    wanted: dict[str, Any] = {"build_type": "workflow"} if workflow else {"source": source}
    client.reserve(1)
    answer = call("POST", repo, "/pages", wanted, allow=(409,))
    if answer.status != 409:
        answer.get("build_type" if workflow else "source", kind=str if workflow else dict)
        return
    page = call("GET", repo, "/pages")
    by_workflow = page.find("build_type") == "workflow"
    if workflow and not by_workflow:
        client.reserve(1)
        call("PUT", repo, "/pages", wanted)
    elif not workflow and (by_workflow or page.get("source", kind=dict) != source):
        client.reserve(2)
        call("PUT", repo, "/pages", {"build_type": "legacy", "source": source})
        call("POST", repo, "/pages/builds")


def rebuild(call: Call, client: Client, repo: Repo, sha: str) -> str:
    """A failed build is not repeated by GitHub, and a push is sometimes not built at all. One question, and one write where it is needed."""
    # https://docs.github.com/en/rest/pages/pages#get-latest-pages-build
    answer = call("GET", repo, "/pages/builds/latest", allow=(404,))
    status, commit = (None, None) if answer.status == 404 else (answer.find("status"), answer.find("commit"))
    if status in UNDER_WAY or (status == "built" and commit == sha):
        return ""
    client.reserve(1)
    # https://docs.github.com/en/rest/pages/pages#request-a-github-pages-build
    call("POST", repo, "/pages/builds")
    said = " ".join(str(answer.find("error", "message") or "").split())[:100]
    return f"its build failed{f' ({said})' if said else ''}" if status == "errored" else f"{sha[:10]} was not built"


def published(call: Call, repo: Repo, sha: str) -> bool | None:
    """Whether a run has published that very commit; two requests. Without a deployment it is told by its runs: when all have ended and one has
    failed, none will come."""
    # https://docs.github.com/en/rest/deployments/deployments#list-deployments
    deployments = _list(call("GET", repo, f"/deployments?environment=github-pages&sha={sha}&per_page=5"))
    ours = [item for item in deployments if isinstance(item, dict) and item.get("sha") == sha and isinstance(item.get("id"), int)]
    if ours:
        # https://docs.github.com/en/rest/deployments/statuses#list-deployment-statuses
        newest = max(ours, key=lambda item: int(item["id"]))
        answer = call("GET", repo, f"/deployments/{newest['id']}/statuses?per_page=10")
        states = [str(item.get("state")) for item in _list(answer) if isinstance(item, dict)]
        return True if DONE & set(states) else False if states and states[0] in FAILED else None
    # https://docs.github.com/en/rest/actions/workflow-runs#list-workflow-runs-for-a-repository
    answer = call("GET", repo, f"/actions/runs?head_sha={sha}&per_page=10", allow=(404,))
    runs = [run for run in answer.find("workflow_runs") or () if isinstance(run, dict)]
    over = bool(runs) and all(run.get("status") == "completed" for run in runs)
    return False if over and any(run.get("conclusion") in LOST_RUNS for run in runs) else None


def _list(answer: Answer) -> list[Any]:
    """The answer's list; anything else is no answer of GitHub's."""
    value = answer.data
    if not isinstance(value, list):
        raise unexpected(answer, "is no list")
    return value
