"""Programs run by real worker processes: what a killed worker ran ends with it, and the next one gets its turn."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tasks.runners import get_runner
from tests.worker.box import Box, until

REFUSED = get_runner("sandbox").unavailable()
pytestmark = [pytest.mark.worker, pytest.mark.skipif(bool(REFUSED) and os.environ.get("REQUIRE_SERVICES") != "1", reason=REFUSED)]


def sleepers(mark: str) -> list[str]:
    """Processes whose command holds the mark."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (folder / "cmdline").read_bytes():
                found.append(folder.name)
        except OSError:
            continue
    return found


def test_a_worker_that_is_killed_in_mid_run_takes_the_program_with_it_and_the_next_is_run(box: Box) -> None:
    worker = box.worker()
    mark = f"{os.getpid()}-in-mid-run"
    program = f"import subprocess, sys; print('begun', flush=True); subprocess.run([sys.executable, '-c', 'import time; time.sleep(60) # {mark}'])"
    box.call("run_program", program)
    until(lambda: "begun" in box.call("runs_rows")[0][2] and sleepers(mark), 10, "the running program")
    pid = int(box.call("runs_rows")[0][3].split(":")[-2])
    box.call("run_program", "print('the next')")

    worker.kill(pid)

    until(lambda: not sleepers(mark), 2, "the program's end")
    until(lambda: box.call("runs_rows")[0][0] == "internal_error", 3, "the run's end in its row")
    assert box.call("runs_rows")[0][1] == "The worker that ran it stopped. Start it again."
    until(lambda: box.call("runs_rows")[1][:3] == ["succeeded", "", "the next\n"], 10, lambda: str(box.call("runs_rows")))


def test_a_worker_that_runs_a_program_for_long_is_not_taken_for_stuck(box: Box) -> None:
    box.start(workers=1, DEPLOYER_PROGRESS_SECONDS="1")
    box.call("run_program", "import time; time.sleep(4); print('whole')")
    until(lambda: box.call("runs_rows")[0][:3] == ["succeeded", "", "whole\n"], 10, lambda: str(box.call("runs_rows")))
    assert box.call("workers")[-1]["restarts"] == 0
