"""The folder of bare repositories behind the local host: what is in it, by name, commit and path.

One repository is `DATA_DIR/repos/<name>.git`; `main` is its only branch. In come names and paths that strangers may have typed, out go contents:
a name is checked before it becomes part of a path, and a file is looked up in git's own listing, never on the disk. Blobs and listings are named
by their sha, so what is kept in memory cannot go stale. Here also stands which paths a tree may hold; writing is left to `tasks/hosts/local.py`.
"""

from __future__ import annotations

import os
import re
import stat
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from django.conf import settings
from dulwich.index import validate_path_element_hfs, validate_path_element_ntfs
from dulwich.object_store import iter_tree_contents
from dulwich.objects import Blob, Commit, ObjectID, Tree
from dulwich.refs import Ref
from dulwich.repo import Repo

from tasks.errors import NameRefused
from tasks.hosts.base import NewFile

BRANCH = "main"
REF = Ref(b"refs/heads/main")
CACHE_BYTES = 16 * 1024 * 1024
MAX_PATH = 250
_SHA = re.compile(r"[0-9a-f]{40}")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True)
class LogEntry:
    sha: str
    subject: str
    author: str
    when: datetime


class BlobCache:
    """The contents used last, `limit` bytes of them at most; safe for threads."""

    def __init__(self, limit: int = CACHE_BYTES) -> None:
        self.limit = limit
        self.size = 0
        self._blobs: OrderedDict[str, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, sha: str) -> bytes | None:
        with self._lock:
            if sha in self._blobs:
                self._blobs.move_to_end(sha)
            return self._blobs.get(sha)

    def put(self, sha: str, data: bytes) -> None:
        """Keeps `data` unless it would push out more than an eighth of everything else."""
        if len(data) > self.limit // 8:
            return
        with self._lock:
            if sha in self._blobs:
                return
            self._blobs[sha] = data
            self.size += len(data)
            while self.size > self.limit:
                self.size -= len(self._blobs.popitem(last=False)[1])


_blobs = BlobCache()


def root() -> Path:
    return Path(settings.DATA_DIR) / "repos"


def is_name(name: str) -> bool:
    """Whether a repository may have this name: one path component that no file system and no git reads as anything else."""
    return bool(_NAME.fullmatch(name)) and not name.lower().endswith((".git", ".lock"))


def locate(name: str) -> Path | None:
    """The folder of the repository of exactly this name, None when there is none (or the name is no name)."""
    if not is_name(name):
        return None
    folder = root() / f"{name}.git"
    return folder if folder.is_dir() else None


def find(name: str) -> Path | None:
    """As `locate`, but capitals do not count, as on GitHub."""
    if (exact := locate(name)) or not is_name(name):
        return exact
    wanted = f"{name}.git".lower()
    with os.scandir(root()) as entries:
        return next((Path(entry.path) for entry in entries if entry.name.lower() == wanted), None)


def open_repo(folder: Path) -> Repo:
    return Repo(str(folder), bare=True)


def description(folder: Path) -> str:
    """git's own `description` file."""
    try:
        return (folder / "description").read_text(encoding="utf-8", errors="replace").strip()
    except FileNotFoundError:
        return ""


def tip(folder: Path) -> str | None:
    """The sha of the last commit on main, None while there is none."""
    try:
        sha = (folder / "refs" / "heads" / BRANCH).read_text("ascii").strip()
    except FileNotFoundError:  # no commit, or `git gc` has moved it into packed-refs
        with open_repo(folder) as repo:
            packed = repo.refs.read_ref(REF)
        sha = packed.decode("ascii") if packed else ""
    return sha or None


@lru_cache(maxsize=512)
def listing(folder: Path, commit_sha: str) -> Mapping[str, str]:
    """The regular files of a commit: path to blob sha, in git's order. `KeyError` when the commit is not there."""
    with open_repo(folder) as repo:
        commit = repo.object_store[ObjectID(commit_sha.encode())] if _SHA.fullmatch(commit_sha) else None
        if not isinstance(commit, Commit):
            raise KeyError(commit_sha)
        entries = iter_tree_contents(repo.object_store, commit.tree)
        return MappingProxyType(
            {entry.path.decode("utf-8", "backslashreplace"): entry.sha.decode("ascii") for entry in entries if stat.S_ISREG(entry.mode)}
        )


def blob(folder: Path, sha: str) -> bytes:
    """The content of that name. `KeyError` when the repository does not hold it and no other did lately."""
    data = _blobs.get(sha)
    if data is None:
        with open_repo(folder) as repo:
            found = repo.object_store[ObjectID(sha.encode("ascii"))]
            if not isinstance(found, Blob):
                raise KeyError(sha)
            data = found.as_raw_string()
        _blobs.put(sha, data)
    return data


def read_file(name: str, path: str) -> bytes | None:
    """A file of main's last commit, None when the repository, a commit or the file is missing."""
    folder = locate(name)
    commit_sha = tip(folder) if folder else None
    if folder is None or commit_sha is None:
        return None
    sha = listing(folder, commit_sha).get(path)
    return None if sha is None else blob(folder, sha)


def history(folder: Path, limit: int = 20) -> list[LogEntry]:
    """The last commits of main, newest first."""
    commit_sha = tip(folder)
    if commit_sha is None:
        return []
    with open_repo(folder) as repo:
        return [_log_entry(entry.commit) for entry in repo.get_walker(include=[ObjectID(commit_sha.encode("ascii"))], max_entries=limit)]


def _log_entry(commit: Commit) -> LogEntry:
    lines = commit.message.decode("utf-8", "replace").splitlines()
    author = commit.author.decode("utf-8", "replace").split(" <")[0]
    return LogEntry(commit.id.decode("ascii"), lines[0] if lines else "", author, datetime.fromtimestamp(commit.commit_time, UTC))


# -- trees to be written ---------------------------------------------------------------------------------------------------------------


def build_trees(files: Sequence[NewFile]) -> tuple[Tree, list[Tree]]:
    """git's trees for exactly these files: the root, and every tree (the root among them). `NameRefused` for a path that git, or a checkout
    on any system, would not take, and for two files in one place."""
    root_folder: dict = {}
    for file in files:
        *parents, leaf = _parts(file.path)
        folder = root_folder
        for part in parents:
            folder = folder.setdefault(part, {})
            if not isinstance(folder, dict):
                raise NameRefused(f"{file.path!r} lies under a name that is a file already.")
        if leaf in folder:
            raise NameRefused(f"{file.path!r} is there twice, or is a folder as well.")
        folder[leaf] = ObjectID(file.blob_sha.encode("ascii"))
    trees: list[Tree] = []
    return _tree(root_folder, trees), trees


def _tree(folder: dict, trees: list[Tree]) -> Tree:
    tree = Tree()
    for name, item in folder.items():
        if isinstance(item, dict):
            tree.add(name, stat.S_IFDIR, _tree(item, trees).id)
        else:
            tree.add(name, stat.S_IFREG | 0o644, item)
    trees.append(tree)
    return tree


def _parts(path: str) -> list[bytes]:
    parts = path.encode("utf-8", "replace").split(b"/")
    sound = all(_is_part(part) for part in parts)
    if (
        not sound
        or len(path) > MAX_PATH
        or "\\" in path
        or any(ord(char) < 32 or 0x7F <= ord(char) < 0xA0 or 0xD800 <= ord(char) < 0xE000 for char in path)
    ):
        raise NameRefused(
            f"{path[:MAX_PATH]!r} is not allowed in a published repository; use letters, digits, dots, dashes and at most three folders."
        )
    return parts


def _is_part(part: bytes) -> bool:
    """One component of a path. `.git` in any spelling is git's own, and git reads `.gitmodules` as instructions."""
    if part in {b"", b".", b".."} or re.match(rb"(?i)\.gitmodules|gitmod~", part):
        return False
    return validate_path_element_ntfs(part) and validate_path_element_hfs(part)
