"""What becomes of lists, /status and the worker's questions as the history grows: queries, work in the database, and time.

`python -m tasks.benchmarks.growth`, in the environment of a service of its own, prints the figures as JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from django.conf import settings

from tasks.benchmarks import Figures, Options
from tasks.demo.stack import Stack, StackError

FEW, MANY = 10, 100_000


def measure(folder: Path, options: Options) -> Figures:
    stack = Stack(folder)
    stack.manage("migrate", "--noinput", "--verbosity", "0")
    command = [sys.executable, "-m", "tasks.benchmarks.growth", str(options.rounds or MANY)]
    done = subprocess.run(command, cwd=settings.BASE_DIR, env=stack.env, capture_output=True, text=True, check=False)  # noqa: S603 - our own arguments  # nosec B603
    if done.returncode:
        raise StackError(f"The measurement failed: {done.stderr.strip()[-2000:]}")
    figures: Figures = json.loads(done.stdout.splitlines()[-1])
    return figures


def grow(rounds: int) -> Figures:
    """The cost of everything with few rounds and with many."""
    from tasks.benchmarks import cost, history
    from tasks.benchmarks.surfaces import surfaces

    figures: dict[str, Any] = {}
    for total, added in ((FEW, FEW), (rounds, rounds - FEW)):
        history.fill(added)
        asked = surfaces(settings.STUDENT_SECRET)
        for ask in asked.values():
            ask()  # warm: what is made once is not counted
        for name, ask in asked.items():
            spent = cost.of(ask)
            figures.setdefault(name, {})[f"{total}_rounds"] = {
                "queries": len(spent.queries),
                "work": spent.work,
                "ms": round(spent.seconds * 1000, 1),
            }
    return figures


if __name__ == "__main__":
    import django

    django.setup()
    settings.ALLOWED_HOSTS = ["testserver"]
    print(json.dumps(grow(int(sys.argv[1]))))  # noqa: T201
