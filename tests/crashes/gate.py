"""Holds a process of the service at a named point, so that it can be killed exactly there.

All there is, is files. `armed <point>` holds nothing; the first process to come by that point renames it to `held <point> <pid>` and waits while that
exists.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any
from urllib.parse import quote

FOLDER = "CRASH_GATE"  # the environment variable that tells a process where the files are


def come_by(point: str) -> None:
    """What a process calls at each of its points. Costs one failing system call when it is not armed."""
    armed = Path(os.environ[FOLDER]) / f"armed {quote(point, safe='')}"
    held = armed.with_name(f"held {quote(point, safe='')} {os.getpid()}")
    try:
        armed.rename(held)
    except FileNotFoundError:
        return
    while held.exists():
        time.sleep(0.005)


def around(owner: Any, name: str, label: str | Callable[..., str]) -> None:
    """Make two points of a function: `before <label>` and `after <label>`. The label may follow from the arguments."""
    function = getattr(owner, name)

    @wraps(function)
    def guarded(*args: Any, **options: Any) -> Any:
        what = label if isinstance(label, str) else label(*args, **options)
        come_by(f"before {what}")
        result = function(*args, **options)
        come_by(f"after {what}")
        return result

    setattr(owner, name, guarded)


class Gate:
    """The test's side."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder

    def arm(self, point: str) -> None:
        """The first process that comes to the point stays there."""
        (self.folder / f"armed {quote(point, safe='')}").touch()

    def holds(self, point: str) -> int | None:
        """The process that stays there; None while none has come."""
        return next((int(path.name.split()[2]) for path in self.folder.glob(f"held {quote(point, safe='')} *")), None)

    def open(self) -> None:
        """Let all go on, and arm nothing."""
        for path in self.folder.iterdir():
            path.unlink(missing_ok=True)
