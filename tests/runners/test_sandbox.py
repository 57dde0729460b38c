"""Programs in the sandbox."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tasks.runners import Runner, get_runner
from tasks.runners.base import Job
from tests.runners.programs import Programs
from tests.runners.watch import Seen

RUNNER = get_runner("sandbox")
REFUSED = RUNNER.unavailable()
pytestmark = pytest.mark.skipif(bool(REFUSED) and os.environ.get("REQUIRE_SERVICES") != "1", reason=REFUSED)


class TestPrograms(Programs):
    @property
    def runner(self) -> Runner:
        return RUNNER

    def left_over(self) -> list[str]:
        """Processes of a run's user, or below this process."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                status = dict(line.split(":\t", 1) for line in (folder / "status").read_text().splitlines() if ":\t" in line)
            except (OSError, ValueError):
                continue
            ours = int(status["Uid"].split()[0]) == 1_000_000 + os.getpid() or (int(status["PPid"]) == os.getpid() and status["Name"] == "bwrap")
            if ours and not status["State"].startswith("Z"):
                found.append(f"{folder.name} {status['Name']}")
        return found


def test_where_there_is_no_bubblewrap_it_refuses_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    from tasks.runners import sandbox

    sandbox._refusal.cache_clear()
    try:
        with monkeypatch.context() as changed:
            changed.setenv("PATH", "/nowhere")
            report = RUNNER.run(Job(("true",)), Seen())
    finally:
        sandbox._refusal.cache_clear()
    assert (report.status, report.reason) == ("internal_error", "bubblewrap is not installed: apt install bubblewrap, or use another RUNNER.")
