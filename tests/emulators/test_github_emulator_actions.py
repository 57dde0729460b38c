"""The emulator's workflow runs: what starts one, when its deployment is refused, and what is served of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests
from github.Repository import Repository

from tests.emulators.github import GitHubEmulator
from tests.emulators.github_asking import SOURCE, client, pages, push, refused

FLOW = {".github/workflows/ci.yml": "on: push\njobs: {a: {steps: [{uses: actions/deploy-pages@v4}]}}\n"}


@pytest.fixture
def github() -> Iterator[GitHubEmulator]:
    with GitHubEmulator() as emulator:
        emulator.workflow_scope = True
        emulator.workflow = lambda files: {"out.txt": b"%d files" % len(files)}
        yield emulator


@pytest.fixture
def repo(github: GitHubEmulator) -> Repository:
    return client(github).get_user().create_repo("site", auto_init=True)


def states(repo: Repository, sha: str) -> list[list[str]]:
    return [[status.state for status in item.get_statuses()] for item in repo.get_deployments(sha=sha, environment="github-pages")]


def test_a_push_is_run_and_what_it_makes_is_served(github: GitHubEmulator, repo: Repository) -> None:
    github.pages_latency = 60
    pages(repo, build_type="workflow")
    sha = push(repo, {**FLOW, "a.txt": "a"})
    site = f"{github.url}/pages/student/site"
    assert states(repo, sha) == [["in_progress"]]
    assert requests.get(f"{site}/out.txt", timeout=5).status_code == 404
    github.finish_builds()
    assert states(repo, sha) == [["success", "in_progress"]]
    assert requests.get(f"{site}/out.txt", timeout=5).text == "2 files"
    assert requests.get(f"{site}/a.txt", timeout=5).status_code == 404
    assert github.violations == []


def test_no_build_of_githubs_own_is_listed(repo: Repository) -> None:
    made = pages(repo, build_type="workflow")
    assert (made["build_type"], made["status"]) == ("workflow", None)
    push(repo, FLOW)
    assert pages(repo, "GET")["status"] is None
    with refused(404, "Not Found"):
        pages(repo, "GET", "/builds/latest")


def test_pages_of_the_branch_refuse_the_deployment(github: GitHubEmulator, repo: Repository) -> None:
    pages(repo, source=SOURCE)
    sha = push(repo, {**FLOW, "index.html": "branch"})
    assert states(repo, sha) == [["failure", "in_progress"]]
    assert requests.get(f"{github.url}/pages/student/site/", timeout=5).text == "branch"


def test_a_push_without_a_workflow_starts_nothing(github: GitHubEmulator, repo: Repository) -> None:
    pages(repo, build_type="workflow")
    sha = push(repo, {"index.html": "x"})
    assert states(repo, sha) == []
    assert requests.get(f"{github.url}/pages/student/site/", timeout=5).status_code == 404


def test_a_run_that_fails_early_makes_no_deployment(github: GitHubEmulator, repo: Repository) -> None:
    github.workflow = lambda files: None
    pages(repo, build_type="workflow")
    sha = push(repo, FLOW)
    assert states(repo, sha) == []
    assert [(run.status, run.conclusion) for run in repo.get_workflow_runs(head_sha=sha)] == [("completed", "failure")]


def test_pages_change_from_the_branch_to_workflows(github: GitHubEmulator, repo: Repository) -> None:
    pages(repo, source=SOURCE)
    pages(repo, "PUT", build_type="workflow")
    assert pages(repo, "GET")["build_type"] == "workflow"
    push(repo, FLOW)
    assert requests.get(f"{github.url}/pages/student/site/out.txt", timeout=5).status_code == 200


def test_a_classic_token_is_told_its_scopes(github: GitHubEmulator) -> None:
    headers = {"Authorization": f"Bearer {github.token}"}
    assert "X-OAuth-Scopes" not in requests.get(f"{github.url}/repos/student/none", headers=headers, timeout=5).headers
    github.scopes = "repo"
    assert requests.get(f"{github.url}/repos/student/none", headers=headers, timeout=5).headers["X-OAuth-Scopes"] == "repo"
