"""Every row once, in transactions of their own, and others get their turn."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from tasks.models import Deployment, Round, TaskRequest
from tasks.retention import batches
from tasks.retention.batches import Batches
from tests.factories import make_round, make_task, make_version
from tests.retention.conftest import pruned_after


@pytest.mark.django_db(transaction=True)
def test_every_row_is_taken_once_and_inside_a_transaction() -> None:
    rows = [make_task().pk for _ in range(60)]
    taken: list[int] = []

    def take(ids: list[int]) -> int:
        assert connection.in_atomic_block
        taken.extend(ids)
        return len(ids)

    assert Batches().run("tasks", TaskRequest.objects.all(), take) == 60
    assert taken == rows


@pytest.mark.django_db(transaction=True)
def test_what_went_before_a_failure_is_gone_and_the_rest_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "MOST", 10)
    for _ in range(30):
        make_task()
    calls = 0

    def take(ids: list[int]) -> int:
        nonlocal calls
        calls += 1
        gone, _ = TaskRequest.objects.filter(pk__in=ids).delete()
        if calls == 2:
            raise RuntimeError
        return gone

    with pytest.raises(RuntimeError):
        Batches().run("tasks", TaskRequest.objects.all(), take)
    assert TaskRequest.objects.count() == 20


@pytest.mark.django_db(transaction=True)
def test_a_row_that_something_refers_to_stays_and_the_others_go() -> None:
    for _ in range(12):
        make_round(status="succeeded")
    odd = Round.objects.all()[5]
    version = make_version(odd)
    stranger = make_round()
    Deployment.objects.create(round=stranger, version=version, host="local", commit_sha="a" * 40, tree_sha="b" * 40)
    pruned = pruned_after(366)
    assert set(Round.objects.all()) == {odd, stranger}
    assert pruned.counts["tasks"] == 11
    assert len(pruned.problems) == 1
    assert f"tasks {odd.task_request_id} could not be removed" in pruned.problems[0]


@pytest.mark.django_db
def test_it_stops_when_its_time_is_up_and_says_so() -> None:
    make_task()
    spent = Batches(seconds=-1)
    assert spent.run("tasks", TaskRequest.objects.all(), len) == 0
    assert not spent.finished


@pytest.mark.django_db
def test_progress_is_told() -> None:
    for _ in range(3):
        make_task()
    told: list[tuple[str, int, int]] = []
    Batches(progress=lambda *said: told.append(said)).run("tasks", TaskRequest.objects.all(), len)
    assert told == [("tasks", 3, 3)]


@pytest.mark.django_db(transaction=True)
def test_requests_are_accepted_while_it_runs(payload: dict[str, Any]) -> None:
    for _ in range(60):
        make_round(status="succeeded")
    begun, over, answers = threading.Event(), threading.Event(), []

    def ask() -> None:
        try:
            while not over.is_set() or not answers:
                body = payload | {"task": f"during-{len(answers)}", "attachments": []}
                answers.append(Client().post("/ready", data=json.dumps(body), content_type="application/json").status_code)
                begun.set()
        finally:
            connection.close()

    thread = threading.Thread(target=ask)
    thread.start()
    begun.wait(60)
    pruned = pruned_after(366)
    over.set()
    thread.join()
    assert pruned.counts["tasks"] == 60
    assert set(answers) == {200}
    assert Round.objects.filter(status="succeeded").count() == 0
    assert Round.objects.open().count() == len(answers)
