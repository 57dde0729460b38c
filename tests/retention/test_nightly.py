"""Each night one worker prunes, in slices, with the options that were given."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from django_q.models import OrmQ, Schedule

from tasks import jobs
from tasks.models import Round, TaskRequest
from tasks.retention import nightly
from tasks.worker import dispatcher
from tests.factories import make_round, make_task

pytestmark = pytest.mark.django_db

OLD = timezone.now() - timedelta(days=400)


def old_round() -> Round:
    task = make_task(created_at=OLD)
    return make_round(task, status="succeeded", received_at=OLD, next_run_at=OLD)


def due() -> None:
    Schedule.objects.update(next_run=timezone.now() - timedelta(seconds=1))


def queued() -> list[tuple[str, dict[str, object]]]:
    return [(row.task["func"], row.task["kwargs"]) for row in OrmQ.objects.order_by("pk")]


def work() -> int:
    """Do what is queued; how many jobs that were."""
    done = 0
    while row := OrmQ.objects.order_by("pk").first():
        row.delete()
        jobs.prune(**row.task["kwargs"])
        done += 1
    return done


@pytest.mark.parametrize(("now", "then"), [((1, 0), (1, 3, 17)), ((3, 17), (2, 3, 17)), ((23, 59), (2, 3, 17))])
def test_the_next_night_is_the_next_time_the_clock_shows_it(now: tuple[int, int], then: tuple[int, int, int]) -> None:
    assert nightly.next_night(datetime(2026, 3, 1, *now, tzinfo=UTC)) == datetime(2026, 3, *then, tzinfo=UTC)


def test_nothing_is_pruned_unless_it_was_switched_on() -> None:
    dispatcher.tidy()
    assert queued() == []


def test_it_is_queued_once_when_its_time_has_come_and_then_waits_for_the_next_night() -> None:
    nightly.switch_on(nightly.Options(rounds_days=100, repos=True))
    dispatcher.tidy()
    assert queued() == []
    due()
    for _ in range(3):
        dispatcher.tidy()
    assert queued() == [("tasks.jobs.prune", {"rounds_days": 100, "answers_days": 30, "logs_days": 30, "repos": True})]
    assert Schedule.objects.get().next_run > timezone.now()


def test_nights_that_were_missed_are_not_caught_up_with() -> None:
    nightly.switch_on(nightly.Options())
    Schedule.objects.update(next_run=timezone.now() - timedelta(days=30))
    assert [nightly.enqueue_when_due() for _ in range(2)] == [True, False]


def test_switched_on_again_it_has_the_new_options_and_switched_off_it_is_gone() -> None:
    nightly.switch_on(nightly.Options())
    nightly.switch_on(nightly.Options(rounds_days=7))
    assert "'rounds_days': 7" in Schedule.objects.get().kwargs
    assert [nightly.switch_off(), nightly.switch_off()] == [True, False]


def test_the_job_prunes_with_its_options() -> None:
    old_round()
    nightly.switch_on(nightly.Options(rounds_days=500))
    due()
    nightly.enqueue_when_due()
    work()
    assert TaskRequest.objects.count() == 1
    nightly.switch_on(nightly.Options(rounds_days=300))
    due()
    nightly.enqueue_when_due()
    assert work() == 1
    assert TaskRequest.objects.count() == 0


def test_what_does_not_fit_into_a_slice_is_the_next_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    old_round()
    monkeypatch.setattr(nightly, "SLICE_SECONDS", -1.0)
    jobs.prune(rounds_days=300)
    assert queued() == [("tasks.jobs.prune", {"rounds_days": 300, "answers_days": 30, "logs_days": 30, "repos": False})]
    monkeypatch.undo()
    assert work() == 1
    assert TaskRequest.objects.count() == 0
