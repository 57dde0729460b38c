"""Repositories of the local host that go: those that no task refers to any more, and those of one person.

Which task a repository belongs to is told by the marker in its description, so that one that was there before, or that another task made under the
same name since, is never taken for it.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tasks.hosts import local, local_store
from tasks.models import TaskRequest

_MARKER = re.compile(r"\[deployer:([0-9a-f]{12})\]")
GONE = ".gone-"  # a repository on its way out begins so


@dataclass(frozen=True)
class Kept:
    """One repository on the disk."""

    folder: Path
    marker: str

    @property
    def name(self) -> str:
        return self.folder.name.removesuffix(".git")

    def changed(self) -> float:
        """Epoch seconds of its last commit, or of its making."""
        head = self.folder / "refs" / "heads"
        return max(path.stat().st_mtime for path in (self.folder / "description", head, *head.glob("*")))


def all_of_ours() -> Iterator[Kept]:
    """Every repository that a task of this service made."""
    for folder in sorted(local_store.root().glob("*.git")):
        if found := _MARKER.search(local_store.description(folder)):
            yield Kept(folder, found[1])


def orphans(before: datetime) -> list[Kept]:
    """Those without a task in the database, and without a commit since then."""
    found = [kept for kept in all_of_ours() if kept.changed() < before.timestamp()]
    wanted: set[str] = set()
    for start in range(0, len(found), 500):
        markers = [kept.marker for kept in found[start : start + 500]]
        wanted |= set(TaskRequest.objects.filter(marker__in=markers).values_list("marker", flat=True))
    return [kept for kept in found if kept.marker not in wanted]


def of_markers(markers: Collection[str]) -> list[Kept]:
    return [kept for kept in all_of_ours() if kept.marker in markers]


def remove(kept: Kept) -> bool:
    """Take one away: out of its place by one rename, under the locks of whoever makes or writes a repository, then from the disk. False when it is
    not there (any more)."""
    root = local_store.root()
    with local.locked(root / ".lock"):
        sweep()
        tag = f"[deployer:{kept.marker}]"
        if not kept.folder.is_dir() or tag not in local_store.description(kept.folder):
            return False
        with local.locked(kept.folder / "deployer.lock"):
            kept.folder.rename(root / f"{GONE}{kept.marker}")
        sweep()
    return True


def sweep() -> None:
    """Finish what a killed process left behind; the caller holds the folder's lock."""
    for left in local_store.root().glob(f"{GONE}*"):
        shutil.rmtree(left, ignore_errors=True)
