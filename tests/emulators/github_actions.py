"""GitHub Actions as far as publishing goes: a push of a workflow file starts a run, a run with `actions/deploy-pages` makes a deployment.

What a run publishes is the test's own function, `GitHubEmulator.workflow`. https://docs.github.com/en/rest/deployments and /rest/actions
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tests.emulators.github_call import Answer, Call, route, stamp
from tests.emulators.github_pages import Build
from tests.emulators.github_store import Problem, Repository

if TYPE_CHECKING:
    from tests.emulators.github import GitHubEmulator

REPO = "/repos/{owner}/{repo}"
WORKFLOWS = ".github/workflows/"


@dataclass
class Run:
    """One workflow run. `deploys`: it came as far as its deployment; it fails when it had none to make but should, or when Pages refused it."""

    number: int
    commit: str
    live_from: float  # monotonic seconds
    deploys: bool
    failed: bool
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def over(self) -> bool:
        return time.monotonic() >= self.live_from

    @property
    def states(self) -> list[str]:
        """The deployment's statuses, newest first."""
        return [*(["failure" if self.failed else "success"] if self.over else []), "in_progress"]


def push(emulator: GitHubEmulator, repo: Repository, sha: str) -> None:
    """A commit on the default branch: runs its workflows at once, to be over after the latency of Pages. Pages that are not set to `workflow` at
    this moment refuse the deployment."""
    files = repo.contents(sha)
    flows = [data for path, data in files.items() if path.startswith(WORKFLOWS)]
    if not flows:
        return
    deploying = any(b"actions/deploy-pages" in data for data in flows)
    made = emulator.workflow(files)
    ready = repo.pages is not None and repo.pages.build_type == "workflow"
    ends = time.monotonic() + emulator.pages_latency
    failed = made is None or (deploying and not ready) or emulator.fail_builds
    repo.runs.append(Run(len(repo.runs) + 1, sha, ends, deploys=deploying and made is not None, failed=failed))
    if deploying and ready and made is not None and repo.pages:
        repo.pages.builds.append(Build(sha, dict(made), ends, failed, by_workflow=True))


def deployment_json(call: Call, repo: Repository, run: Run) -> dict[str, Any]:
    url = f"{call.api(repo)}/deployments/{run.number}"
    return {
        "id": run.number,
        "url": url,
        "sha": run.commit,
        "ref": repo.default_branch,
        "task": "deploy",
        "environment": "github-pages",
        "created_at": stamp(run.created_at),
        "statuses_url": f"{url}/statuses",
    }


@route("GET", f"{REPO}/deployments")
def list_deployments(call: Call) -> Answer:
    repo, sha = call.repo, call.query.get("sha", "none")
    if call.query.get("environment", "none") not in {"none", "github-pages"}:
        return Answer(200, [])
    found = [run for run in reversed(repo.runs) if run.deploys and sha in {"none", run.commit}]
    return Answer(200, [deployment_json(call, repo, run) for run in found[: int(call.query.get("per_page", 30))]])


@route("GET", f"{REPO}/deployments/{{deployment}}/statuses")
def list_statuses(call: Call) -> Answer:
    repo = call.repo
    run = next((run for run in repo.runs if run.deploys and str(run.number) == call.args["deployment"]), None)
    if run is None:
        raise Problem(404, "Not Found")
    url = f"{call.api(repo)}/deployments/{run.number}/statuses"
    return Answer(
        200, [{"id": index, "state": state, "url": f"{url}/{index}", "environment": "github-pages"} for index, state in enumerate(run.states)]
    )


@route("GET", f"{REPO}/actions/runs")
def list_runs(call: Call) -> Answer:
    repo, sha = call.repo, call.query.get("head_sha", "none")
    runs = [run for run in reversed(repo.runs) if sha in {"none", run.commit}]
    shown = [
        {
            "id": run.number,
            "head_sha": run.commit,
            "status": "completed" if run.over else "in_progress",
            "conclusion": ("failure" if run.failed else "success") if run.over else None,
        }
        for run in runs
    ]
    return Answer(200, {"total_count": len(shown), "workflow_runs": shown})
