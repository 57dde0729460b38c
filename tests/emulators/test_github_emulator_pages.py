"""The emulator's Pages sites, its faults and its records."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from github.Repository import Repository

from tests.emulators import github_openapi
from tests.emulators.github import GitHubEmulator
from tests.emulators.github_asking import SOURCE, client, pages, push, refused


@pytest.fixture
def github() -> Iterator[GitHubEmulator]:
    with GitHubEmulator() as emulator:
        yield emulator


@pytest.fixture
def repo(github: GitHubEmulator) -> Repository:
    return client(github).get_user().create_repo("site", auto_init=True)


# -- Pages -----------------------------------------------------------------------------------------------------------------------------


def test_pages_are_switched_on_once(repo: Repository) -> None:
    assert pages(repo, source=SOURCE)["source"] == SOURCE
    with refused(409, "GitHub Pages is already enabled."):
        pages(repo, source=SOURCE)


def test_pages_need_the_branch(repo: Repository) -> None:
    with refused(422, "branch must exist before GitHub Pages can be built"):
        pages(repo, source={"branch": "gh-pages"})


def test_a_site_is_served_when_its_build_is_done(github: GitHubEmulator, repo: Repository) -> None:
    github.pages_latency = 60
    push(repo, {"index.html": "<h1>one</h1>", "data/a.csv": "1", ".nojekyll": "", "_x.js": "x"})
    pages(repo, source=SOURCE)
    site = f"{github.url}/pages/student/site"
    before = requests.get(f"{site}/", timeout=5)
    assert (before.status_code, before.headers["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert "isn't a GitHub Pages site" in before.text
    assert pages(repo, "GET", "/builds/latest")["status"] == "building"
    github.finish_builds()
    after = requests.get(f"{site}/?v=1", timeout=5)
    assert (after.status_code, after.text, after.headers["Content-Type"]) == (200, "<h1>one</h1>", "text/html; charset=utf-8")
    assert requests.get(f"{site}/data/a.csv", timeout=5).headers["Content-Type"] == "text/csv; charset=utf-8"
    assert requests.get(f"{site}/_x.js", timeout=5).status_code == 200
    assert requests.get(site, timeout=5).url == f"{site}/"
    assert requests.get(f"{site}/none", timeout=5).status_code == 404


def test_a_build_is_done_after_its_time(github: GitHubEmulator, repo: Repository) -> None:
    github.pages_latency = 0.05
    push(repo, {"index.html": "one"})
    pages(repo, source=SOURCE)
    time.sleep(0.06)
    assert requests.get(f"{github.url}/pages/student/site/", timeout=5).text == "one"


def test_the_old_site_is_served_until_the_push_is_live(github: GitHubEmulator, repo: Repository) -> None:
    push(repo, {"index.html": "one"})
    pages(repo, source=SOURCE)
    site = repo_site(github)
    site.latency = 60
    sha = push(repo, {"index.html": "two"})
    assert requests.get(f"{github.url}/pages/student/site/", timeout=5).text == "one"
    github.finish_builds()
    assert requests.get(f"{github.url}/pages/student/site/", timeout=5).text == "two"
    assert pages(repo, "GET", "/builds/latest")["commit"] == sha


def repo_site(github: GitHubEmulator) -> Any:
    return github.repository("site").pages


def test_a_failed_build_leaves_the_old_site_until_the_next_one(github: GitHubEmulator, repo: Repository) -> None:
    push(repo, {"index.html": "one"})
    pages(repo, source=SOURCE)
    repo_site(github).fail = True
    push(repo, {"index.html": "two"})
    assert pages(repo, "GET", "/builds/latest")["status"] == "errored"
    assert requests.get(f"{github.url}/pages/student/site/", timeout=5).text == "one"
    assert pages(repo, "POST", "/builds")["status"] == "queued"
    assert requests.get(f"{github.url}/pages/student/site/", timeout=5).text == "two"


def test_a_new_source_is_not_built_by_itself(github: GitHubEmulator, repo: Repository) -> None:
    push(repo, {"index.html": "root", "docs/index.html": "docs"})
    pages(repo, source=SOURCE)
    pages(repo, "PUT", source={"branch": "main", "path": "/docs"})
    assert requests.get(f"{github.url}/pages/student/site/", timeout=5).text == "root"
    pages(repo, "POST", "/builds")
    assert requests.get(f"{github.url}/pages/student/site/", timeout=5).text == "docs"


def test_jekyll_leaves_out_names_with_an_underscore(github: GitHubEmulator, repo: Repository) -> None:
    push(repo, {"index.html": "one", "_x.js": "x"})
    pages(repo, source=SOURCE)
    assert requests.get(f"{github.url}/pages/student/site/_x.js", timeout=5).status_code == 404


# -- faults and records ----------------------------------------------------------------------------------------------------------------


def ask(github: GitHubEmulator, timeout: float = 5) -> requests.Response:
    return requests.get(f"{github.url}/user", headers={"Authorization": f"Bearer {github.token}"}, timeout=timeout)


def test_a_fault_comes_as_often_as_it_was_asked_for(github: GitHubEmulator) -> None:
    github.fault("GET", "^/user$", 2, "status", status=503, headers={"Retry-After": "1"}, body=b"{}", skip=1)
    assert [ask(github).status_code for _ in range(4)] == [200, 503, 503, 200]
    assert [call.status for call in github.api_requests()] == [200, 503, 503, 200]


def test_a_call_can_be_done_and_still_fail(github: GitHubEmulator) -> None:
    github.fault("POST", "/user/repos", 1, "done-but-502")
    with refused(502, ""):
        client(github).get_user().create_repo("site")
    assert [repo.name for repo in github.repositories()] == ["site"]


@pytest.mark.parametrize("kind", ["reset", "done-but-reset"])
def test_a_connection_can_be_reset(github: GitHubEmulator, kind: str) -> None:
    github.fault("GET", "/user", 1, kind)
    with pytest.raises(requests.ConnectionError):
        ask(github)


def test_an_answer_can_hang(github: GitHubEmulator) -> None:
    github.fault("GET", "/user", 1, "hang", seconds=0.3)
    with pytest.raises(requests.ReadTimeout):
        ask(github, timeout=0.1)


def test_an_answer_can_be_slow_and_whole(github: GitHubEmulator) -> None:
    github.fault("GET", "/user", 1, "slow", seconds=0.1)
    started = time.monotonic()
    assert ask(github).json()["login"] == "student"
    assert time.monotonic() - started >= 0.1


def test_an_answer_can_be_a_page(github: GitHubEmulator) -> None:
    github.fault("*", "/user", 1, "html-200")
    assert ask(github).headers["Content-Type"] == "text/html"


def test_an_unknown_fault_is_a_mistake_of_the_test(github: GitHubEmulator) -> None:
    with pytest.raises(ValueError, match="unknown fault"):
        github.fault("GET", "/", 1, "explode")


def test_every_answer_can_take_a_while(github: GitHubEmulator) -> None:
    github.latency = 0.1
    started = time.monotonic()
    ask(github)
    assert time.monotonic() - started >= 0.1


def test_the_secondary_limit_refuses_writes(github: GitHubEmulator) -> None:
    github.writes_per_minute = 1
    client(github).get_user().create_repo("one")
    with refused(403, "secondary rate limit"):
        client(github).get_user().create_repo("two")


def test_a_students_edit_is_somebody_elses_commit(github: GitHubEmulator, repo: Repository) -> None:
    sha = github.student_edit("site", "a.txt", b"mine")
    assert github.commits("site")[0] == sha
    assert github.files("student", "site")["a.txt"] == b"mine"
    assert repo.get_commit(sha).commit.author.name == "A Student"


def test_what_pygithub_sends_keeps_the_description(github: GitHubEmulator, repo: Repository) -> None:
    push(repo, {"dir/a.txt": "one"})
    repo.create_file("b.txt", "Add", b"two")
    pages(repo, source=SOURCE)
    assert github.violations == []


@pytest.mark.skipif(github_openapi.description() is None, reason="GitHub's OpenAPI description is not at hand")
def test_what_breaks_the_description_is_noted(github: GitHubEmulator, repo: Repository) -> None:
    requests.post(f"{github.url}/repos/student/site/git/trees", json={"tree": "none"}, headers={"Authorization": "Bearer x"}, timeout=5)
    requests.get(f"{github.url}/repos/student/site/nothing", timeout=5)
    assert [line.split(":")[0] for line in github.violations] == ["POST /repos/student/site/git/trees", "GET /repos/student/site/nothing"]


def test_the_settings_point_here(github: GitHubEmulator) -> None:
    assert github.django_settings() == {
        "REPO_HOST": "github",
        "GITHUB_TOKEN": github.token,
        "GITHUB_API_URL": github.url,
        "GITHUB_PAGES_URL": f"{github.url}/pages/{{owner}}/{{repo}}/",
    }
