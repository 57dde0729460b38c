"""kill -9 of any process of a worker, at any moment: the work goes on, and nothing is left behind."""

import random
import time

import pytest

from tests.worker.box import Box, alive, until

pytestmark = pytest.mark.worker


def test_idle_workers_killed_while_they_wait_for_a_message_do_not_stop_the_queue(box: Box) -> None:
    worker = box.worker()
    restarts = box.call("workers")[0]["restarts"]
    for number in range(2):
        for pid in worker.group("worker"):
            worker.kill(pid)
        box.note(f"job-{number}")
        box.until_noted(f"job-{number}", 4)
    until(worker.whole, 3, "a whole cluster")
    assert box.call("workers")[0]["restarts"] == restarts


@pytest.mark.parametrize("name", ["monitor", "pusher"])
def test_a_killed_helper_is_replaced(box: Box, name: str) -> None:
    worker = box.worker()
    [old] = worker.group(name)
    worker.kill(old)
    for number in range(4):
        box.note(f"job-{number}")
    until(lambda: len(set(box.labels())) == 4, 5, "four jobs")
    until(lambda: worker.whole() and worker.group(name) != [old], 3, "a whole cluster")
    until(lambda: box.call("queue") == [], 12, "every message acknowledged")


def test_a_killed_cluster_is_started_again_without_orphans(box: Box) -> None:
    worker = box.worker()
    restarts = box.call("workers")[0]["restarts"]
    old = worker.group()
    [cluster] = worker.group("cluster")
    worker.kill(cluster)
    box.note("job")
    box.until_noted("job", 6)
    until(lambda: not any(map(alive, old)), 5, "the end of the old cluster")
    until(lambda: box.call("workers")[0]["restarts"] == restarts + 1, 3, "the restart in the row")


def test_a_job_that_outlives_its_time_is_ended_and_its_worker_replaced(box: Box) -> None:
    worker = box.worker()
    before = worker.group("worker")
    box.call("enqueue", "note", str(box.notes_path), "late", 30, timeout=1)
    until(lambda: worker.whole() and worker.group("worker") != before, 10, "a new worker")
    assert box.labels() == []
    until(lambda: box.call("queue") == [], 3, "the message acknowledged")


def test_random_kills_lose_no_job(box: Box) -> None:
    """Whatever of the cluster is killed: a message comes again until a worker has finished it."""
    worker = box.worker()
    restarts = box.call("workers")[0]["restarts"]
    rng = random.Random(4)
    labels = [f"job-{number}" for number in range(60)]
    for label in labels:
        box.note(label, 0.1)
    end = time.monotonic() + 8
    while time.monotonic() < end:
        time.sleep(rng.uniform(0.1, 0.6))
        kind = rng.choice(["worker"] * 6 + ["pusher", "monitor"])
        group = worker.group(kind)
        if group:
            worker.kill(rng.choice(group))
    until(lambda: set(box.labels()) == set(labels), 30, f"all jobs: {len(set(box.labels()))} of 60 are done")
    assert box.call("workers")[0]["restarts"] == restarts


def test_the_round_of_a_killed_worker_is_free_again_within_two_seconds(box: Box) -> None:
    worker = box.start()
    round_id = box.call("make_round", enqueued_at=0)
    box.call("enqueue", "hold", str(box.notes_path), round_id, True, timeout=60)
    pid = box.until_noted("held", 5)[1]
    owner = box.call("round_row", round_id)["lease_owner"]
    worker.kill(pid)
    until(lambda: box.call("round_row", round_id)["lease_owner"] != owner, 2.5, "the lease given back")


def test_a_killed_supervisor_takes_its_cluster_with_it(box: Box) -> None:
    worker = box.start()
    group = worker.group()
    worker.process.kill()
    worker.process.wait()
    until(lambda: not any(map(alive, group)), 2, "the end of the cluster")
