"""A class on one machine: students whose services are this very one, taken through every round and graded."""

from __future__ import annotations

import csv
import subprocess
import sys
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings

from tasks.demo.stack import Stack
from tasks.demo.trouble import HANG_SECONDS, Trouble

PATIENCE = 240.0  # seconds that a report is waited for: this class is run on one machine with nothing slow in it


def run(stack: Stack, brief: str, students: int, *, trouble: bool = False, hang_seconds: float = HANG_SECONDS) -> bool:
    """Import so many students, three that misbehave among them where there is to be trouble, and run the class; whether it went as it should."""
    with ExitStack() as held:
        endpoints = {f"student-{number:03}": f"{stack.url}/ready" for number in range(1, students + 1)}
        if trouble:
            wrong = held.enter_context(Trouble(stack.url, hang_seconds)).endpoints
            endpoints = dict(list(endpoints.items())[: max(0, students - len(wrong))]) | wrong
        stack.manage("submissions", "import", str(sheet(stack, endpoints)))
        output = stack.folder / f"{brief}.zip"
        command = [sys.executable, "manage.py", "run_class", brief, "--patience", str(PATIENCE), "--output", str(output)]
        done = subprocess.run(command, cwd=settings.BASE_DIR, env=stack.env, check=False)  # noqa: S603 - our own arguments  # nosec B603
    return done.returncode == 0


def sheet(stack: Stack, endpoints: dict[str, str]) -> Path:
    """The form's sheet, as a course exports it."""
    path = stack.folder / "submissions.csv"
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["timestamp", "email", "endpoint", "secret"])
        rows.writerows([now, f"{name}@example.com", endpoint, stack.secret] for name, endpoint in endpoints.items())
    path.chmod(0o600)
    return path
