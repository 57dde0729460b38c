"""The write budget of a GitHub token, taken from by several processes on either database: no window ever holds more than the limit."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.worker.box import ROOT, Box

pytestmark = [pytest.mark.worker, pytest.mark.timeout(300)]

PROCESSES = 3
LIMIT, SPAN, TOTAL = 20, 1.0, 60


@pytest.mark.parametrize("engine", ["box", "postgres_box"])
def test_processes_that_share_a_token_keep_its_limit(engine: str, request: pytest.FixtureRequest) -> None:
    box: Box = request.getfixturevalue(engine)
    command = [sys.executable, "-m", "tests.worker.writers", str(LIMIT), str(SPAN), str(TOTAL)]
    children = [subprocess.Popen(command, cwd=ROOT, env=box.env) for _ in range(PROCESSES)]
    assert [child.wait(60) for child in children] == [0] * PROCESSES
    [stamps] = box.call("budgets")
    assert len(stamps) >= TOTAL
    assert stamps == sorted(stamps)
    assert min(later - earlier for earlier, later in zip(stamps, stamps[LIMIT:], strict=False)) >= SPAN
