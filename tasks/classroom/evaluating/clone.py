"""A repository that a report names, cloned whole into a folder that is removed afterwards."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from dulwich.errors import ApplyDeltaError, ChecksumMismatch, GitProtocolError, HangupException, NotGitRepository, ObjectFormatException
from dulwich.objects import ObjectID
from dulwich.refs import Ref
from dulwich.repo import Repo

from tasks.classroom.evaluating import pack
from tasks.classroom.evaluating.door import github_site, same_origin
from tasks.classroom.evaluating.git import Client, Unreadable
from tasks.connections import TimeLimit
from tasks.errors import AddressRefused, RemoteUnavailable

SECONDS = 60.0
MAX_REFS = 2_000
LOST_SECONDS = 3600.0  # a folder so old was left by a worker that was killed
BROKEN = (ApplyDeltaError, ChecksumMismatch, GitProtocolError, HangupException, NotGitRepository, ObjectFormatException)
ODD = (AssertionError, KeyError, ValueError)  # dulwich's other ways to say that what was sent makes no sense


@dataclass(frozen=True)
class Clone:
    """`tips`: what its branches and tags point to."""

    git: Repo
    tips: tuple[ObjectID, ...]
    limit: TimeLimit


@contextmanager
def cloned(repo_url: str, seconds: float = SECONDS) -> Iterator[Clone]:
    """For reading it and nothing else. `Unreadable` where it is the report's fault, a `TaskError` where it is the network's or ours."""
    limit = TimeLimit(seconds)
    with _folder() as folder, contextlib.closing(Repo.init_bare(str(folder))) as git:
        try:
            yield Clone(git, _fetch(git, clone_url(repo_url), limit), limit)
        except AddressRefused as error:
            raise Unreadable(error.message) from error
        except (*BROKEN, *ODD) as error:
            name = type(error).__name__
            raise RemoteUnavailable(f"The repository could not be read as git sends one ({name}).", detail=str(error)[:300]) from error


def clone_url(repo_url: str) -> str:
    """The address that git asks: of GitHub's pages of a repository (`…/tree/main`) the repository."""
    plain = repo_url.partition("#")[0].partition("?")[0].rstrip("/")
    if not same_origin(plain, github_site()):
        return plain
    names = urlsplit(plain).path.strip("/").split("/")
    return f"{github_site()}/{names[0]}/{names[1].removesuffix('.git')}.git" if len(names) > 1 else plain


def _fetch(git: Repo, url: str, limit: TimeLimit) -> tuple[ObjectID, ...]:
    """Everything that branches and tags reach."""
    refs: dict[Ref, ObjectID] = {}

    def wanted(offered: dict[Ref, ObjectID], depth: int | None = None) -> list[ObjectID]:
        chosen = sorted(ref for ref in offered if ref == b"HEAD" or ref.startswith((b"refs/heads/", b"refs/tags/")))
        refs.update({ref: offered[ref] for ref in chosen[:MAX_REFS]})
        return list(dict.fromkeys(refs.values()))

    file, commit, abort = git.object_store.add_pack()
    try:
        Client(url, limit).fetch_pack("", wanted, git.get_graph_walker(), file.write)
        if refs:
            file.seek(0)
            pack.check(file.read(), limit)
            file.seek(0, 2)
    except BaseException:
        abort()
        raise
    if not refs:
        abort()
        return ()
    commit()
    return tuple(dict.fromkeys(refs.values()))


@contextmanager
def _folder() -> Iterator[Path]:
    root = Path(settings.DATA_DIR) / "clones"
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    for left in root.iterdir():
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > LOST_SECONDS:
                shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=root, ignore_cleanup_errors=True) as name:
        yield Path(name)
