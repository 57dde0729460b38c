"""The GitHub host beside other people and after crashes: nothing of theirs is lost, nothing of ours is done twice."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from tasks.errors import (
    GitHubRefused,
    RemoteUnavailable,
    RepositoryConflict,
)
from tasks.hosts import Repo
from tasks.hosts.base import blob_sha
from tasks.hosts.github import Host
from tests.emulators.github import GitHubEmulator
from tests.hosts.publishing import DESCRIPTION, MARKER, PNG, ROUND_1, WHEN, WRITES, commit, ensure, publish

pytestmark = pytest.mark.django_db


# -- somebody else's work --------------------------------------------------------------------------------------------------------------


def test_a_repository_that_is_not_ours_is_left_alone(github: GitHubEmulator) -> None:
    github.add_repository("student", "sum-of-sales", description="My own work").save_file("mine.txt", b"mine", "Mine", github_person(github))
    assert Host().ensure_repo("sum-of-sales", description=DESCRIPTION, marker=MARKER, known=False) is None
    assert github.files("student", "sum-of-sales") == {"mine.txt": b"mine"}
    assert [call.status for call in github.writes()] == [422]


def github_person(github: GitHubEmulator) -> Any:
    from tests.emulators.github_store import Person

    return Person(github.owner, "student@example.org", WHEN)


def test_the_marker_of_another_task_is_not_ours(github: GitHubEmulator) -> None:
    Host().ensure_repo("sum-of-sales", description="x", marker="ba9876543210", known=False)
    assert Host().ensure_repo("sum-of-sales", description=DESCRIPTION, marker=MARKER, known=True) is None


def test_a_private_repository_of_ours_is_refused_with_the_cure(github: GitHubEmulator) -> None:
    ensure(Host())
    github.repository("sum-of-sales").private = True
    with pytest.raises(GitHubRefused, match="make it public"):
        ensure(Host(), known=True)


def test_a_students_edit_is_kept_when_the_next_round_is_built_on_it(github: GitHubEmulator) -> None:
    publish(Host(), ROUND_1)
    edit = github.student_edit("sum-of-sales", "notes.txt", b"by hand")
    host = Host()
    repo = ensure(host, known=True)
    assert not repo.fresh
    head = host.head(repo)
    assert head is not None
    assert head.commit_sha == edit
    files = host.read(repo, head.commit_sha, {})
    made = commit(host, repo, {**files, "index.html": b"two"}, head)
    assert github.files("student", "sum-of-sales")["notes.txt"] == b"by hand"
    assert github.commits("sum-of-sales")[:2] == [made.sha, edit]


def test_a_branch_that_moved_meanwhile_is_not_forced(github: GitHubEmulator) -> None:
    publish(Host(), ROUND_1)
    host = Host()
    repo = ensure(host, known=True)
    parent = host.head(repo)
    edit = github.student_edit("sum-of-sales", "notes.txt", b"by hand")
    with pytest.raises(RepositoryConflict):
        commit(host, repo, {"index.html": b"two"}, parent)
    assert github.commits("sum-of-sales")[0] == edit


def test_only_the_untouched_first_commit_is_replaced_by_force(github: GitHubEmulator) -> None:
    publish(Host(), ROUND_1)
    host = Host()
    repo = ensure(host, known=True)
    commit(host, repo, {"index.html": b"two"}, host.head(repo))
    forced = [json.loads(call.body)["force"] for call in github.writes() if call.method == "PATCH"]
    assert forced == [True, False]


def test_a_first_commit_with_an_edit_on_it_is_not_fresh(github: GitHubEmulator) -> None:
    ensure(Host())
    github.student_edit("sum-of-sales", "notes.txt", b"by hand")
    assert not ensure(Host(), known=True).fresh


def test_a_first_commit_with_more_than_the_readme_is_not_fresh(github: GitHubEmulator) -> None:
    ensure(Host())
    repo = github.repository("sum-of-sales")
    repo.refs.clear()
    repo.save_file("video.bin", bytes(6 * 1024 * 1024), "Initial commit", github_person(github))
    assert not ensure(Host(), known=True).fresh


def test_a_branch_that_appeared_meanwhile_is_not_overwritten(github: GitHubEmulator) -> None:
    publish(Host(), ROUND_1)
    with pytest.raises(RepositoryConflict):
        commit(Host(), Repo("student", "sum-of-sales", "", ""), {"index.html": b"two"}, parent=None)
    assert github.files("student", "sum-of-sales") == ROUND_1


def test_a_deleted_branch_is_made_again(github: GitHubEmulator) -> None:
    publish(Host(), ROUND_1)
    repo = github.repository("sum-of-sales")
    repo.refs["heads/other"] = repo.refs.pop("heads/main")
    host = Host()
    ours = Repo("student", "sum-of-sales", "", "")
    assert host.head(ours) is None
    assert commit(host, ours, {"index.html": b"two"}, parent=None).created
    assert github.files("student", "sum-of-sales") == {"index.html": b"two"}


def test_a_blob_that_is_gone_is_sent_again(github: GitHubEmulator) -> None:
    publish(Host(), ROUND_1)
    host = Host()
    repo = ensure(host, known=True)
    contents = {**ROUND_1, "logo.png": PNG}
    commit(host, repo, contents, host.head(repo), frozenset(blob_sha(data) for data in contents.values()))
    assert github.files("student", "sum-of-sales") == contents


# -- crashes: every call may be cut off before or after it was done ---------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["status", "done-but-502", "reset", "done-but-reset"])
@pytest.mark.parametrize("path", WRITES)
def test_a_call_that_is_cut_off_and_repeated_gives_one_repository_and_one_commit(github: GitHubEmulator, path: str, kind: str) -> None:
    github.fault("*", path, 1, kind)
    with pytest.raises(RemoteUnavailable):
        publish(Host(), ROUND_1)
    made = publish(Host(), ROUND_1, known=path != WRITES[0])
    assert [repo.name for repo in github.repositories()] == ["sum-of-sales"]
    assert github.commits("sum-of-sales") == [made.sha]
    assert github.files("student", "sum-of-sales") == ROUND_1
    pages = github.repository("sum-of-sales").pages
    assert pages is not None
    assert pages.builds[-1].commit == made.sha


@pytest.mark.parametrize("kind", ["done-but-502", "done-but-reset"])
@pytest.mark.parametrize("path", [r"/git/blobs$", r"/git/trees$", r"/git/commits$", r"/git/refs/heads/main$"])
def test_a_second_round_that_is_cut_off_and_repeated_gives_one_commit_more(github: GitHubEmulator, path: str, kind: str) -> None:
    publish(Host(), ROUND_1)
    contents = {**ROUND_1, "logo.png": PNG}
    github.fault("*", path, 1, kind)
    with pytest.raises(RemoteUnavailable):
        publish(Host(), contents, known=True)
    made = publish(Host(), contents, known=True)
    assert len(github.commits("sum-of-sales")) == 2
    assert github.commits("sum-of-sales")[0] == made.sha


def test_the_same_commit_with_the_parent_of_the_first_try_is_a_success(github: GitHubEmulator) -> None:
    publish(Host(), ROUND_1)
    host = Host()
    repo = ensure(host, known=True)
    parent = host.head(repo)
    first = commit(host, repo, {"index.html": b"two"}, parent)
    assert commit(Host(), repo, {"index.html": b"two"}, parent).sha == first.sha


def test_a_refused_move_to_where_the_branch_is_already_is_a_success(github: GitHubEmulator) -> None:
    publish(Host(), ROUND_1)
    host = Host()
    repo = ensure(host, known=True)
    parent = host.head(repo)
    first = commit(host, repo, {"index.html": b"two"}, parent)
    refusal = json.dumps({"message": "Update is not a fast forward", "status": "422"}).encode()
    github.fault("PATCH", "/git/refs/", 1, "status", status=422, body=refusal)
    assert commit(Host(), repo, {"index.html": b"two"}, parent).sha == first.sha


def test_a_repository_of_a_run_that_crashed_is_adopted_as_fresh(github: GitHubEmulator) -> None:
    ensure(Host())
    assert ensure(Host(), known=False).fresh


def test_a_repository_with_our_commit_is_adopted_but_not_fresh(github: GitHubEmulator) -> None:
    publish(Host(), ROUND_1)
    assert not ensure(Host(), known=False).fresh


def test_a_known_repository_that_was_deleted_is_made_again(github: GitHubEmulator) -> None:
    assert ensure(Host(), known=True).fresh
    assert [call.method for call in github.api_requests()] == ["GET", "GET", "POST"]


def test_a_repository_not_visible_at_once_is_waited_for_in_the_call(github: GitHubEmulator) -> None:
    github.invisible = 0.6
    made = publish(Host(), ROUND_1)
    assert github.commits("sum-of-sales") == [made.sha]
    assert 404 in [call.status for call in github.writes()]


def test_a_repository_not_visible_for_long_makes_the_round_wait(github: GitHubEmulator, monkeypatch: pytest.MonkeyPatch) -> None:
    naps: list[float] = []
    monkeypatch.setattr("tasks.hosts.github_client.time.sleep", naps.append)
    github.invisible = 60
    with pytest.raises(RemoteUnavailable, match="still setting up"):
        publish(Host(), ROUND_1)
    assert sum(naps) <= 3
    assert max(naps) <= 1
    with pytest.raises(RemoteUnavailable):
        ensure(Host(), known=True)
    github.repository("sum-of-sales").visible_from = 0
    assert publish(Host(), ROUND_1, known=True).created
    assert len(github.repositories()) == 1


def test_a_branch_whose_renaming_was_cut_off_is_renamed_by_the_next_run(github: GitHubEmulator) -> None:
    github.first_branch = "master"
    github.fault("POST", "/rename$", 1, "status")
    with pytest.raises(RemoteUnavailable):
        ensure(Host())
    assert publish(Host(), ROUND_1, known=True).sha == github.commits("sum-of-sales")[0]


def test_pages_not_visible_at_once_wait_even_in_a_later_run(github: GitHubEmulator) -> None:
    made = ensure(Host())
    repo = Repo(made.owner, made.name, made.url, made.pages_url)
    github.fault("POST", "/pages$", 2, "status", status=404, body=b'{"message": "Not Found"}')
    with pytest.raises(RemoteUnavailable):
        Host().enable_pages(repo)
    github.repository("sum-of-sales").created_at -= timedelta(minutes=5)
    with pytest.raises(GitHubRefused):
        Host().enable_pages(repo)


def test_a_default_branch_that_the_student_chose_is_left_alone(github: GitHubEmulator) -> None:
    made = publish(Host(), ROUND_1)
    repo = github.repository("sum-of-sales")
    repo.refs["heads/dev"], repo.default_branch = made.sha, "dev"
    assert ensure(Host(), known=True).branch == "main"
    assert set(repo.refs) == {"heads/main", "heads/dev"}


def test_a_repository_that_was_given_away_is_not_followed(github: GitHubEmulator) -> None:
    body = json.dumps({"full_name": "else/sum-of-sales", "owner": {"login": "else"}, "description": DESCRIPTION}).encode()
    github.fault("GET", "/repos/student/sum-of-sales$", 1, "status", status=200, body=body)
    repo = ensure(Host(), known=True)
    assert (repo.owner, repo.fresh) == ("student", True)


def test_a_repository_that_is_gone_for_good_is_refused(github: GitHubEmulator) -> None:
    with pytest.raises(GitHubRefused):
        commit(Host(), Repo("student", "gone", "", ""), ROUND_1)
