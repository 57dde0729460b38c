"""However long it runs, what it keeps does not grow."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.db.models import F
from django.utils import timezone
from django_q.models import OrmQ, Task

from tasks import retry
from tasks.models import CodeVersion, CompiledCheck, Message, NotificationAttempt, Round, StageRun, TaskRequest
from tasks.pipeline import DETAIL_CHARACTERS
from tasks.retention import database
from tests.admin.conftest import Story, tell
from tests.driver import post, step
from tests.emulators.evaluator import Evaluator
from tests.factories import make_version
from tests.retention.conftest import pruned_after


@pytest.mark.skipif(connection.vendor != "sqlite", reason="measures SQLite's file")
@pytest.mark.django_db(transaction=True)
def test_with_a_prune_now_and_then_the_database_stops_growing(folder: Path) -> None:
    """Twelve months of a task posted anew each month and of tasks of one month; every other month what is older than three goes."""
    steady: TaskRequest | None = None
    sizes, rows = [], []
    start = timezone.now() - timedelta(days=360)
    for month in range(12):
        now = start + timedelta(days=30 * month)
        with time_machine.travel(now, tick=False):
            stories = [story(f"m{month}n{number}") for number in range(3)]
            steady = steady or stories[0].round.task_request
            move(stories[0].round, steady)
            bulk(stories[1].round, now)
            OrmQ.objects.create(key="deployer", payload="x", lock=now)
            Task.objects.create(id=f"{month}", name="x", func="x", started=now, stopped=now, success=False)
            if month % 2:
                call_command("prune", "--rounds-days", "90", "--json", stdout=(folder / "out").open("w"))
                sizes.append(database.size())
                rows.append(sum(model._default_manager.count() for model in apps.get_app_config("tasks").get_models()))
    assert sizes[-1] <= sizes[2] * 1.1
    assert rows[-1] <= rows[2] * 1.1
    assert steady is not None
    assert 1 <= Round.objects.filter(task_request=steady).count() <= 5
    call_command("prune", "--rounds-days", "0", "--vacuum", "--json", stdout=(folder / "out").open("w"))
    assert database.size() < sizes[0]
    assert database.free() == 0


def story(text: str) -> Story:
    made = tell(text)
    for row in (made.budget, made.worker, *CompiledCheck.objects.all()):  # their names are counted
        row.delete()
    return made


def move(round_: Round, task: TaskRequest) -> None:
    """To another task, as if it had been posted there."""
    CodeVersion.objects.filter(round=round_).update(task_request=task, number=F("pk") + 1000)
    Message.objects.filter(round=round_).update(task_request=task)
    Round.objects.filter(pk=round_.pk).update(task_request=task)


def bulk(round_: Round, now: datetime) -> None:
    make_version(round_, {"index.html": b"<p>" * 100_000}, prompt="p" * 50_000, raw_answer="r" * 50_000, created_at=now)


def test_a_round_that_waits_for_three_days_makes_few_rows() -> None:
    """Tries of one thing, as the schedule has them: this bounds deliveries, and the stage runs of a peer that is away."""
    tries, age = 1, 0.0
    while (pause := retry.delay(tries, age)) is not None:
        tries, age = tries + 1, age + pause
    assert retry.GIVE_UP_SECONDS <= age < 2 * retry.GIVE_UP_SECONDS
    assert tries <= 40


@pytest.mark.django_db(transaction=True)
def test_an_evaluator_that_is_away_for_days_fills_one_stage_run_and_short_answers(
    live_server: Any, settings: Any, payload: dict[str, Any], evaluator: Evaluator
) -> None:
    settings.PUBLIC_URL, settings.EVALUATE = live_server.url, False
    evaluator.script.extend([503] * 100)
    round_ = post(payload | {"evaluation_url": evaluator.url})
    begin = timezone.now()
    looks = 0
    with time_machine.travel(begin, tick=True) as clock:
        round_ = step(round_)
        while round_.is_open:
            clock.move_to(round_.next_run_at + timedelta(seconds=1))
            round_ = step(round_)
            looks += 1
    assert round_.error_id == "notification-given-up"
    assert looks <= 40
    assert NotificationAttempt.objects.count() <= 40
    assert StageRun.objects.filter(stage="notify").count() <= 2
    assert Message.objects.count() <= 5
    assert max(len(answer) for answer in NotificationAttempt.objects.values_list("answer", flat=True)) <= 2000


@pytest.mark.django_db(transaction=True)
def test_an_error_with_a_long_story_is_kept_short(payload: dict[str, Any], settings: Any) -> None:
    settings.PUBLIC_URL = "http://testserver"
    round_ = post(payload | {"attachments": []})
    Round.objects.filter(pk=round_.pk).update(stage="verify", version=make_version(round_))
    from tasks.errors import RemoteError
    from tasks.pipeline import after_error

    run = StageRun.objects.create(round=round_, stage="verify")
    after_error(round_, run, RemoteError(detail="x" * 1_000_000))
    assert len(run.detail) == DETAIL_CHARACTERS


@pytest.mark.django_db
def test_a_prune_of_an_empty_service_finds_nothing() -> None:
    assert Counter(pruned_after(400).counts).total() == 0
