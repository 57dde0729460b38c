"""SIGKILL of a worker's whole process group just before and just after everything that a round leaves behind."""

from __future__ import annotations

import os
import time

import pytest

from tasks.browser import find_chromium
from tests.crashes.conftest import Judge
from tests.crashes.processes import family, named
from tests.crashes.rounds import outcome
from tests.crashes.service import PATIENCE, PROCESSES, PRODUCTION, Service, rest
from tests.worker.box import until

pytestmark = [pytest.mark.worker, pytest.mark.timeout(400)]

GROUP = "worker, whole group"
LOST = {"after answer": 2}  # an answer that was not stored is asked for again

STAGES = {
    "attachments": ["before job", "before attachments", "before file", "after file", "after attachments"],
    "generate": ["before generate", "before answer", "after answer", "after kept answer", "after generate"],
    "generate, in a transaction": ["after files"],  # alone: on SQLite nobody else can write then
    "evaluate": ["before evaluate", "after verdict", "after evaluate"],
    "publish, repository": ["before publish", "before POST /user/repos", "after POST /user/repos", "before POST /git/trees"],
    "publish, commit": ["after POST /git/trees", "after POST /git/commits", "before PATCH /git/refs", "after PATCH /git/refs"],
    "publish, Pages": ["before POST /pages", "after POST /pages", "after publish", "after end of publish"],
    "verify": ["before verify", "after look", "after verify"],
    "notify": ["before notify", "before notification", "after notification", "after notify"],
}


@pytest.mark.parametrize("stage", [pytest.param(name, marks=rest) if number % 2 else name for number, name in enumerate(STAGES)])
def test_a_killed_group(stage: str, service: Service, judge: Judge) -> None:
    """Several rounds at once, each held at a point of its own."""
    rounds = service.hold(*STAGES[stage])
    killed_at = time.monotonic()
    service.kill_worker()
    service.gate.open()
    service.start_worker()
    judge(service, rounds, killed_at, GROUP, asks=LOST, told={"before notification": 1})


@rest
def test_a_killed_group_with_the_lease_of_production(service: Service, judge: Judge) -> None:
    """The figure that counts: nothing is shortened."""
    service.replace_worker(DEPLOYER_LEASE_SECONDS=PRODUCTION)
    rounds = service.hold("after file", "after answer", "after verdict", "after POST /user/repos", "after PATCH /git/refs", "after notification")
    killed_at = time.monotonic()
    service.kill_worker()
    service.gate.open()
    service.start_worker(DEPLOYER_LEASE_SECONDS=PRODUCTION)
    judge(service, rounds, killed_at, GROUP, asks=LOST)


@rest
def test_a_killed_group_with_the_local_host(service: Service, judge: Judge) -> None:
    service.replace_worker(REPO_HOST="local")
    rounds = service.hold("before local repository", "after local repository", "before local commit", "after local commit")
    killed_at = time.monotonic()
    service.kill_worker()
    service.gate.open()
    service.start_worker(REPO_HOST="local")
    judge(service, rounds, killed_at, GROUP, host="local")


def test_a_killed_group_in_round_two(service: Service, judge: Judge) -> None:
    points = ["before POST /git/trees", "after POST /git/commits", "after PATCH /git/refs", "after notification"]
    first = [service.post(f"{point}, round 1") for point in points]
    service.wait_ended(*first)
    second = []
    for posted, point in zip(first, points, strict=True):
        second += service.hold(point, task=posted.task, round=2, attachments=[])
        second[-1].name = f"{point}, round 2"
    killed_at = time.monotonic()
    service.kill_worker()
    service.gate.open()
    service.start_worker()
    judge(service, second, killed_at, GROUP, commits=2, asks={posted.name: 2 for posted in second})  # one for each round
    for posted in first:
        assert outcome(service, posted, commits=2)["notifications"] == 1


@rest
def test_a_round_whose_worker_is_killed_again_and_again(service: Service, judge: Judge) -> None:
    points = ["before answer", "after PATCH /git/refs", "after notification"]
    [posted] = service.hold(points[0])
    for point, following in zip(points, [*points[1:], "nowhere"], strict=True):
        service.wait_held(point)
        killed_at = time.monotonic()
        service.kill_worker()
        service.gate.open()
        service.gate.arm(following)
        service.start_worker()
    posted.name = "three times, the last one " + points[-1]
    judge(service, [posted], killed_at, GROUP)


@rest
def test_a_killed_group_after_the_end_repeats_nothing(service: Service, judge: Judge) -> None:
    rounds = service.hold("after end of notify")
    killed_at = time.monotonic()
    service.kill_worker()
    service.gate.open()
    service.start_worker()
    later = service.post("the next one")
    service.wait_ended(later)
    judge(service, rounds, killed_at, GROUP, told={"after end of notify": 1})


@rest
def test_a_killed_group_while_rounds_wait(service: Service, judge: Judge) -> None:
    """Nobody holds a lease then; the next look is a row. And a round that comes while no worker lives waits for one."""
    service.evaluator.script.append(503)
    told_later = service.post("waiting in notify")
    service.wait_waiting(told_later, "notify")
    service.github.pages_latency = 3.0
    try:
        live_later = service.post("waiting in verify")
        service.wait_waiting(live_later, "verify")
        killed_at = time.monotonic()
        service.kill_worker()
        early = service.post("posted while no worker lived")
        service.start_worker()
        judge(service, [told_later, live_later, early], killed_at, GROUP)
    finally:
        service.github.pages_latency = 0.0


@rest
def test_a_killed_group_takes_its_browser_with_it(service: Service, judge: Judge) -> None:
    """While Chromium looks at the page: none of its processes stays behind, the page is looked at anew."""
    if find_chromium() is None and os.environ.get("REQUIRE_SERVICES") != "1":
        pytest.skip("no Chromium")
    service.replace_worker(CHROMIUM_PATH="")
    posted = service.post("Chromium at work", checks=[{"js": "performance.now() > 2000"}])
    assert service.worker
    worker = service.worker.pid
    assert until(lambda: named(family(worker), "chrom"), PATIENCE, "a browser")
    killed_at = time.monotonic()
    service.kill_worker()
    service.start_worker(CHROMIUM_PATH="")
    judge(service, [posted], killed_at, GROUP)
    checks = [check for check in service.status(posted)["checks"] if check["title"].startswith("performance")]
    assert [(check["status"], check["live"]) for check in checks] == [("pass", False), ("pass", True)]


def test_a_worker_has_room_for_all_that_are_held_at_once() -> None:
    assert max(map(len, STAGES.values())) < PROCESSES
