"""The emulator keeps GitHub's rules for repositories: what the host is tested against has to be right itself."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest
import requests
from github import InputGitTreeElement
from github.Repository import Repository

from tests.emulators.github import GitHubEmulator
from tests.emulators.github_asking import client, push, refused, text


@pytest.fixture
def github() -> Iterator[GitHubEmulator]:
    with GitHubEmulator() as emulator:
        yield emulator


@pytest.fixture
def repo(github: GitHubEmulator) -> Repository:
    return client(github).get_user().create_repo("site", auto_init=True)


# -- accounts and repositories ---------------------------------------------------------------------------------------------------------


def test_a_wrong_token_is_401(github: GitHubEmulator) -> None:
    with refused(401, "Bad credentials"):
        client(github, "wrong").get_user().create_repo("site")


def test_a_request_without_a_user_agent_is_403(github: GitHubEmulator) -> None:
    assert requests.get(f"{github.url}/user", headers={"User-Agent": ""}, timeout=5).status_code == 403


def test_anybody_may_read_a_public_repository_and_nobody_a_private_one(github: GitHubEmulator) -> None:
    github.add_repository("student", "open")
    github.add_repository("student", "closed", private=True)
    assert requests.get(f"{github.url}/repos/student/open", timeout=5).status_code == 200
    assert requests.get(f"{github.url}/repos/student/closed", timeout=5).status_code == 404


def test_somebody_elses_repository_cannot_be_written(github: GitHubEmulator) -> None:
    github.add_repository("else", "theirs")
    with refused(403, "admin rights"):
        client(github).get_repo("else/theirs").edit(description="mine")


@pytest.mark.parametrize(
    ("asked", "given"), [("Åström", "-str-m"), ("abc;def*_ghi", "abc-def-_ghi"), ("x.git", "x"), ("x.git.git", "x"), ("z" * 100, "z" * 100)]
)
def test_a_name_is_folded(github: GitHubEmulator, asked: str, given: str) -> None:
    assert client(github).get_user().create_repo(asked).name == given


@pytest.mark.parametrize(("name", "words"), [("z" * 101, "100 characters"), ("..", "reserved"), ("SITE", "name already exists on this account")])
def test_a_name_that_cannot_be_is_422(github: GitHubEmulator, repo: Repository, name: str, words: str) -> None:
    with refused(422, words):
        client(github).get_user().create_repo(name)


@pytest.mark.parametrize(("description", "words"), [("x" * 351, "350 characters"), ("a\tb", "control characters")])
def test_a_description_that_cannot_be_is_422(github: GitHubEmulator, description: str, words: str) -> None:
    with refused(422, words):
        client(github).get_user().create_repo("site", description=description)


def test_auto_init_makes_a_readme_and_nothing_else(github: GitHubEmulator) -> None:
    client(github).get_user().create_repo("site", description="About it", auto_init=True)
    assert github.files("student", "site") == {"README.md": b"# site\nAbout it\n"}


def test_a_new_repository_is_invisible_for_a_while(github: GitHubEmulator) -> None:
    github.invisible = 60
    client(github).get_user().create_repo("site")
    with refused(404, "Not Found"):
        client(github).get_repo("student/site")
    github.repository("site").visible_from = 0
    assert client(github).get_repo("student/site").name == "site"


def test_the_first_branch_has_the_accounts_own_name_and_can_be_renamed(github: GitHubEmulator) -> None:
    github.first_branch = "master"
    made = client(github).get_user().create_repo("site", auto_init=True)
    assert made.default_branch == "master"
    made.rename_branch("master", "main")
    assert client(github).get_repo("student/site").default_branch == "main"
    assert not made.rename_branch("master", "main")


# -- the Git database ------------------------------------------------------------------------------------------------------------------


def test_an_empty_repository_refuses_the_git_database(github: GitHubEmulator) -> None:
    empty = client(github).get_user().create_repo("empty")
    for call in (
        lambda: empty.create_git_blob("x", "utf-8"),
        lambda: empty.create_git_tree([text("a", "x")]),
        lambda: empty.get_git_ref("heads/main"),
    ):
        with refused(409, "Git Repository is empty."):
            call()


def test_blobs_have_gits_own_sha(repo: Repository) -> None:
    assert repo.create_git_blob("hello\n", "utf-8").sha == "ce013625030ba8dba906f756967f9e9ca394464a"
    assert repo.create_git_blob(base64.b64encode(b"hello\n").decode(), "base64").sha == "ce013625030ba8dba906f756967f9e9ca394464a"


def test_broken_base64_is_stored_wrong_instead_of_refused(repo: Repository) -> None:
    assert repo.create_git_blob("aGVsbG8K*", "base64").sha


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/a", "tree.path cannot start with a slash"),
        ("a//b", "malformed path component"),
        (".git/config", "malformed path component"),
        ("a/.GIT/b", "malformed path component"),
    ],
)
def test_a_bad_path_is_422(repo: Repository, path: str, words: str) -> None:
    with refused(422, words):
        repo.create_git_tree([text(path, "x")])


@pytest.mark.parametrize("entry", [{}, {"content": "x", "sha": "0" * 40}])
def test_an_entry_has_either_content_or_sha(github: GitHubEmulator, repo: Repository, entry: dict[str, str]) -> None:
    body = {"tree": [{"path": "a", "mode": "100644", "type": "blob", **entry}]}
    answer = requests.post(f"{repo.url}/git/trees", json=body, headers={"Authorization": f"Bearer {github.token}"}, timeout=5)
    assert answer.status_code == 422


def test_a_tree_that_names_an_unknown_blob_is_422(repo: Repository) -> None:
    with refused(422, "is not a valid blob"):
        repo.create_git_tree([InputGitTreeElement("a", "100644", "blob", sha="0" * 40)])


def test_a_base_tree_is_kept_under_the_new_entries(github: GitHubEmulator, repo: Repository) -> None:
    base = repo.create_git_tree([text("a", "1"), text("dir/b", "2")])
    tree = repo.create_git_tree([text("dir/c", "3"), InputGitTreeElement("a", "100644", "blob", sha=None)], base)
    assert [entry.path for entry in repo.get_git_tree(tree.sha, recursive=True).tree] == ["dir", "dir/b", "dir/c"]


def test_an_unknown_base_tree_is_422(repo: Repository) -> None:
    body = {"base_tree": "0" * 40, "tree": [{"path": "a", "mode": "100644", "type": "blob", "content": "x"}]}
    with refused(422, "base_tree is not a valid tree oid"):
        repo.requester.requestJsonAndCheck("POST", f"{repo.url}/git/trees", input=body)


def test_any_value_of_recursive_means_yes(github: GitHubEmulator, repo: Repository) -> None:
    push(repo, {"dir/a": "1"})
    for query, count in (("", 1), ("?recursive=0", 2), ("?recursive=false", 2)):
        assert len(requests.get(f"{repo.url}/git/trees/main{query}", timeout=5).json()["tree"]) == count


def test_a_commit_of_an_unknown_tree_or_parent_is_422(repo: Repository) -> None:
    _, data = repo.requester.requestJsonAndCheck("POST", f"{repo.url}/git/trees", input={"tree": [{"path": "a", "mode": "100644", "content": "x"}]})
    with refused(422, "Tree SHA does not exist"):
        repo.requester.requestJsonAndCheck("POST", f"{repo.url}/git/commits", input={"message": "m", "tree": "0" * 40})
    with refused(422, "Parent SHA does not exist"):
        repo.requester.requestJsonAndCheck("POST", f"{repo.url}/git/commits", input={"message": "m", "tree": data["sha"], "parents": ["0" * 40]})


def test_a_workflow_file_needs_its_scope(github: GitHubEmulator, repo: Repository) -> None:
    with refused(404, "Not Found"):
        push(repo, {".github/workflows/x.yml": "on: push"})
    github.workflow_scope = True
    push(repo, {".github/workflows/x.yml": "on: push"})


def test_a_branch_moves_forward_only_unless_it_is_forced(github: GitHubEmulator, repo: Repository) -> None:
    first = push(repo, {"a": "1"})
    push(repo, {"a": "2"})
    ref = repo.get_git_ref("heads/main")
    with refused(422, "Update is not a fast forward"):
        ref.edit(first)
    ref.edit(first, force=True)
    ref.edit(first)
    assert github.commits("site")[0] == first


def test_refs_that_cannot_be_are_422(repo: Repository) -> None:
    sha = push(repo, {"a": "1"})
    blob = repo.create_git_blob("x", "utf-8").sha
    cells = [
        ("refs/heads/main", sha, "Reference already exists"),
        ("refs/heads/new", "0" * 40, "Object does not exist"),
        ("refs/heads/new", blob, "Reference update failed"),
        ("refs/new", sha, "three slash-separated"),
        ("heads/new", sha, "must start with 'refs/'"),
    ]
    for ref, target, words in cells:
        with refused(422, words):
            repo.create_git_ref(ref, target)


def test_a_commit_is_read_back_as_it_was_written(repo: Repository) -> None:
    sha = push(repo, {"a": "1"}, "A message\n\nwith a body")
    commit = repo.get_commit("main")
    assert (commit.sha, commit.commit.message) == (sha, "A message\n\nwith a body")
    assert repo.get_branch("main").commit.commit.tree.sha == repo.get_git_commit(sha).tree.sha
    assert next(iter(repo.get_commits())).sha == sha


# -- contents --------------------------------------------------------------------------------------------------------------------------


def test_contents_are_written_and_read(github: GitHubEmulator, repo: Repository) -> None:
    made = repo.create_file("dir/a.txt", "Add", b"one")
    repo.update_file("dir/a.txt", "Change", b"two", made["content"].sha)
    assert repo.get_contents("dir/a.txt").decoded_content == b"two"
    assert [item.path for item in repo.get_contents("dir")] == ["dir/a.txt"]


def test_contents_are_changed_only_with_the_right_sha(repo: Repository) -> None:
    repo.create_file("a.txt", "Add", b"one")
    with refused(422, "supplied"):
        repo.create_file("a.txt", "Again", b"two")
    with refused(409, "does not match"):
        repo.update_file("a.txt", "Change", b"two", "0" * 40)


def test_the_first_file_starts_an_empty_repository(github: GitHubEmulator) -> None:
    client(github).get_user().create_repo("empty").create_file("a.txt", "Add", b"one", branch="main")
    assert github.files("student", "empty") == {"a.txt": b"one"}


def test_push_protection_answers_409_with_a_place_to_ask(github: GitHubEmulator, repo: Repository) -> None:
    github.secrets.append(b"key-to-everything")
    with refused(409, "bypass_placeholders"):
        repo.create_git_blob("my key-to-everything", "utf-8")
