"""Lines that go from the log before rotation takes them: those that are old, and those about one person.

The file is shared and nobody is asked to stop writing. What stays is written beside it and renamed into its place, under the lock that rotation
takes; a writer holds a lock of its own while it looks which file has the name and writes its line, so when the old file's lock is free, the last line
is in it and is carried over.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from django.conf import settings

from tasks.logs import locked

_TIME = re.compile(rb'\{"time": "([0-9T:.-]+)')

Keep = Callable[[bytes], bool]


def files() -> list[Path]:
    """The log and its rotated files, the oldest first."""
    path = Path(settings.LOG_FILE)
    numbers = (found.name.removeprefix(f"{path.name}.") for found in path.parent.glob(f"{path.name}.*"))
    rotated = sorted((int(number) for number in numbers if number.isdecimal()), reverse=True)
    return [*(path.with_name(f"{path.name}.{number}") for number in rotated), *([path] if path.exists() else [])]


def newer_than(moment: datetime) -> Keep:
    """Keeps lines from that moment on; one without a time is as old as the line before it."""
    edge = moment.astimezone(UTC).isoformat(timespec="milliseconds").partition("+")[0].encode()
    keeps = True

    def keep(line: bytes) -> bool:
        nonlocal keeps
        if told := _TIME.match(line):
            keeps = told[1] >= edge
        return keeps

    return keep


def remove(make: Callable[[], Keep], *, dry_run: bool = False) -> int:
    """Take the lines that are not to be kept out of all files; how many. `make` gives the question anew for each pass. OSError when a file cannot
    be written."""
    if dry_run:
        return sum(_count(path, make()) for path in files())
    if not Path(settings.LOG_FILE).parent.is_dir():
        return 0
    with locked(Path(settings.LOG_FILE).parent):
        return sum(_rewrite(path, make) for path in files() if _count(path, make()))


def _count(path: Path, keep: Keep) -> int:
    with suppress(FileNotFoundError), path.open("rb") as file:
        return sum(not keep(line) for line in file)
    return 0


def _rewrite(path: Path, make: Callable[[], Keep]) -> int:
    """The caller holds the lock. A file of which nothing stays goes, unless it is the log itself."""
    with path.open("rb") as old:
        fresh = path.with_name(f".{path.name}.new")
        with fresh.open("wb") as new:
            state = os.fstat(old.fileno())
            os.fchmod(new.fileno(), state.st_mode & 0o777)
            if (state.st_uid, state.st_gid) != (os.geteuid(), os.getegid()):
                os.fchown(new.fileno(), state.st_uid, state.st_gid)  # or the service could not write on
            removed = sum(_divide(old, make(), new, unfinished=path != Path(settings.LOG_FILE)))
        fresh.replace(path)
        if path == Path(settings.LOG_FILE):
            fcntl.flock(old, fcntl.LOCK_EX)
            with path.open("ab", buffering=0) as new:
                removed += sum(_divide(old, make(), new))
        elif not path.stat().st_size:
            path.unlink()
    return removed


def _divide(lines: IO[bytes], keep: Keep, kept: IO[bytes], *, unfinished: bool = True) -> Iterator[int]:
    """Write what is kept; 1 for each other line. A last line without its end may be one of which a reader sees only a part as yet: it is left for
    the next pass unless `unfinished` ones are taken too."""
    while line := lines.readline():
        if not unfinished and not line.endswith(b"\n"):
            lines.seek(-len(line), os.SEEK_CUR)
            return
        if keep(line):
            kept.write(line)
        else:
            yield 1
