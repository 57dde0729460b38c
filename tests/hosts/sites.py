"""What the local host's tests share: files, commits and a look at the repository with the real git."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from tasks.hosts import Commit, Head, Host, NewFile, Repo, get_host, local_store
from tasks.hosts.base import blob_sha

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
GIT = shutil.which("git")
SITE = {"index.html": b"<h1>Hello</h1>", "data/sales.csv": b"a,1\n", "LICENSE": b"MIT", "copy/of.csv": b"a,1\n"}


def new_file(path: str, data: bytes) -> NewFile:
    return NewFile(path=path, blob_sha=blob_sha(data), size=len(data), read=lambda: data)


def new_files(contents: dict[str, bytes]) -> list[NewFile]:
    return [new_file(path, data) for path, data in contents.items()]


def ensure(host: Host, name: str = "sum-of-sales", marker: str = "m1") -> Repo | None:
    return host.ensure_repo(name, description="Sums the sales", marker=marker, known=False)


def commit(host: Host, repo: Repo, contents: dict[str, bytes], parent: Head | None = None, when: datetime = NOON, message: str = "Build") -> Commit:
    return host.commit(repo, new_files(contents), message=message, when=when, parent=parent, known_blobs=frozenset())


def folder_of(repo: Repo) -> Path:
    folder = local_store.locate(repo.name)
    assert folder is not None
    return folder


def publish(name: str, contents: dict[str, bytes], message: str = "Build the page") -> tuple[Repo, Commit]:
    """One commit on what is there, as the publish stage makes it."""
    host = get_host("local")
    repo = host.ensure_repo(name, description="A page", marker="abc", known=False)
    assert repo is not None
    return repo, host.commit(repo, new_files(contents), message=message, when=NOON, parent=host.head(repo), known_blobs=frozenset())


def git(*arguments: str, cwd: Path, check: bool = True, stdin: str = "") -> subprocess.CompletedProcess[str]:
    assert GIT is not None
    command = [GIT, "-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "safe.directory=*", *arguments]
    done = subprocess.run(command, cwd=cwd, input=stdin, capture_output=True, text=True, timeout=60)
    assert not check or done.returncode == 0, done.stderr
    return done


def assert_sound(folder: Path) -> None:
    """git's own strict check of a repository; nothing to say where there is no git."""
    if GIT is not None and folder.is_dir():
        done = git("fsck", "--strict", "--full", "--no-dangling", cwd=folder)
        said = [line for line in (done.stdout + done.stderr).splitlines() if not line.startswith("notice:")]  # an unborn branch is none of its errors
        assert said == []
