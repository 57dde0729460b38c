"""The local host keeps the promises of `tasks/hosts/base.py`: every call may be repeated."""

from __future__ import annotations

from datetime import timedelta, timezone
from pathlib import Path

import pytest

from tasks.errors import Internal, NameRefused, RemoteError, RemoteUnavailable, RepositoryConflict
from tasks.hosts import Head, Host, NewFile, Repo, get_host, local_store
from tasks.hosts.base import blob_sha
from tests.hosts.sites import GIT, NOON, SITE, assert_sound, commit, ensure, folder_of, git, new_file

needs_git = pytest.mark.skipif(GIT is None, reason="git is not installed")


@pytest.fixture
def host(settings, tmp_path: Path) -> Host:
    settings.DATA_DIR = tmp_path
    settings.PUBLIC_URL = "http://host.example"
    return get_host("local")


@pytest.fixture
def repo(host: Host) -> Repo:
    made = ensure(host)
    assert made is not None
    return made


# -- repositories ----------------------------------------------------------------------------------------------------------------------


def test_a_new_repository_has_its_addresses_and_no_commit(host: Host, repo: Repo) -> None:
    assert repo == Repo("local", "sum-of-sales", "http://host.example/repos/sum-of-sales.git", "http://host.example/pages/sum-of-sales/", fresh=True)
    assert host.head(repo) is None
    assert (folder_of(repo) / "HEAD").read_text() == "ref: refs/heads/main\n"
    assert (folder_of(repo) / "description").read_text() == "Sums the sales [deployer:m1]\n"
    assert_sound(folder_of(repo))


def test_a_repository_of_ours_is_adopted_with_what_it_holds(host: Host, repo: Repo) -> None:
    made = commit(host, repo, SITE)
    again = ensure(host)
    assert again is not None
    assert not again.fresh
    assert host.head(again) == Head(made.sha, made.tree_sha)


def test_a_name_that_belongs_to_another_task_is_left_alone(host: Host, repo: Repo) -> None:
    assert ensure(host, marker="m") is None
    assert ensure(host, marker="m12") is None
    assert local_store.description(folder_of(repo)) == "Sums the sales [deployer:m1]"


def test_capitals_do_not_make_another_repository(host: Host, repo: Repo) -> None:
    adopted = ensure(host, "Sum-Of-SALES")
    assert adopted is not None
    assert adopted.name == "sum-of-sales"
    assert ensure(host, "SUM-of-sales", marker="other") is None


def test_a_description_with_the_marker_in_it_is_kept_as_it_is(host: Host) -> None:
    host.ensure_repo("marked", description="Text [deployer:m9]", marker="m9", known=False)
    folder = local_store.locate("marked")
    assert folder is not None
    assert local_store.description(folder) == "Text [deployer:m9]"


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../up", "a/b", "a\\b", ".hidden", "-x", "x.git", "X.GIT", "x.lock", "a\0b", "a\n", "é", "a" * 101, "a b"]
)
def test_a_name_that_could_leave_the_folder_is_refused(host: Host, tmp_path: Path, name: str) -> None:
    with pytest.raises(NameRefused):
        ensure(host, name)
    assert local_store.locate(name) is None
    assert list(tmp_path.rglob("*")) == []


def test_a_folder_that_cannot_be_written_is_trouble_that_may_pass(host: Host, settings, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    settings.DATA_DIR = tmp_path / "file"
    with pytest.raises(RemoteUnavailable):
        ensure(host)


def test_a_repository_that_is_gone_is_an_error_with_a_cure(host: Host) -> None:
    with pytest.raises(RemoteError, match="re-run the round from publish"):
        host.head(Repo("local", "gone", "", ""))


def test_pages_are_on_from_the_start(host: Host, repo: Repo) -> None:
    assert host.enable_pages(repo) == host.enable_pages(repo) == "http://host.example/pages/sum-of-sales/"


# -- commits ---------------------------------------------------------------------------------------------------------------------------


def test_one_commit_holds_exactly_the_files(host: Host, repo: Repo) -> None:
    made = commit(host, repo, SITE)
    assert made.created
    assert made.changed == tuple(sorted(SITE))
    assert made.removed == ()
    assert host.read(repo, made.sha, {}) == SITE
    assert host.head(repo) == Head(made.sha, made.tree_sha)
    assert_sound(folder_of(repo))


@needs_git
def test_git_agrees_on_sha_tree_author_and_time(host: Host, repo: Repo) -> None:
    made = commit(host, repo, SITE, when=NOON.astimezone(timezone(timedelta(hours=5, minutes=30))), message="Build the page\n\nRound 1.")
    told = git("log", "-1", "--format=%H %T %an <%ae> %aI %cI|%B", cwd=folder_of(repo)).stdout
    time_there = "2026-11-20T17:30:00+05:30"
    assert told.strip() == f"{made.sha} {made.tree_sha} Deployer <deployer@localhost> {time_there} {time_there}|Build the page\n\nRound 1."
    assert git("ls-tree", "-r", "main", cwd=folder_of(repo)).stdout.splitlines()[0] == f"100644 blob {blob_sha(b'MIT')}\tLICENSE"


def test_a_second_commit_tells_what_it_changed_and_removed(host: Host, repo: Repo) -> None:
    first = commit(host, repo, SITE)
    second = commit(host, repo, {"index.html": b"<h1>Two</h1>", "LICENSE": b"MIT", "new.js": b"1"}, host.head(repo))
    assert second.changed == ("index.html", "new.js")
    assert second.removed == ("copy/of.csv", "data/sales.csv")
    assert [entry.sha for entry in local_store.history(folder_of(repo))] == [second.sha, first.sha]
    assert host.read(repo, first.sha, {}) == SITE


def test_an_equal_tree_makes_no_commit(host: Host, repo: Repo) -> None:
    first = commit(host, repo, SITE)
    second = commit(host, repo, SITE, host.head(repo), when=NOON + timedelta(hours=1), message="Again")
    assert (second.sha, second.created, second.changed) == (first.sha, False, ())


def test_a_repeat_of_an_interrupted_commit_finds_it_and_tells_its_paths(host: Host, repo: Repo) -> None:
    first = commit(host, repo, SITE)
    again = commit(host, repo, SITE, None)
    assert (again.sha, again.created, again.changed) == (first.sha, False, first.changed)


def test_the_same_content_and_time_give_the_same_sha(host: Host, repo: Repo) -> None:
    other = ensure(host, "other")
    assert other is not None
    assert commit(host, repo, SITE).sha == commit(host, other, dict(reversed(SITE.items()))).sha


def test_a_branch_that_moved_is_a_conflict_and_stays_as_it_is(host: Host, repo: Repo) -> None:
    commit(host, repo, SITE)
    before = host.head(repo)
    moved = commit(host, repo, {"index.html": b"theirs"}, before)
    for parent in (before, None, Head("0" * 40, "0" * 40)):
        with pytest.raises(RepositoryConflict):
            commit(host, repo, {"index.html": b"ours"}, parent)
    assert host.head(repo) == Head(moved.sha, moved.tree_sha)


@needs_git
def test_a_branch_in_packed_refs_is_still_the_branch(host: Host, repo: Repo) -> None:
    first = commit(host, repo, SITE)
    git("gc", "--quiet", cwd=folder_of(repo))
    assert not (folder_of(repo) / "refs/heads/main").exists()
    assert local_store.tip(folder_of(repo)) == first.sha
    second = commit(host, repo, {"index.html": b"2"}, host.head(repo))
    assert local_store.tip(folder_of(repo)) == second.sha
    assert host.read(repo, first.sha, {}) == SITE
    assert_sound(folder_of(repo))


def test_content_that_the_repository_holds_is_not_read_again(host: Host, repo: Repo) -> None:
    commit(host, repo, SITE)

    def refuse() -> bytes:
        raise AssertionError("read again")

    kept = [NewFile(path, blob_sha(data), len(data), refuse) for path, data in SITE.items()]
    made = host.commit(repo, [*kept, new_file("more.txt", b"more")], message="m", when=NOON, parent=host.head(repo), known_blobs=frozenset())
    assert made.changed == ("more.txt",)


def test_content_that_differs_from_its_name_is_refused(host: Host, repo: Repo) -> None:
    liar = NewFile("index.html", blob_sha(b"announced"), 9, lambda: b"delivered")
    with pytest.raises(Internal):
        host.commit(repo, [liar], message="m", when=NOON, parent=None, known_blobs=frozenset())
    assert host.head(repo) is None


def test_known_content_is_taken_from_the_caller(host: Host, repo: Repo) -> None:
    made = commit(host, repo, {"a.txt": b"stored", "b.txt": b"other"})
    assert host.read(repo, made.sha, {blob_sha(b"stored"): b"from the caller"}) == {"a.txt": b"from the caller", "b.txt": b"other"}


@pytest.mark.parametrize("sha", ["0" * 40, "nonsense", "", blob_sha(b"MIT")])
def test_reading_a_commit_that_is_not_there_is_a_remote_error(host: Host, repo: Repo, sha: str) -> None:
    commit(host, repo, SITE)
    with pytest.raises(RemoteError):
        host.read(repo, sha, {})


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/etc/passwd",
        "../up",
        "a/../b",
        "a//b",
        "a/",
        ".",
        ".git/config",
        ".GIT/hooks/x",
        "a/.git",
        "git~1",
        ".g\u200cit",
        ".gitmodules",
        "a\\b",
        "a\0b",
        "line\nbreak",
        "x" * 251,
    ],
)
def test_a_path_that_git_would_not_take_is_refused(host: Host, repo: Repo, path: str) -> None:
    with pytest.raises(NameRefused):
        commit(host, repo, {path: b"x"})
    assert host.head(repo) is None


@pytest.mark.parametrize("paths", [("a", "a/b"), ("a/b", "a"), ("a", "a")])
def test_two_files_in_one_place_are_refused(host: Host, repo: Repo, paths: tuple[str, str]) -> None:
    with pytest.raises(NameRefused):
        host.commit(repo, [new_file(path, b"x") for path in paths], message="m", when=NOON, parent=None, known_blobs=frozenset())


def test_names_beyond_ascii_come_back_as_they_went_in(host: Host, repo: Repo) -> None:
    contents = {"données/été.csv": b"1", "日本.txt": b"2", "with space.md": b"3", ".nojekyll": b""}
    assert host.read(repo, commit(host, repo, contents).sha, {}) == contents
    assert_sound(folder_of(repo))


# -- the readers' helpers --------------------------------------------------------------------------------------------------------------


def test_a_file_is_read_by_name_from_the_last_commit(host: Host, repo: Repo) -> None:
    assert local_store.read_file(repo.name, "index.html") is None
    commit(host, repo, SITE)
    assert local_store.read_file(repo.name, "data/sales.csv") == b"a,1\n"
    assert local_store.read_file(repo.name, "missing") is None
    assert local_store.read_file("missing", "index.html") is None
    assert local_store.read_file("../sum-of-sales", "index.html") is None


def test_the_cache_keeps_the_last_used_within_its_bytes() -> None:
    cache = local_store.BlobCache(limit=80)
    for name in "abcdefgh":
        cache.put(name, b"x" * 10)
    cache.get("a")
    cache.put("i", b"x" * 10)
    cache.put("large", b"x" * 11)
    assert (cache.get("a"), cache.get("b"), cache.get("large"), cache.size) == (b"x" * 10, None, None, 80)
