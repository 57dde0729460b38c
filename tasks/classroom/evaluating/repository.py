"""What a clone holds: the files of the reported commit, how many commits there are, when the first was made."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from datetime import UTC, datetime

from dulwich.object_store import iter_tree_contents
from dulwich.objects import Blob, Commit, Tag

from tasks.classroom.evaluating.clone import Clone
from tasks.classroom.evaluating.git import Unreadable
from tasks.errors import TooLarge

MAX_COMMITS = 10_000
MAX_FILES = 2_000
MAX_FILE = 10 * 1024 * 1024  # bytes of one file that the evaluators see
LATEST = 32_503_680_000  # the year 3000, in seconds: a commit may claim any time
MAX_BYTES = 60 * 1024 * 1024


def history(clone: Clone) -> tuple[Commit, ...]:
    """All commits that branches and tags reach, oldest first by their own clocks."""
    found: dict[bytes, Commit] = {}
    waiting = [*clone.tips]
    while waiting:
        item = clone.git.object_store[waiting.pop()]
        if isinstance(item, Tag):
            waiting.append(item.object[1])
        elif isinstance(item, Commit) and item.id not in found:
            found[item.id] = item
            if len(found) > MAX_COMMITS:
                raise TooLarge(f"The repository has more than {MAX_COMMITS:,} commits, more than are looked at.")
            waiting += item.parents
    return tuple(sorted(found.values(), key=lambda commit: (commit.commit_time, commit.id)))


def began(commits: Sequence[Commit]) -> datetime | None:
    """When the first commit was made, as its author's clock said."""
    return datetime.fromtimestamp(min(max(0, commits[0].commit_time), LATEST), UTC) if commits else None


def files_at(clone: Clone, commits: Sequence[Commit], sha: str) -> tuple[dict[str, bytes], dict[str, str]]:
    """Path to content, and to blob sha. `Unreadable` when the commit is none of the repository's, `TooLarge` beyond our limits."""
    if not commits:
        raise Unreadable("The repository has no commit.")
    commit = next((commit for commit in commits if commit.id == sha.encode()), None)
    if commit is None:
        raise Unreadable(f"None of its branches and tags has the commit {sha[:10]}…")
    git = clone.git
    files: dict[str, bytes] = {}
    shas: dict[str, str] = {}
    size = 0
    for number, entry in enumerate(iter_tree_contents(git.object_store, commit.tree)):
        if number >= MAX_FILES:
            raise TooLarge(f"The commit has more than {MAX_FILES:,} files, more than are looked at.")
        if entry.path is None or entry.mode is None or entry.sha is None or not stat.S_ISREG(entry.mode):
            continue  # links and other repositories are no content
        blob = git.object_store[entry.sha]
        data = blob.as_raw_string() if isinstance(blob, Blob) else b""
        size += len(data)
        if len(data) > MAX_FILE or size > MAX_BYTES:
            raise TooLarge("The commit's files are larger than what is looked at.")
        path = entry.path.decode("utf-8", "backslashreplace").replace("\0", "")
        files[path], shas[path] = data, entry.sha.decode("ascii")
    return files, shas
