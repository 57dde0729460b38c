"""What the demo does with its child processes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasks.demo.stack import Stack

pytestmark = pytest.mark.worker


def test_a_child_that_ended_or_was_killed_is_started_again_in_its_place(tmp_path: Path) -> None:
    with Stack(tmp_path, workers=1) as stack:
        web, worker = stack.children
        assert stack.renew() == []
        web.terminate()
        worker.kill()
        for child in (web, worker):
            child.wait()
        assert stack.renew() == [f"web ended with {web.returncode} and was started again.", "worker ended with -9 and was started again."]
        assert [child.args for child in stack.children] == [web.args, worker.args]
        assert stack.get("/health")["status"] == "ok"
