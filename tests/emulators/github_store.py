"""What the emulator remembers of one repository: real git objects (so that every sha is git's own), branches, and its Pages site."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dulwich.objects import Blob, Commit, ShaFile, Tree

from tests.emulators.github_pages import Site

if TYPE_CHECKING:
    from tests.emulators.github_actions import Run

BLOB_MODES = {"100644", "100755", "120000"}


class Problem(Exception):
    """An error answer in GitHub's own form: https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api"""

    def __init__(self, status: int, message: str, errors: list[dict[str, str]] | None = None, **extra: Any) -> None:
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] = {"message": message, "documentation_url": "https://docs.github.com/rest", "status": str(status), **extra}
        if errors is not None:
            self.body["errors"] = errors


@dataclass(frozen=True)
class Person:
    name: str
    email: str
    date: datetime

    @property
    def line(self) -> bytes:
        return f"{self.name} <{self.email}>".encode()

    @property
    def offset(self) -> int:
        offset = self.date.utcoffset()
        return int(offset.total_seconds()) if offset else 0


@dataclass
class Repository:
    owner: str
    name: str
    number: int
    description: str | None = None
    private: bool = False
    default_branch: str = "main"
    archived: bool = False
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    visible_from: float = 0.0  # monotonic seconds; until then every call answers 404
    objects: dict[str, ShaFile] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)  # "heads/main" -> commit sha
    pages: Site | None = None
    runs: list[Run] = field(default_factory=list)  # of workflows, oldest first
    pushed: Callable[[Repository, str], None] | None = None  # is told of every new commit on the default branch

    @property
    def full_name(self) -> str:
        return f"{self.owner}/{self.name}"

    # -- objects -----------------------------------------------------------------------------------------------------------------------

    def add(self, item: ShaFile) -> str:
        sha = item.id.decode()
        self.objects.setdefault(sha, item)
        return sha

    def add_blob(self, data: bytes) -> str:
        return self.add(Blob.from_string(data))

    def find(self, sha: str, kind: type[ShaFile]) -> Any:
        """The object of that sha, None when there is none or it is of another kind."""
        item = self.objects.get(sha)
        return item if isinstance(item, kind) else None

    def resolve(self, name: str) -> str:
        """A commit sha for a branch, a ref or a sha; 404 when there is none."""
        for ref in (name, f"heads/{name}", name.removeprefix("refs/")):
            if ref in self.refs:
                return self.refs[ref]
        if self.find(name, Commit):
            return name
        raise Problem(404, "Not Found")

    def walk(self, tree: str, prefix: str = "", recursive: bool = True) -> Iterator[tuple[str, str, str]]:
        """(path, mode, sha) of the tree's entries, folders before what is in them."""
        for entry in self.objects[tree].items():  # type: ignore[attr-defined]
            path, sha = prefix + entry.path.decode(), entry.sha.decode()
            yield path, f"{entry.mode:06o}", sha
            if recursive and entry.mode == 0o040000:
                yield from self.walk(sha, f"{path}/")

    def blobs(self, tree: str) -> dict[str, tuple[str, str]]:
        """path -> (mode, sha) of every file below a tree."""
        return {path: (mode, sha) for path, mode, sha in self.walk(tree) if mode != "040000"}

    def make_tree(self, files: dict[str, tuple[str, str]]) -> str:
        """The root tree of these files (path -> mode, sha)."""
        tree = Tree()
        folders: dict[str, dict[str, tuple[str, str]]] = {}
        for path, (mode, sha) in files.items():
            head, slash, rest = path.partition("/")
            if slash:
                folders.setdefault(head, {})[rest] = (mode, sha)
            else:
                tree.add(head.encode(), int(mode, 8), sha.encode())
        for name, inside in folders.items():
            tree.add(name.encode(), 0o040000, self.make_tree(inside).encode())
        return self.add(tree)

    def make_commit(self, tree: str, parents: Sequence[str], message: str, author: Person, committer: Person) -> str:
        commit = Commit()
        commit.tree, commit.parents = tree.encode(), [sha.encode() for sha in parents]
        commit.author, commit.author_time, commit.author_timezone = author.line, int(author.date.timestamp()), author.offset
        commit.committer, commit.commit_time, commit.commit_timezone = committer.line, int(committer.date.timestamp()), committer.offset
        commit.message = message.encode()
        return self.add(commit)

    # -- history -----------------------------------------------------------------------------------------------------------------------

    def history(self, sha: str) -> list[str]:
        """The commit and its ancestors, newest first."""
        seen: list[str] = []
        waiting = [sha]
        while waiting:
            current = waiting.pop(0)
            if current not in seen:
                seen.append(current)
                waiting += [parent.decode() for parent in self.objects[current].parents]  # type: ignore[attr-defined]
        return seen

    def tree_of(self, commit: str) -> str:
        tree: bytes = self.objects[commit].tree  # type: ignore[attr-defined]
        return tree.decode()

    def contents(self, commit: str) -> dict[str, bytes]:
        """path -> bytes of every file of a commit."""
        return {path: self.objects[sha].data for path, (_, sha) in self.blobs(self.tree_of(commit)).items()}  # type: ignore[attr-defined]

    def move(self, ref: str, sha: str) -> None:
        """Set a ref; a push to the Pages branch starts a build, one to the default branch its workflows."""
        changed = self.refs.get(ref) != sha
        self.refs[ref] = sha
        if changed and self.pages and self.pages.build_type == "legacy" and ref == f"heads/{self.pages.branch}":
            self.pages.build(sha, self.contents(sha))
        if changed and self.pushed and ref == f"heads/{self.default_branch}":
            self.pushed(self, sha)

    def save_file(self, path: str, content: bytes | None, message: str, person: Person, branch: str = "") -> str:
        """One commit that changes one file on a branch, as the contents API and a student's own push do; None deletes it."""
        ref = f"heads/{branch or self.default_branch}"
        head = self.refs.get(ref)
        files = self.blobs(self.tree_of(head)) if head else {}
        if content is None:
            files.pop(path)
        else:
            files[path] = ("100644", self.add_blob(content))
        commit = self.make_commit(self.make_tree(files), [head] if head else [], message, person, person)
        self.move(ref, commit)
        return commit


def fold_name(name: str) -> str:
    """GitHub's silent renaming: runs of other characters become one dash, `.git` endings go."""
    folded = re.sub(r"[^A-Za-z0-9_.-]+", "-", name)
    while folded.lower().endswith(".git"):
        folded = folded[:-4]
    return folded


def check_path(path: Any) -> str:
    """A tree entry's path, or the 422 that GitHub answers."""
    if not isinstance(path, str) or not path:
        raise Problem(422, "tree.path must be supplied")
    if path.startswith("/"):
        raise Problem(422, "tree.path cannot start with a slash")
    if any(part in {"", ".", ".."} or part.lower() == ".git" for part in path.split("/")):
        raise Problem(422, "tree.path contains a malformed path component")
    return path
