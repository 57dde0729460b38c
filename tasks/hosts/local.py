"""Repositories on this machine: bare git repositories that the service itself serves (`tasks/api/pages.py`, `tasks/api/repos.py`).

No git program is needed, dulwich writes the objects. What the base class asks for is kept so:
- a repository is built beside its place and renamed into it, so it is there whole or not at all;
- a commit is one pack, forced to the disk before the branch moves, so a kill at any moment leaves the old commit or the new one;
- one `flock` a repository keeps our writers apart; the branch itself moves by compare-and-swap under git's own ref lock.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from django.conf import settings
from dulwich.file import FileLocked
from dulwich.objects import ZERO_SHA, Blob, ObjectID, ShaFile
from dulwich.objects import Commit as GitCommit
from dulwich.repo import Repo as GitRepo

from tasks.errors import Internal, NameRefused, RemoteError, RemoteUnavailable, RepositoryConflict
from tasks.hosts import base, local_store

OWNER = "local"
IDENTITY = b"Deployer <deployer@localhost>"  # fixed, so that the same commit made again has the same sha
WRITER_PATIENCE = 10.0  # seconds to wait for another of our writers, which needs milliseconds
REF_LOCK_AGE = 2.0  # seconds after which git's ref lock was left behind by a killed process; a living one holds it for milliseconds


class Host(base.Host):
    name = "local"

    def ensure_repo(self, name: str, *, description: str, marker: str, known: bool) -> base.Repo | None:
        if not local_store.is_name(name):
            raise NameRefused(f"{name!r} cannot be the name of a repository; use letters, digits, dots, dashes and underscores.")
        self.requests += 1
        tag = f"[deployer:{marker}]"
        text = description if tag in description else base.clean_description(description, marker)
        with _disk():
            local_store.root().mkdir(parents=True, exist_ok=True)
            with locked(local_store.root() / ".lock"):
                folder = local_store.find(name)
                if folder is None:
                    folder = _create(name, text)
                elif tag not in local_store.description(folder):
                    return None
            return _repo(folder)

    def head(self, repo: base.Repo) -> base.Head | None:
        self.requests += 1
        with _disk(), local_store.open_repo(_folder(repo)) as git:
            commit = _tip(git)
            return commit and base.Head(commit.id.decode(), commit.tree.decode())

    def read(self, repo: base.Repo, commit_sha: str, known: dict[str, bytes]) -> dict[str, bytes]:
        self.requests += 1
        folder = _folder(repo)
        with _disk():
            try:
                files = local_store.listing(folder, commit_sha)
                return {path: known[sha] if sha in known else local_store.blob(folder, sha) for path, sha in files.items()}
            except KeyError as error:
                raise RemoteError(f"The repository {repo.name} does not hold the commit {commit_sha[:40]} whole.", detail=str(error)) from error

    def commit(
        self,
        repo: base.Repo,
        files: Sequence[base.NewFile],
        *,
        message: str,
        when: datetime,
        parent: base.Head | None,
        known_blobs: frozenset[str],
    ) -> base.Commit:
        self.requests += 1
        tree, trees = local_store.build_trees(files)
        folder = _folder(repo)
        parents = [ObjectID(parent.commit_sha.encode())] if parent else []
        with _disk(), locked(folder / "deployer.lock"), local_store.open_repo(folder) as git:
            tip = _tip(git)
            if tip is not None and tip.tree == tree.id:
                # Nothing to do: the content is the same, or this very commit was made before a crash and its paths are still to be told.
                changed, removed = _difference(folder, parent, files) if tip.parents == parents else ((), ())
                return base.Commit(tip.id.decode(), tip.tree.decode(), False, changed, removed)
            if [tip.id] != parents if tip else parents:
                raise RepositoryConflict(detail=f"main is at {tip.id.decode() if tip else 'no commit'}, not at {parent and parent.commit_sha}")

            commit = _commit_object(tree.id, parents, message, when)
            _store(folder, git, [*_new_blobs(git, files), *(item for item in trees if item.id not in git.object_store), commit])
            _move_branch(folder, git, parents[0] if parents else ZERO_SHA, commit.id)
        changed, removed = _difference(folder, parent, files)
        return base.Commit(commit.id.decode(), tree.id.decode(), True, changed, removed)

    def enable_pages(self, repo: base.Repo, *, workflow: bool = False) -> str:
        """The service serves every repository's main; there is nothing to switch on. Workflows are not run here, so `workflow` changes nothing."""
        self.requests += 1
        _folder(repo)
        return repo.pages_url


# -- repositories ----------------------------------------------------------------------------------------------------------------------


def _repo(folder: Path) -> base.Repo:
    name = folder.name.removesuffix(".git")
    return base.Repo(
        owner=OWNER,
        name=name,
        url=f"{settings.PUBLIC_URL}/repos/{name}.git",
        pages_url=f"{settings.PUBLIC_URL}/pages/{name}/",
        branch=local_store.BRANCH,
        fresh=local_store.tip(folder) is None,
    )


def _folder(repo: base.Repo) -> Path:
    folder = local_store.locate(repo.name)
    if folder is None:
        raise RemoteError(f"The repository {repo.name} is not in DATA_DIR any more; re-run the round from publish to make it again.")
    return folder


def _create(name: str, description: str) -> Path:
    """A new bare repository, renamed into its place when it is complete. The caller holds the folder's lock."""
    for left in local_store.root().glob(".new-*"):  # we hold the lock, so their makers are dead
        shutil.rmtree(left, ignore_errors=True)
    building = Path(tempfile.mkdtemp(prefix=".new-", dir=local_store.root()))
    GitRepo.init_bare(str(building), default_branch=local_store.BRANCH.encode()).close()
    with (building / "description").open("w", encoding="utf-8") as file:
        file.write(description + "\n")
        file.flush()
        os.fsync(file.fileno())
    _sync(building)
    building.chmod(0o755)
    folder = local_store.root() / f"{name}.git"
    building.rename(folder)
    _sync(folder.parent)
    return folder


# -- commits ---------------------------------------------------------------------------------------------------------------------------


def _tip(git: GitRepo) -> GitCommit | None:
    sha = git.refs.read_ref(local_store.REF)
    commit = git.object_store[ObjectID(sha)] if sha else None
    return commit if isinstance(commit, GitCommit) else None


def _commit_object(tree: ObjectID, parents: list[ObjectID], message: str, when: datetime) -> GitCommit:
    commit = GitCommit()
    commit.tree, commit.parents = tree, parents
    commit.author = commit.committer = IDENTITY
    commit.author_time = commit.commit_time = int(when.timestamp())
    offset = when.utcoffset()
    commit.author_timezone = commit.commit_timezone = int(offset.total_seconds()) // 60 * 60 if offset else 0
    commit.encoding = b"UTF-8"
    commit.message = message.replace("\0", "").rstrip().encode() + b"\n"
    return commit


def _new_blobs(git: GitRepo, files: Sequence[base.NewFile]) -> Iterator[Blob]:
    """The contents that the repository does not hold yet, each once, and each what its name says."""
    seen: set[bytes] = set()
    for file in files:
        sha = ObjectID(file.blob_sha.encode())
        if sha in seen or sha in git.object_store:
            continue
        seen.add(sha)
        blob = Blob.from_string(file.read())
        if blob.id != sha:
            raise Internal(f"The content of {file.path} is not the one that was announced.", detail=f"{blob.id.decode()} is not {file.blob_sha}")
        yield blob


def _store(folder: Path, git: GitRepo, objects: list[ShaFile]) -> None:
    """Writes the objects as one pack, which is on the disk when this returns."""
    packs = folder / "objects" / "pack"
    for pattern in ("tmp*.pack", "*.idx.lock"):  # dulwich's names for unfinished files; we hold the writers' lock, so their makers are dead
        for left in packs.glob(pattern):
            left.unlink(missing_ok=True)
    git.object_store.fsync_object_files = True
    git.object_store.add_objects([(item, None) for item in objects])
    _sync(packs)


def _move_branch(folder: Path, git: GitRepo, old: ObjectID, new: ObjectID) -> None:
    """Compare-and-swap on main under git's own lock, so that a git program at work in the same repository is respected."""
    heads = folder / "refs" / "heads"
    lock = heads / f"{local_store.BRANCH}.lock"

    def free() -> bool:
        with suppress(FileNotFoundError):
            if time.time() - lock.stat().st_mtime < REF_LOCK_AGE:
                return False
            lock.unlink()
        return True

    _wait(free, REF_LOCK_AGE + 1)
    try:
        moved = git.refs.set_if_equals(local_store.REF, old, new)
    except FileLocked as error:
        raise RepositoryConflict(detail=str(error)) from error
    if not moved:
        raise RepositoryConflict(detail=f"main is not at {old.decode()} any more")
    _sync(heads)


def _difference(folder: Path, parent: base.Head | None, files: Sequence[base.NewFile]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The paths that `files` change in and remove from the parent's tree."""
    before = local_store.listing(folder, parent.commit_sha) if parent else {}
    after = {file.path: file.blob_sha for file in files}
    changed = tuple(sorted(path for path, sha in after.items() if before.get(path) != sha))
    return changed, tuple(sorted(before.keys() - after.keys()))


# -- the disk --------------------------------------------------------------------------------------------------------------------------


def _sync(folder: Path) -> None:
    """Names in a folder outlive a power cut only when the folder itself is synced."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _wait(ready: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise RepositoryConflict("Another process holds the repository for very long; the round tries again by itself.")
        time.sleep(0.01)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keeps other processes and threads out; a killed holder's lock is gone with it."""
    with path.open("ab") as file:

        def taken() -> bool:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

        _wait(taken, WRITER_PATIENCE)
        yield


@contextmanager
def _disk() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise RemoteUnavailable(
            "The local host could not use its folder; see that DATA_DIR exists, is writable and has room. The round tries again by itself.",
            detail=str(error),
        ) from error
