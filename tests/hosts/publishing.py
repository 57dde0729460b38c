"""What the tests of the GitHub host share: files, and the publish stage's order of calls."""

from __future__ import annotations

from datetime import UTC, datetime

from tasks.hosts import Commit, Head, NewFile, Repo
from tasks.hosts.base import blob_sha, clean_description
from tasks.hosts.github import Host

WHEN = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
MARKER = "0123456789ab"
DESCRIPTION = clean_description("Shows the total of data.csv", MARKER)
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\xff\xfe"
ROUND_1 = {"index.html": b"<h1>one</h1>\r\n", "LICENSE": b"MIT", "README.md": "# Überblick\n".encode(), ".nojekyll": b"", "js/app.js": b"run()"}
WRITES = [r"^/user/repos$", r"/git/trees$", r"/git/commits$", r"/git/refs/heads/main$", r"/pages$"]


def new_files(contents: dict[str, bytes]) -> list[NewFile]:
    return [NewFile(path, blob_sha(data), len(data), lambda data=data: data) for path, data in contents.items()]  # type: ignore[misc]


def ensure(host: Host, name: str = "sum-of-sales", known: bool = False) -> Repo:
    repo = host.ensure_repo(name, description=DESCRIPTION, marker=MARKER, known=known)
    assert repo is not None
    return repo


def commit(host: Host, repo: Repo, contents: dict[str, bytes], parent: Head | None = None, known: frozenset[str] = frozenset()) -> Commit:
    return host.commit(repo, new_files(contents), message="Publish", when=WHEN, parent=parent, known_blobs=known)


def publish(host: Host, contents: dict[str, bytes], known: bool = False) -> Commit:
    """What the publish stage does, in its order."""
    repo = ensure(host, known=known)
    parent = None if repo.fresh else host.head(repo)
    made = commit(host, repo, contents, parent)
    host.enable_pages(repo)
    return made
