"""The GitHub host, through the real PyGithub, against the emulator over HTTP: what it does when all goes well."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tasks.errors import (
    Misconfigured,
    RemoteUnavailable,
)
from tasks.hosts import Commit, NewFile, Repo, get_host
from tasks.hosts.base import blob_sha
from tasks.hosts.github import Host
from tasks.hosts.github_tree import as_text, tree_sha
from tests.emulators.github import GitHubEmulator
from tests.hosts.publishing import MARKER, PNG, ROUND_1, WHEN, commit, ensure, new_files, publish

pytestmark = pytest.mark.django_db


# -- the usual way ---------------------------------------------------------------------------------------------------------------------


def test_a_first_round_takes_five_requests(github: GitHubEmulator) -> None:
    host = Host()
    publish(host, ROUND_1)
    assert [(call.method, call.status) for call in github.api_requests()] == [("POST", 201)] * 3 + [("PATCH", 200), ("POST", 201)]
    assert host.requests == 5


def test_a_first_round_takes_one_more_request_for_each_binary_file(github: GitHubEmulator) -> None:
    host = Host()
    publish(host, {**ROUND_1, "logo.png": PNG, "same.png": PNG, "data.bin": b"\xff\x00"})
    assert host.requests == 7
    assert github.files("student", "sum-of-sales")["same.png"] == PNG


def test_the_branch_holds_exactly_the_files_in_one_commit(github: GitHubEmulator) -> None:
    made = publish(Host(), ROUND_1)
    assert github.files("student", "sum-of-sales") == ROUND_1
    assert github.commits("sum-of-sales") == [made.sha]
    assert made.created
    assert set(made.changed) == set(ROUND_1)


def test_a_second_round_takes_four_requests(github: GitHubEmulator) -> None:
    publish(Host(), ROUND_1)
    before = len(github.api_requests())
    host = Host()
    repo = Repo("student", "sum-of-sales", "", "")
    known = frozenset(blob_sha(data) for data in ROUND_1.values())
    made = commit(host, repo, {**ROUND_1, "index.html": b"<h1>two</h1>"}, host.head(repo), known)
    calls = github.api_requests()[before:]
    assert [call.method for call in calls] == ["GET", "POST", "POST", "PATCH"]
    assert made.changed == ("index.html",)
    assert len(github.commits("sum-of-sales")) == 2


def test_unchanged_files_are_named_by_their_sha_and_not_read(github: GitHubEmulator) -> None:
    publish(Host(), ROUND_1)
    host = Host()
    repo = Repo("student", "sum-of-sales", "", "")

    def refuse() -> bytes:
        raise AssertionError("this content is on GitHub already")

    kept = [NewFile(path, blob_sha(data), len(data), refuse) for path, data in ROUND_1.items()]
    new = new_files({"new.png": PNG})
    known = frozenset(file.blob_sha for file in kept)
    host.commit(repo, [*kept, *new], message="Add", when=WHEN, parent=host.head(repo), known_blobs=known)
    assert host.requests == 5
    assert github.files("student", "sum-of-sales") == {**ROUND_1, "new.png": PNG}


def test_a_commit_removes_the_files_that_are_not_named(github: GitHubEmulator) -> None:
    publish(Host(), ROUND_1)
    host = Host()
    repo = ensure(host, known=True)
    parent = host.head(repo)
    assert parent is not None
    host.read(repo, parent.commit_sha, {})
    made = commit(host, repo, {"index.html": b"alone", "LICENSE": b"MIT"}, parent)
    assert set(github.files("student", "sum-of-sales")) == {"index.html", "LICENSE"}
    assert made.changed == ("index.html",)
    assert made.removed == (".nojekyll", "README.md", "js/app.js")


def test_the_repository_is_public_and_carries_the_marker(github: GitHubEmulator) -> None:
    repo = Host().ensure_repo("sum-of-sales", description="Line one\nline two", marker=MARKER, known=False)
    stored = github.repository("sum-of-sales")
    assert repo == Repo(
        "student", "sum-of-sales", f"{github.url}/student/sum-of-sales", f"{github.url}/pages/student/sum-of-sales/", "main", fresh=True
    )
    assert not stored.private
    assert stored.description == f"Line one line two [deployer:{MARKER}]"


def test_the_name_that_github_gives_is_the_name(github: GitHubEmulator) -> None:
    assert ensure(Host(), "a b/c").name == "a-b-c"


def test_the_branch_is_main_whatever_the_account_calls_its_first_one(github: GitHubEmulator) -> None:
    github.first_branch = "master"
    made = publish(Host(), ROUND_1)
    assert github.repository("sum-of-sales").refs == {"heads/main": made.sha}


def test_the_commit_is_by_the_service_at_the_given_time(github: GitHubEmulator) -> None:
    made = publish(Host(), ROUND_1)
    stored: Any = github.repository("sum-of-sales").objects[made.sha]
    assert stored.author == stored.committer == b"Deployer <noreply@deployer.invalid>"
    assert stored.author_time == stored.commit_time == int(WHEN.timestamp())


def test_an_equal_tree_is_not_committed_again(github: GitHubEmulator) -> None:
    made = publish(Host(), ROUND_1)
    host = Host()
    repo = Repo("student", "sum-of-sales", "", "")
    again = commit(host, repo, ROUND_1, host.head(repo))
    assert again == Commit(made.sha, made.tree_sha, created=False, changed=())
    assert host.requests == 1


def test_the_host_is_loaded_by_its_name(github: GitHubEmulator) -> None:
    assert isinstance(get_host("github"), Host)


def test_without_a_token_there_is_no_host(settings: Any) -> None:
    settings.GITHUB_TOKEN = ""
    with pytest.raises(Misconfigured):
        Host()


def test_text_above_a_megabyte_goes_through_a_blob(github: GitHubEmulator) -> None:
    host = Host()
    publish(host, {**ROUND_1, "data.csv": b"1,2,3\n" * 200_000})
    assert host.requests == 6


def test_inline_text_stays_below_what_github_takes_in_one_tree(github: GitHubEmulator) -> None:
    publish(Host(), {f"part{number}.csv": b"%d,2,3\n" % number * 150_000 for number in range(4)})
    trees = [call for call in github.writes() if call.path.endswith("/git/trees")]
    assert len(trees[0].body) < 2_500_000
    assert sum(call.path.endswith("/git/blobs") for call in github.writes()) == 2


@pytest.mark.parametrize("data", [b"a\x00b", b"\xef\xbb\xbfa", b"\xff\xfe"])
def test_bytes_that_json_would_not_keep_are_no_text(data: bytes) -> None:
    assert as_text(data) is None


def test_the_tree_is_named_as_git_names_it() -> None:
    # `git write-tree` of these two files in git 2.39
    files = {"a.txt": blob_sha(b"hello\n"), "dir/b.txt": blob_sha(b"")}
    assert tree_sha(files) == GIT_TREE


GIT_TREE = "a6e4e42b8d1ab8fb03d30d8a2a1b31768502fe26"


# -- reading ---------------------------------------------------------------------------------------------------------------------------


def test_reading_fetches_only_what_is_not_known(github: GitHubEmulator) -> None:
    publish(Host(), {**ROUND_1, "logo.png": PNG})
    host = Host()
    repo = Repo("student", "sum-of-sales", "", "")
    head = host.head(repo)
    assert head is not None
    known = {blob_sha(data): data for data in ROUND_1.values()}
    assert host.read(repo, head.commit_sha, known) == {**ROUND_1, "logo.png": PNG}
    assert host.requests == 3


def test_reading_leaves_out_files_above_five_megabytes(github: GitHubEmulator) -> None:
    publish(Host(), ROUND_1)
    sha = github.student_edit("sum-of-sales", "video.bin", bytes(5 * 1024 * 1024 + 1))
    assert Host().read(Repo("student", "sum-of-sales", "", ""), sha, {}) == ROUND_1


def test_reading_fetches_fifty_files_at_most(github: GitHubEmulator) -> None:
    publish(Host(), {f"{number}.txt": b"%d" % number for number in range(60)})
    host = Host()
    repo = Repo("student", "sum-of-sales", "", "")
    assert len(host.read(repo, github.commits("sum-of-sales")[0], {})) == 50
    assert host.requests == 51


def test_a_blob_that_is_not_what_it_should_be_is_not_taken(github: GitHubEmulator) -> None:
    made = publish(Host(), ROUND_1)
    body = json.dumps({"content": base64.b64encode(b"other").decode(), "encoding": "base64"}).encode()
    github.fault("GET", r"/git/blobs/", 1, "status", status=200, body=body)
    with pytest.raises(RemoteUnavailable):
        Host().read(Repo("student", "sum-of-sales", "", ""), made.sha, {})


def test_an_empty_repository_has_no_head(github: GitHubEmulator) -> None:
    github.add_repository("student", "empty")
    assert Host().head(Repo("student", "empty", "", "")) is None


# -- Pages -----------------------------------------------------------------------------------------------------------------------------


def test_pages_are_switched_on_for_the_branchs_root(github: GitHubEmulator) -> None:
    host = Host()
    repo = ensure(host)
    assert host.enable_pages(repo) == f"{github.url}/pages/student/sum-of-sales/"
    pages = github.repository("sum-of-sales").pages
    assert pages is not None
    assert (pages.branch, pages.path) == ("main", "/")


def test_pages_that_are_on_already_are_fine(github: GitHubEmulator) -> None:
    host = Host()
    repo = ensure(host)
    host.enable_pages(repo)
    assert host.enable_pages(repo) == repo.pages_url
    assert "PUT" not in [call.method for call in github.api_requests()]


def test_pages_with_another_source_are_moved_and_built(github: GitHubEmulator) -> None:
    host = Host()
    repo = ensure(host)
    host.enable_pages(repo)
    pages = github.repository("sum-of-sales").pages
    assert pages is not None
    pages.path = "/docs"
    host.enable_pages(repo)
    assert pages.path == "/"
    assert [call.path.rsplit("/", 1)[-1] for call in github.writes()[-2:]] == ["pages", "builds"]


def test_pages_wait_for_the_branch(github: GitHubEmulator) -> None:
    repo = ensure(Host())
    github.repository("sum-of-sales").refs.clear()
    with pytest.raises(RemoteUnavailable):
        Host().enable_pages(repo)
