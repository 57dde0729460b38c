"""SIGKILL of one process of a worker, idle and busy: one of those that do the work, a helper, the sentinel, the supervisor."""

from __future__ import annotations

import signal
import time

import pytest

from tests.crashes.conftest import Judge
from tests.crashes.processes import send
from tests.crashes.service import PATIENCE, PROCESSES, Service, rest
from tests.worker.box import alive, until

pytestmark = [pytest.mark.worker, pytest.mark.timeout(400)]

IDLE = {
    "one worker process, idle": ("queue-worker", 1),
    "all worker processes, idle": ("queue-worker", PROCESSES),
    "pusher, idle": ("queue-pusher", 1),
    "monitor, idle": ("queue-monitor", 1),
    "sentinel, idle": ("queue-cluster", 1),
}


@rest
@pytest.mark.parametrize("killed", IDLE)
def test_what_is_killed_while_idle_delays_the_next_round_by_seconds(killed: str, service: Service, judge: Judge) -> None:
    kind, number = IDLE[killed]
    victims = service.pids(kind)[:number]
    killed_at = time.monotonic()
    service.kill(victims)
    judge(service, [service.post("before the post")], killed_at, killed, told={"before the post": 1})


def test_the_processes_that_work_on_rounds_are_killed(service: Service, judge: Judge) -> None:
    rounds = service.hold(
        "before job", "before file", "before answer", "after answer", "after POST /user/repos", "after PATCH /git/refs", "after notification"
    )
    killed_at = time.monotonic()
    service.kill(posted.held_by for posted in rounds)
    service.gate.open()
    judge(service, rounds, killed_at, "worker process, busy", asks={"after answer": 2})


@pytest.mark.parametrize("name", ["pusher", "monitor", "sentinel"])
def test_a_process_beside_those_that_work_is_killed(name: str, service: Service, judge: Judge) -> None:
    """Without the sentinel the whole cluster ends, and its supervisor starts another one."""
    rounds = service.hold("after kept answer", "after PATCH /git/refs")
    cluster = service.pids("queue-")
    killed_at = time.monotonic()
    service.kill(service.pids({"sentinel": "queue-cluster"}.get(name, f"queue-{name}")))
    if name == "sentinel":
        until(lambda: not any(map(alive, cluster)), PATIENCE, "the end of the cluster")
    service.gate.open()
    judge(service, rounds, killed_at, f"{name}, busy")


def test_the_supervisor_alone_is_killed_and_takes_its_cluster_with_it(service: Service, judge: Judge) -> None:
    rounds = service.hold("before answer", "after POST /user/repos", "after PATCH /git/refs")
    assert service.worker
    cluster = service.pids("queue-")
    killed_at = time.monotonic()
    service.kill([service.worker.pid])
    service.reap(service.worker)
    until(lambda: not any(map(alive, cluster)), PATIENCE, "the end of the cluster")
    service.gate.open()
    service.start_worker()
    judge(service, rounds, killed_at, "supervisor alone")


def test_a_worker_that_lost_processes_a_moment_ago_stops_by_itself(service: Service) -> None:
    """Before its sentinel could replace them, and before `DEPLOYER_STOP_SECONDS`, when its supervisor would kill the rest."""
    service.replace_worker(DEPLOYER_STOP_SECONDS="600")
    victims = service.pids("queue-worker")[2:]
    sentinel = service.pids("queue-cluster")
    assert service.worker
    send(sentinel, signal.SIGSTOP)
    service.kill(victims)
    service.worker.terminate()
    time.sleep(0.5)  # for the supervisor to raise the flag
    send(sentinel, signal.SIGCONT)
    service.reap(service.worker)
    assert service.worker.returncode == 0
    service.assert_nothing_is_left()
