"""What a repository host has to do, as four calls that may each be repeated.

`stages/publish.py` owns the order (name stored, repository created or adopted, one commit, Pages on) and commits every step to the database
before the next one. So each call here must be safe to make twice: it looks first at what is there.

Errors: `tasks.errors` only. Transient trouble is `RemoteUnavailable` (or `RateLimited` with `retry_at`), a refusal for good is
`GitHubRefused`, `GitHubTokenRefused`, …; a lost race on the branch is `RepositoryConflict`.
"""

from __future__ import annotations

import hashlib
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

MAX_NAME = 100  # GitHub: name cannot be more than 100 characters


@dataclass(frozen=True)
class Repo:
    """A repository of ours. `name` is what the host calls it, which need not be what was asked for."""

    owner: str
    name: str
    url: str
    pages_url: str
    branch: str = "main"
    fresh: bool = False  # created by this installation for this task and holding nothing but the host's first commit


@dataclass(frozen=True)
class Head:
    """The tip of the branch."""

    commit_sha: str
    tree_sha: str


@dataclass(frozen=True)
class NewFile:
    """One file of the tree to commit. `read` gives the bytes; it is only called for content that the host does not have yet."""

    path: str
    blob_sha: str
    size: int
    read: Callable[[], bytes] = field(repr=False)


@dataclass(frozen=True)
class Commit:
    """The commit that holds exactly the wanted tree. `created` is False when HEAD had that tree already."""

    sha: str
    tree_sha: str
    created: bool
    changed: tuple[str, ...]
    removed: tuple[str, ...] = ()


class Host(ABC):
    name: ClassVar[str]
    supports_workflows: ClassVar[bool] = False  # workflow files are run, and such a run may publish the page

    requests: int = 0  # calls made by this object, for the deployment's record
    fence: Callable[[], None] | None = None  # called before a branch moves that cannot be compared first; raises when the round is not ours any more

    @abstractmethod
    def ensure_repo(self, name: str, *, description: str, marker: str, known: bool) -> Repo | None:
        """Create the public repository, or adopt the one of that name if `marker` stands in its description (ours).

        `known` says that a former step saw it exist, so that looking comes before creating. None: the name belongs to something that is not
        ours; the caller chooses another one."""

    @abstractmethod
    def head(self, repo: Repo) -> Head | None:
        """The tip of the branch, None while there is no commit."""

    @abstractmethod
    def read(self, repo: Repo, commit_sha: str, known: dict[str, bytes]) -> dict[str, bytes]:
        """Every file of that commit. `known` maps blob shas to bytes that need not be fetched again."""

    @abstractmethod
    def commit(
        self, repo: Repo, files: Sequence[NewFile], *, message: str, when: datetime, parent: Head | None, known_blobs: frozenset[str]
    ) -> Commit:
        """Make the branch hold exactly `files`, in one commit on `parent`.

        `parent` None: the repository is fresh, the host's own first commit is replaced. Equal tree: no commit, `created` False. The
        branch is never forced otherwise; when it moved away from `parent`, `RepositoryConflict`. `known_blobs` are on the host already.
        `when` is the author's and committer's time, so that a repeat makes the same sha."""

    @abstractmethod
    def enable_pages(self, repo: Repo, *, workflow: bool = False) -> str:
        """Switch on Pages for the branch's root, or for what workflow runs publish; the page's address. Already on is fine, and on in the other
        way is changed. For workflow runs this comes before the commit that starts one. A host that runs none serves the branch in both cases."""

    def rebuild(self, repo: Repo, sha: str) -> str:
        """Have the branch's page built again where its last build failed or was of another commit: why, or "" when there was no need."""
        return ""

    def published(self, repo: Repo, sha: str) -> bool | None:
        """Has a workflow run published that very commit? None: not yet; False: it failed. Only asked where `supports_workflows`."""
        return None


def blob_sha(data: bytes) -> str:
    """git's name for a content: https://git-scm.com/book/en/v2/Git-Internals-Git-Objects"""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def repo_slug(task: str) -> str:
    """A repository name made from a task id, with GitHub's own rules applied beforehand so that the name asked for is the name given:
    letters, digits, `-`, `_`, `.`; no `.git` ending; at most 100 characters with room for a suffix."""
    slug = re.sub(r"[^A-Za-z0-9._-]+", "-", task).strip("-.")
    while slug.lower().endswith((".git", ".wiki", ".atom")):
        slug = slug.rsplit(".", 1)[0].strip("-.")
    return slug[: MAX_NAME - 14].strip("-.") or "task"


def clean_description(text: str, marker: str) -> str:
    """One line of at most 350 characters without control characters (GitHub refuses others), with the marker at its end."""
    tail = f" [deployer:{marker}]"
    line = " ".join("".join(" " if ord(char) < 32 or ord(char) == 127 else char for char in text).split())
    room = 350 - len(tail)
    return (line if len(line) <= room else line[: room - 1].rstrip() + "…") + tail
