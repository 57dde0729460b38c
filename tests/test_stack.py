"""What the demo does with its child processes while it serves."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.demo import stack
from tasks.demo.stack import Stack, StackError

SLEEP = ("-c", "import time; time.sleep(60)")


@pytest.fixture
def children(tmp_path: Path) -> Iterator[Stack]:
    made = Stack(tmp_path)
    made.spawn("web", *SLEEP)
    made.spawn("worker", *SLEEP)
    yield made
    made.stop()


def test_a_child_that_was_killed_is_started_again_in_its_place(children: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stack, "STEADY_SECONDS", 0.0)
    web, worker = children.children
    assert children.renew() == []
    web.send_signal(signal.SIGKILL)
    web.wait()
    assert children.renew() == ["web ended with -9 and is started again."]
    assert children.children[1:] == [worker]
    assert children.children[0].args == web.args
    assert children.children[0].poll() is None
    assert children.renew() == []


def test_a_child_that_ends_soon_after_its_start_is_an_error_that_names_its_log(children: Stack) -> None:
    children.children[1].kill()
    children.children[1].wait()
    with pytest.raises(StackError, match=r"worker ended with -9 soon after its start; look at .*worker\.log"):
        children.renew()
