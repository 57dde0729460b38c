"""No secret in any version of any file, nor in a commit's message. What is found is named by commit and path, never repeated."""

from __future__ import annotations

import stat
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from dulwich.objects import Blob, Commit, ObjectID, Tree
from dulwich.repo import Repo

from tasks.evaluators import Finding, disguises, leaks

TITLE = "No version of any file holds a secret"
SECONDS = 40.0
MAX_BLOBS = 20_000
MAX_BLOB = 2 * 1024 * 1024  # bytes; what is longer is no text that a person wrote
MAX_BYTES = 100 * 1024 * 1024
SHOWN = 20
MESSAGE = "its message"


@dataclass(frozen=True)
class Version:
    """One version of a file, at the first commit that has it."""

    commit: str
    path: str
    sha: ObjectID


def finding(git: Repo, commits: Collection[Commit], brief: str, given: Collection[str]) -> Finding:
    """The verdict on the whole history. `given`: blobs that the student was sent, which are nobody's slip."""
    if not commits:
        return Finding(TITLE, "fail", "The repository has no commit.")
    until, read, seen, capped = time.monotonic() + SECONDS, 0, 0, ""
    keys: dict[str, str] = {}
    services: dict[str, str] = {}
    for commit in commits:
        _note(keys, commit.id.decode(), MESSAGE, leaks.keys_in([disguises.plain(commit.message or b"")], brief))
    for version in versions(git, commits):
        if seen >= MAX_BLOBS or read >= MAX_BYTES or time.monotonic() > until:
            capped = f"Only the first {seen:,} versions of files were read; there are more."
            break
        blob = git.object_store[version.sha]
        data = blob.as_raw_string() if isinstance(blob, Blob) else b""
        seen += 1
        if version.sha.decode() in given or len(data) > MAX_BLOB:
            continue
        read += len(data)
        texts = [version.path, disguises.plain(data)]
        _note(keys, version.commit, version.path, leaks.keys_in(texts, brief))
        _note(services, version.commit, version.path, leaks.services_in(texts))
    evidence = {"versions": seen, "bytes": read, "capped": capped}
    if keys:
        where, kind = next(iter(keys.items()))
        reason = f"{where} holds what looks like a {kind}; that it was removed later does not help: revoke it."
        return Finding(TITLE, "fail", reason, evidence={**evidence, "found": dict(list(keys.items())[:SHOWN])})
    if services:
        where, kind = next(iter(services.items()))
        reason = f"{where} may hold a credential ({kind}); chance makes such a shape now and then."
        return Finding(TITLE, "undecided", reason, evidence={**evidence, "found": dict(list(services.items())[:SHOWN])})
    return Finding(TITLE, "undecided" if capped else "pass", capped, evidence=evidence)


def versions(git: Repo, commits: Collection[Commit]) -> Iterator[Version]:
    """Every version of every file once, oldest first."""
    known: set[bytes] = set()
    for commit in commits:
        waiting = [("", commit.tree)]
        while waiting:
            folder, sha = waiting.pop()
            tree = git.object_store[sha]
            if not isinstance(tree, Tree):
                continue
            for entry in tree.iteritems():
                if entry.sha in known:
                    continue
                path = folder + entry.path.decode("utf-8", "backslashreplace")
                if stat.S_ISDIR(entry.mode):
                    waiting.append((f"{path}/", entry.sha))
                elif stat.S_ISREG(entry.mode) or stat.S_ISLNK(entry.mode):
                    yield Version(commit.id.decode(), path, entry.sha)
                else:
                    continue
                known.add(entry.sha)


def _note(found: dict[str, str], commit: str, path: str, kinds: list[str]) -> None:
    if kinds:
        found.setdefault(f"{commit[:10]} {leaks.nameable(path)}", kinds[0])
