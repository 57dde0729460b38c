"""A page that was not built is built again; one that is on its way is left alone."""

from __future__ import annotations

import pytest

from tasks.hosts import Commit, Repo
from tasks.hosts.github import Host
from tests.emulators.github import GitHubEmulator
from tests.hosts.publishing import ROUND_1, publish

pytestmark = pytest.mark.django_db

REPO = Repo("student", "sum-of-sales", "", "")


def published(github: GitHubEmulator, *, failed: bool = False, latency: float = 0.0) -> Commit:
    github.fail_builds, github.pages_latency = failed, latency
    made = publish(Host(), ROUND_1)
    github.fail_builds, github.pages_latency = False, 0.0
    return made


def builds(github: GitHubEmulator) -> list[str]:
    """The states of all builds, oldest first."""
    pages = github.repository("sum-of-sales").pages
    assert pages is not None
    return [build.status or "" for build in pages.builds]


def test_a_failed_build_is_made_again_with_two_requests(github: GitHubEmulator) -> None:
    made, host = published(github, failed=True), Host()
    assert host.rebuild(REPO, made.sha) == "its build failed (Page build failed.)"
    assert host.requests == 2
    assert builds(github) == ["errored", "built"]


def test_a_push_that_was_not_built_is_built(github: GitHubEmulator) -> None:
    made = published(github)
    assert Host().rebuild(REPO, "1" * 40) == "1111111111 was not built"
    assert len(builds(github)) == 2
    pages = github.repository("sum-of-sales").pages
    assert pages is not None
    pages.builds.clear()
    assert Host().rebuild(REPO, made.sha) == f"{made.sha[:10]} was not built"
    assert builds(github) == ["built"]


@pytest.mark.parametrize("latency", [0.0, 600.0])
def test_a_build_that_is_done_or_under_way_is_left_alone(github: GitHubEmulator, latency: float) -> None:
    made, host = published(github, latency=latency), Host()
    assert host.rebuild(REPO, made.sha) == ""
    assert host.requests == 1
    assert len(builds(github)) == 1
