"""Repositories of the local host that nobody refers to, and only those."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tasks.hosts import NewFile, get_host, local_store
from tasks.hosts.base import blob_sha
from tasks.models import TaskRequest
from tasks.retention import repositories
from tests.factories import make_task
from tests.retention.conftest import pruned_after

pytestmark = pytest.mark.django_db


def make_repo(task: TaskRequest, name: str) -> Path:
    host = get_host("local")
    repo = host.ensure_repo(name, description="a task", marker=task.marker, known=False)
    assert repo is not None
    content = b"<h1>page</h1>"
    file = NewFile(path="index.html", blob_sha=blob_sha(content), size=len(content), read=lambda: content)
    host.commit(repo, [file], message="m", when=datetime.now(UTC), parent=None, known_blobs=frozenset())
    return local_store.root() / f"{name}.git"


@pytest.fixture
def orphan() -> Path:
    task = make_task()
    folder = make_repo(task, "orphan")
    task.delete()
    return folder


def test_a_repository_without_a_task_stays_unless_it_is_asked_for(orphan: Path) -> None:
    pruned_after(400)
    assert local_store.read_file("orphan", "index.html")
    pruned = pruned_after(400, repos=True)
    assert pruned.repositories == ["orphan"]
    assert local_store.read_file("orphan", "index.html") is None
    assert [path.name for path in local_store.root().iterdir()] == [".lock"]


def test_a_dry_run_names_it_and_leaves_it(orphan: Path) -> None:
    assert pruned_after(400, repos=True, dry_run=True).repositories == ["orphan"]
    assert orphan.is_dir()


def test_it_stays_while_it_is_young(orphan: Path) -> None:
    assert pruned_after(300, repos=True).repositories == []


def test_the_repository_of_an_old_task_goes_in_the_same_run() -> None:
    make_repo(make_task(), "old")
    pruned = pruned_after(400, repos=True)
    assert (pruned.counts["tasks"], pruned.repositories) == (1, ["old"])


def test_what_a_task_refers_to_or_what_is_not_ours_stays() -> None:
    task = make_task()
    ours = make_repo(task, "ours")
    other = make_repo(task, "other")
    (other / "description").write_text("somebody's own\n")
    os.utime(ours / "description", (0, 0))
    for folder in (ours, other):
        for path in (folder / "refs" / "heads", folder / "refs" / "heads" / "main", folder / "description"):
            os.utime(path, (0, 0))
    assert pruned_after(0, repos=True).repositories == []


def test_a_repository_is_told_by_its_marker_not_by_its_name(orphan: Path) -> None:
    make_task(repo_host="local", repo_name="orphan")
    assert pruned_after(400, repos=True, dry_run=True).repositories == ["orphan"]
    again = repositories.Kept(orphan, "0" * 12)
    assert not repositories.remove(again)
    assert orphan.is_dir()


def test_what_a_killed_removal_left_is_finished_by_the_next_one(orphan: Path) -> None:
    left = local_store.root() / f"{repositories.GONE}abc"
    (left / "objects").mkdir(parents=True)
    pruned_after(400, repos=True)
    assert not left.exists()


def test_there_need_not_be_any_repository() -> None:
    assert pruned_after(400, repos=True).repositories == []
