"""A worker that is stopped (SIGSTOP) past its lease, while another one takes its rounds over, does no harm when it wakes up."""

from __future__ import annotations

import pytest

from tests.crashes.conftest import Judge
from tests.crashes.rounds import outcome
from tests.crashes.service import Service, rest
from tests.crashes.sleeper import Sleeper

pytestmark = [pytest.mark.worker, pytest.mark.timeout(400)]

STOPPED = "worker stopped, woken up later"
# What a late writer still does outside the database before it comes to the fence: ask the model, and tell the evaluator the very same.
POINTS = {
    "generate": ["before file", "before answer", "after answer", "after kept answer"],
    "publish": ["before POST /user/repos", "before POST /git/trees", "before PATCH /git/refs", "after PATCH /git/refs", "before POST /pages"],
    "notify": ["after look", "before notification", "after notification"],
}


@pytest.mark.parametrize("stage", [pytest.param("generate", marks=rest), pytest.param("publish", marks=rest), pytest.param("notify", marks=rest)])
def test_a_late_writer_is_fenced_off(stage: str, service: Service, judge: Judge) -> None:
    rounds = service.hold(*POINTS[stage])
    sleeper = Sleeper(service)
    service.start_worker()
    ended = service.wait_ended(*rounds)
    before = [service.status(posted) for posted in rounds]
    sleeper.wake(times=len(rounds))
    assert [service.status(posted) for posted in rounds] == before
    once = dict.fromkeys([*POINTS["generate"], *POINTS["publish"], "after look"], 1)
    judge(service, rounds, sleeper.stopped_at, STOPPED, asks={"before answer": 2, "after answer": 2}, told=once, ended=ended)


def test_a_late_writer_does_not_turn_the_branch_back(service: Service, judge: Judge) -> None:
    """It sleeps before it moves the branch by force (round 1 replaces GitHub's own first commit); when it wakes up, round 2 stands there."""
    [first] = service.hold("after POST /git/commits")
    sleeper = Sleeper(service)
    service.start_worker()
    service.wait_ended(first)
    second = service.post("after POST /git/commits, round 2 there", task=first.task, round=2, attachments=[])
    ended = service.wait_ended(second)
    sleeper.wake()
    outcome(service, first, commits=2)
    assert service.github.commits(first.task)[0] == service.status(second)["commit_sha"]
    judge(service, [second], sleeper.stopped_at, STOPPED, commits=2, asks={second.name: 2}, told={second.name: 1}, ended=ended)
