"""The local host stays whole when its writers race or are killed."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tasks.errors import RepositoryConflict
from tasks.hosts import Host, Repo, get_host, local_store
from tests.hosts.sites import SITE, assert_sound, commit, ensure, folder_of


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


def in_child(work: Callable[[], None]) -> int:
    """Runs `work` in a forked process and gives its pid; the exit code is 0 when it returned."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        work()
        code = 0
    finally:
        os._exit(code)


def killed_at(step: int, work: Callable[[], None]) -> Callable[[], None]:
    """`work`, killed like `kill -9` just before its `step`-th open, mkdir, rename or unlink."""

    def run() -> None:
        left = step

        def hook(event: str, _arguments: tuple) -> None:
            nonlocal left
            if event in {"open", "os.mkdir", "os.rename", "os.remove", "os.chmod", "fcntl.flock"}:
                left -= 1
                if left < 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(hook)
        work()

    return run


def steps_until_it_survives(work: Callable[[], None], after_each_kill: Callable[[], None]) -> int:
    for step in range(500):
        _, status = os.waitpid(in_child(killed_at(step, work)), 0)
        if os.WIFEXITED(status):
            assert os.WEXITSTATUS(status) == 0
            return step
        assert os.WTERMSIG(status) == signal.SIGKILL
        after_each_kill()
    raise AssertionError("never finished")


def age_locks(folder: Path) -> None:
    """As if the time had passed after which git's ref lock counts as left behind."""
    for lock in folder.rglob("*.lock"):
        os.utime(lock, (time.time() - 60, time.time() - 60))


def test_a_kill_at_any_moment_of_creating_leaves_no_half_repository(host: Host) -> None:
    def check() -> None:
        folder = local_store.locate("sum-of-sales")
        if folder is not None:
            assert (folder / "description").read_text() == "Sums the sales [deployer:m1]\n"
            assert (folder / "HEAD").read_text() == "ref: refs/heads/main\n"
            assert local_store.tip(folder) is None

    def create() -> None:
        assert ensure(host) is not None

    assert steps_until_it_survives(create, check) > 20
    assert ensure(host, "next") is not None
    assert sorted(path.name for path in local_store.root().iterdir()) == [".lock", "next.git", "sum-of-sales.git"]


def test_a_kill_at_any_moment_of_a_commit_leaves_the_old_or_the_new_one(host: Host, repo: Repo) -> None:
    twin = ensure(host, "twin")
    assert twin is not None
    wanted = {**SITE, "index.html": b"<h1>Second</h1>"}
    first = commit(host, twin, SITE)
    second = commit(host, twin, wanted, host.head(twin))
    assert commit(host, repo, SITE).sha == first.sha
    parent = host.head(repo)
    folder = folder_of(repo)
    seen = set()

    def check() -> None:
        sha = local_store.tip(folder)
        seen.add(sha)
        assert host.read(repo, str(sha), {}) == (SITE if sha == first.sha else wanted)
        assert_sound(folder)
        age_locks(folder)

    def work() -> None:
        if local_store.tip(folder) == second.sha:  # a former child was killed just after the branch had moved
            return
        commit(host, repo, wanted, parent)

    assert steps_until_it_survives(work, check) > 10
    assert first.sha in seen
    again = commit(host, repo, wanted, parent)
    assert (again.sha, again.created, again.changed) == (second.sha, False, ("index.html",))
    assert [entry.sha for entry in local_store.history(folder)] == [second.sha, first.sha]
    assert [path.name for path in folder.rglob("*.lock") if path.name != "deployer.lock"] == []
    assert_sound(folder)


def test_writers_in_several_processes_lose_no_commit(host: Host, repo: Repo) -> None:
    def write(writer: int) -> None:
        for number in range(5):
            while True:
                try:
                    commit(host, repo, {"index.html": f"{writer}.{number}".encode()}, host.head(repo), message=f"{writer}.{number}")
                except RepositoryConflict:
                    continue
                break

    children = [in_child(lambda writer=writer: write(writer)) for writer in range(3)]
    assert [os.waitpid(pid, 0)[1] for pid in children] == [0, 0, 0]
    messages = [entry.subject for entry in local_store.history(folder_of(repo), 99)]
    assert sorted(messages) == [f"{writer}.{number}" for writer in range(3) for number in range(5)]
    assert_sound(folder_of(repo))


def test_processes_that_ask_for_one_name_at_once_get_one_repository(host: Host) -> None:
    names = ["Same", "same", "SAME", "sAME"]
    children = [in_child(lambda name=name: ensure(host, name, marker=name)) for name in names]  # type: ignore[arg-type, return-value]
    assert [os.waitpid(pid, 0)[1] for pid in children] == [0, 0, 0, 0]
    assert len(list(local_store.root().glob("*.git"))) == 1


def test_a_git_program_that_holds_the_branch_is_waited_for(host: Host, repo: Repo) -> None:
    lock = folder_of(repo) / "refs/heads/main.lock"
    lock.touch()

    def release() -> None:
        time.sleep(0.2)
        lock.unlink()

    started = time.monotonic()
    child = in_child(release)
    made = commit(host, repo, SITE)
    os.waitpid(child, 0)
    assert time.monotonic() - started >= 0.15
    assert made.created
