"""The body of one tree call: which files are named by sha, which travel inside it as text, which need a blob of their own first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from dulwich.objects import Tree

from tasks.hosts.base import NewFile

MODE = "100644"
MAX_INLINE_BYTES = 1024 * 1024  # one text file inside the tree
MAX_INLINE_TOTAL = 2 * 1024 * 1024  # tree bodies from about 2.5 MB on have been answered with 502


@dataclass(frozen=True)
class TreePlan:
    """`entries` go into the tree call; `binaries` (blob sha to content) have to be uploaded before it."""

    entries: list[dict[str, str]] = field(default_factory=list)
    binaries: dict[str, bytes] = field(default_factory=dict)


def plan(files: Sequence[NewFile], known: frozenset[str]) -> TreePlan:
    """The whole tree of `files`; contents are read only where their sha is not in `known`."""
    made = TreePlan()
    room = MAX_INLINE_TOTAL
    for file in files:
        entry = {"path": file.path, "mode": MODE, "type": "blob"}
        data = b"" if file.blob_sha in known else file.read()
        text = as_text(data) if len(data) <= min(room, MAX_INLINE_BYTES) else None
        if file.blob_sha in known or text is None:
            entry["sha"] = file.blob_sha
        else:
            entry["content"] = text
            room -= len(data)
        if file.blob_sha not in known and text is None:
            made.binaries[file.blob_sha] = data
        made.entries.append(entry)
    return made


def as_text(data: bytes) -> str | None:
    """The content as text that survives JSON byte for byte, None when it is better sent as a blob."""
    if b"\0" in data or data.startswith(b"\xef\xbb\xbf"):
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def tree_sha(files: dict[str, str]) -> str:
    """git's name for the tree of these files (path -> blob sha), folders and all."""
    tree = Tree()
    folders: dict[str, dict[str, str]] = {}
    for name, sha in files.items():
        head, slash, rest = name.partition("/")
        if slash:
            folders.setdefault(head, {})[rest] = sha
        else:
            tree.add(head.encode(), int(MODE, 8), sha.encode())
    for folder, inside in folders.items():
        tree.add(folder.encode(), 0o040000, tree_sha(inside).encode())
    root: bytes = tree.id
    return root.decode()
