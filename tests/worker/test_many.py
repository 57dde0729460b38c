"""Many workers on one database, on one machine and on several: every round is done once, all take part, and a lost machine loses nothing."""

from __future__ import annotations

import itertools
import json
import os
import signal
import statistics
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tasks.pipeline import STAGES
from tests.emulators.evaluator import Evaluator
from tests.emulators.github import GitHubEmulator
from tests.worker.box import Box, Supervisor, until

pytestmark = [pytest.mark.worker, pytest.mark.timeout(400)]

TASKS, SECOND_ROUNDS = 36, 8
MACHINES = ("first", "second", "third")


@pytest.fixture
def github() -> Iterator[GitHubEmulator]:
    with GitHubEmulator() as running:
        running.latency = 0.02  # a round takes so long that no worker can do them all before the others wake
        yield running


def bodies(evaluator: Evaluator) -> list[dict[str, Any]]:
    """First rounds of many tasks, and the second round of some, all at once."""
    rounds = [(f"task-{number}", 1) for number in range(TASKS)] + [(f"task-{number}", 2) for number in range(SECOND_ROUNDS)]
    return [
        {
            "email": "student@example.org", "task": task, "round": number, "nonce": f"{task}-{number}", "evaluation_url": evaluator.url,
            "brief": f"Publish a page for round {number} of {task} that shows the total inside #total.",
        }
        for task, number in rounds
    ]  # fmt: skip


def until_all_succeeded(box: Box, number: int, seconds: float = 90) -> list[dict[str, Any]]:
    until(lambda: box.call("states") == {"succeeded": number}, seconds, f"{number} finished rounds")
    return box.call("story")


def on_github(github: GitHubEmulator, **settings: Any) -> str:
    return json.dumps({**github.django_settings(), "GITHUB_WRITES_PER_MINUTE": 0, "GITHUB_WRITES_PER_HOUR": 0, **settings})


def assert_done_once(story: list[dict[str, Any]], evaluator: Evaluator) -> None:
    for item in story:
        assert item["runs"] == [[stage, 1, "done"] for stage in STAGES], item
        assert len(item["commits"]) == 1, item
        assert item["deliveries"] == ["delivered"], item
    assert Counter(body["nonce"] for body in evaluator.bodies) == {item["nonce"]: 1 for item in story}


def shares(story: list[dict[str, Any]]) -> Counter[str]:
    return Counter(worker for item in story for worker in item["workers"])


@pytest.mark.parametrize(
    "machines", [pytest.param(("", "", ""), id="one machine", marks=pytest.mark.rest), pytest.param(MACHINES, id="three machines")]
)
def test_three_workers_on_postgresql_do_every_round_once(
    postgres_box: Box, machines: tuple[str, ...], github: GitHubEmulator, evaluator: Evaluator
) -> None:
    box = postgres_box
    for machine in machines:
        box.start(machine=machine, TEST_SETTINGS=on_github(github))
    box.call("post", *bodies(evaluator))
    story = until_all_succeeded(box, TASKS + SECOND_ROUNDS)
    assert_done_once(story, evaluator)
    assert len(github.repositories()) == len({item["repo"] for item in story}) == TASKS
    for item in story:
        assert github.commits(item["repo"])[::-1] == [sha for other in story if other["repo"] == item["repo"] for sha in other["commits"]]
    assert len(shares(story)) == 3, shares(story)
    assert {name.partition(":")[0] for name in shares(story)} >= set(filter(None, machines))
    until(lambda: box.call("queue") == [], 10, "every message acknowledged")


def test_two_workers_on_sqlite_do_every_round_once(box: Box, github: GitHubEmulator, evaluator: Evaluator) -> None:
    for _ in range(2):
        box.start(TEST_SETTINGS=on_github(github))
    box.call("post", *bodies(evaluator))
    story = until_all_succeeded(box, TASKS + SECOND_ROUNDS)
    assert_done_once(story, evaluator)
    assert len({item["repo"] for item in story}) == TASKS
    assert len(shares(story)) == 2, shares(story)
    until(lambda: box.call("queue") == [], 10, "every message acknowledged")


def vanish(worker: Supervisor) -> None:
    """The whole machine at once, as when its power goes."""
    group = worker.group()
    worker.process.kill()
    for pid in group:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    worker.process.wait()


def test_a_machine_that_vanishes_in_the_middle_loses_nothing(postgres_box: Box, github: GitHubEmulator, evaluator: Evaluator) -> None:
    box = postgres_box
    workers = [box.start(machine=machine, TEST_SETTINGS=on_github(github), DEPLOYER_LEASE_SECONDS="4") for machine in MACHINES]
    box.call("post", *bodies(evaluator))
    until(lambda: box.call("states").get("succeeded", 0) >= 6, 60, "six rounds")
    vanish(workers[0])
    left = TASKS + SECOND_ROUNDS - box.call("states").get("succeeded", 0)
    assert left > 6, "it vanished too late to show anything"
    story = until_all_succeeded(box, TASKS + SECOND_ROUNDS)
    assert len(github.repositories()) == len({item["repo"] for item in story}) == TASKS
    for item in story:
        assert len(github.commits(item["repo"])) == sum(1 for other in story if other["repo"] == item["repo"])
        sent = evaluator.by_nonce(item["nonce"])
        assert 1 <= len(sent) <= 2
        assert all(body == sent[0] for body in sent)
        if "interrupted" not in {outcome for _, _, outcome in item["runs"]}:
            assert item["runs"] == [[stage, 1, "done"] for stage in STAGES], item
    assert len(shares(story)) == 3


def start_seconds(box: Box, label: str) -> float:
    """From a message to the start of its job. A worker that only looks at the queue now and then takes almost a second, since it has just looked."""
    time.sleep(0.03)
    sent = box.note(label)
    return box.until_noted(label, 5)[2] - sent


def test_a_worker_on_another_machine_is_woken_at_once(postgres_box: Box) -> None:
    box = postgres_box
    box.start(machine="first")
    assert statistics.median(start_seconds(box, f"job-{number}") for number in range(15)) < 0.3


@pytest.mark.rest
def test_a_cut_line_is_made_anew(postgres_box: Box) -> None:
    box = postgres_box
    box.start(machine="first")
    assert box.call("cut_connections") >= 1
    numbers = itertools.count()
    until(lambda: max(start_seconds(box, f"job-{next(numbers)}") for _ in range(3)) < 0.3, 30, "three quick starts, one after another")
