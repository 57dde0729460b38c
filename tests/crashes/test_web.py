"""SIGKILL of the web server around the commit of a request: what was answered is stored, what was not answered can be posted again."""

from __future__ import annotations

import threading
import time
from http.client import HTTPException
from typing import Any

import pytest

from tests.crashes.conftest import Judge
from tests.crashes.processes import family
from tests.crashes.rounds import Posted
from tests.crashes.service import PATIENCE, Service, rest
from tests.worker.box import until

pytestmark = [pytest.mark.worker, pytest.mark.timeout(400)]


class Caller(threading.Thread):
    """Posts in the background; `answer` stays None when the connection is cut."""

    def __init__(self, service: Service, body: dict[str, Any]) -> None:
        super().__init__(daemon=True)
        self.service, self.body = service, body
        self.answer: dict[str, Any] | None = None
        self.cut: Exception | None = None
        self.start()

    def run(self) -> None:
        try:
            self.answer = self.service.stack.post(self.body)
        except (OSError, HTTPException) as error:
            self.cut = error


def cut_off(service: Service, point: str) -> tuple[Caller, int]:
    """A caller whose request is in the hands of that process, which is held at the point."""
    service.gate.arm(point)
    caller = Caller(service, service.body())
    return caller, service.wait_held(point)


def kill_web(service: Service, caller: Caller) -> float:
    """SIGKILL to the whole web server while the caller waits; the moment."""
    killed_at = time.monotonic()
    service.kill(family(service.web.pid))
    service.web.wait(PATIENCE)
    caller.join(PATIENCE)
    assert caller.answer is None
    assert caller.cut
    service.gate.open()
    return killed_at


def received(service: Service) -> int:
    """How many rounds there are."""
    return sum(number for status, number in service.stack.get("/status")["counts"].items() if status != "overdue")


@pytest.mark.parametrize(
    ("point", "stored"),
    [pytest.param("after insert", 0, id="before the commit", marks=rest), pytest.param("after accept", 1, id="between commit and answer")],
)
def test_the_web_server_is_killed_before_it_answers(point: str, stored: int, service: Service, judge: Judge) -> None:
    """Posted again, the request gives the same round, which is done once."""
    before = received(service)
    caller, _ = cut_off(service, point)
    killed_at = kill_web(service, caller)
    service.start_web()
    assert received(service) - before == stored
    last = service.stack.get("/status")["last_task"]
    posted = Posted(service.stack.post(caller.body)["id"], caller.body, f"{point}, then posted again")
    if stored:
        assert posted.id == last["id"], "the round that nobody was told of"
    assert service.stack.post(caller.body)["id"] == posted.id
    judge(service, [posted], killed_at, "web server, whole group")
    assert received(service) - before == 1


def test_a_round_that_nobody_was_told_of_is_done_without_a_second_post(service: Service, judge: Judge) -> None:
    caller, _ = cut_off(service, "after accept")
    killed_at = kill_web(service, caller)
    until(lambda: service.evaluator.by_nonce(caller.body["nonce"]), PATIENCE, "the notification, with no web server at all")
    service.start_web()
    posted = Posted(service.stack.get("/status")["last_task"]["id"], caller.body, "after accept, never posted again")
    judge(service, [posted], killed_at, "web server, whole group", told={posted.name: 1})


def test_the_web_server_replaces_a_process_of_its_own_that_was_killed(service: Service, judge: Judge) -> None:
    """The process that answers is not the one that listens."""
    caller, victim = cut_off(service, "after accept")
    assert victim != service.web.pid
    killed_at = time.monotonic()
    service.kill([victim])
    caller.join(PATIENCE)
    assert caller.answer is None
    service.gate.open()
    service.stack.wait_ready("/status")
    assert service.web.poll() is None
    posted = Posted(service.stack.post(caller.body)["id"], caller.body, "after accept, then posted again")
    judge(service, [posted], killed_at, "web server, the answering process")
