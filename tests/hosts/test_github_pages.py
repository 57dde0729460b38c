"""Pages that workflow runs publish: switching them on in time, what their deployments say, and a token that may not write workflow files."""

from __future__ import annotations

import json

import pytest

from tasks.errors import GitHubRefused, GitHubTokenRefused, RemoteUnavailable
from tasks.hosts import Repo
from tasks.hosts.github import Host
from tests.emulators.github import GitHubEmulator
from tests.hosts.publishing import ROUND_1, commit, ensure, publish

pytestmark = pytest.mark.django_db

FLOW = {".github/workflows/ci.yml": b"on: push\njobs: {a: {steps: [{uses: actions/deploy-pages@v4}]}}\n"}
SITE = {**ROUND_1, **FLOW}
REPO = Repo("student", "sum-of-sales", "", "")


@pytest.fixture(autouse=True)
def _workflows_allowed(github: GitHubEmulator) -> None:
    github.workflow_scope = True
    github.workflow = lambda files: {"result.json": b"{}"}


def started(github: GitHubEmulator) -> str:
    """Round 1 by a workflow; the commit."""
    host = Host()
    repo = ensure(host)
    host.enable_pages(repo, workflow=True)
    return commit(host, repo, SITE).sha


def build_type(github: GitHubEmulator) -> str:
    pages = github.repository("sum-of-sales").pages
    assert pages is not None
    return pages.build_type


# -- switching on ----------------------------------------------------------------------------------------------------------------------


def test_pages_for_workflows_take_one_request_before_the_commit(github: GitHubEmulator) -> None:
    host = Host()
    repo = ensure(host)
    assert host.enable_pages(repo, workflow=True) == repo.pages_url
    assert json.loads(github.writes()[-1].body) == {"build_type": "workflow"}
    sha = commit(host, repo, SITE).sha
    assert host.requests == 5
    assert host.published(repo, sha) is True


def test_pages_for_workflows_that_are_on_already_are_fine(github: GitHubEmulator) -> None:
    started(github)
    Host().enable_pages(REPO, workflow=True)
    assert [call.method for call in github.api_requests()[-2:]] == ["POST", "GET"]
    assert build_type(github) == "workflow"


def test_pages_of_the_branch_are_changed_to_workflows(github: GitHubEmulator) -> None:
    publish(Host(), ROUND_1)
    Host().enable_pages(REPO, workflow=True)
    assert build_type(github) == "workflow"


def test_pages_of_workflows_are_changed_to_the_branch_and_built(github: GitHubEmulator) -> None:
    started(github)
    Host().enable_pages(REPO)
    assert build_type(github) == "legacy"
    assert github.site("/pages/student/sum-of-sales/index.html")[2] == ROUND_1["index.html"]


# -- what was published ----------------------------------------------------------------------------------------------------------------


def test_a_run_under_way_has_not_published_yet(github: GitHubEmulator) -> None:
    github.pages_latency = 60
    sha = started(github)
    host = Host()
    assert host.published(REPO, sha) is None
    assert host.requests == 2
    github.finish_builds()
    assert Host().published(REPO, sha) is True


def test_a_failed_deployment_is_a_failure(github: GitHubEmulator) -> None:
    github.fail_builds = True
    assert Host().published(REPO, started(github)) is False


def test_a_run_that_never_came_to_its_deployment_is_a_failure(github: GitHubEmulator) -> None:
    github.workflow = lambda files: None
    github.pages_latency = 60
    sha = started(github)
    assert Host().published(REPO, sha) is None
    github.finish_builds()
    assert Host().published(REPO, sha) is False


def test_a_run_before_pages_were_switched_is_a_failure(github: GitHubEmulator) -> None:
    made = publish(Host(), SITE)
    assert Host().published(REPO, made.sha) is False


def test_the_deployment_of_another_commit_does_not_count(github: GitHubEmulator) -> None:
    sha = started(github)
    other = github.student_edit("sum-of-sales", ".github/workflows/ci.yml", None)
    assert Host().published(REPO, other) is None
    assert Host().published(REPO, sha) is True


def test_an_answer_that_is_no_list_is_trouble_that_passes(github: GitHubEmulator) -> None:
    sha = started(github)
    github.fault("GET", "/deployments$", 1, "status", status=200, body=b'{"message": "odd"}')
    with pytest.raises(RemoteUnavailable):
        Host().published(REPO, sha)


# -- the right to write workflow files -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scopes", ["public_repo, repo", None])
def test_a_token_without_the_workflow_scope_is_told_so(github: GitHubEmulator, scopes: str | None) -> None:
    github.workflow_scope, github.scopes = False, scopes
    host = Host()
    with pytest.raises(GitHubRefused, match="scope `workflow`") as caught:
        commit(host, ensure(host), SITE)
    assert caught.value.detail.startswith("404")


def test_a_tree_refused_for_it_is_told_the_same(github: GitHubEmulator) -> None:
    publish(Host(), ROUND_1)
    github.fault("POST", "/git/trees$", 9, "status", status=404, body=b'{"message": "Not Found"}')
    host = Host()
    with pytest.raises(GitHubRefused, match="Workflows: write"):
        commit(host, REPO, SITE, host.head(REPO))


def test_a_fine_grained_token_without_the_permission_is_told_so(github: GitHubEmulator) -> None:
    body = b'{"message": "Resource not accessible by personal access token"}'
    headers = {"X-Accepted-GitHub-Permissions": "contents=write,workflows=write"}
    github.fault("POST", "/git/commits$", 1, "status", status=403, headers=headers, body=body)
    host = Host()
    with pytest.raises(GitHubRefused, match="Workflows: write"):
        commit(host, ensure(host), SITE)


def test_a_404_of_another_cause_is_not_blamed_on_the_workflow(github: GitHubEmulator) -> None:
    github.scopes = "repo, workflow"
    host = Host()
    repo = ensure(host)
    github.fault("POST", "/git/trees$", 9, "status", status=404, body=b'{"message": "Not Found"}')
    with pytest.raises(RemoteUnavailable, match="setting up"):
        commit(host, repo, SITE)


def test_without_a_workflow_file_nothing_is_said_of_it(github: GitHubEmulator) -> None:
    github.fault("POST", "/git/trees$", 1, "status", status=403, body=b'{"message": "Resource not accessible by personal access token"}')
    host = Host()
    with pytest.raises(GitHubTokenRefused):
        commit(host, ensure(host), ROUND_1)
