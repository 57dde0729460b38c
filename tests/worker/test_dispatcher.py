from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from django_q.models import OrmQ

from tasks.models import Round, Worker
from tasks.worker import dispatcher
from tests.factories import make_round

pytestmark = pytest.mark.django_db


def ago(seconds: float) -> datetime:
    return timezone.now() - timedelta(seconds=seconds)


def dispatched(workers: int = 2) -> list[int]:
    """What one tick puts into the queue."""
    before = set(OrmQ.objects.values_list("pk", flat=True))
    dispatcher.dispatch(workers)
    return [row.task["args"][0] for row in OrmQ.objects.exclude(pk__in=before).order_by("pk")]


def leased(owner: str = "elsewhere:1:1:99:abc", seconds: float = 20, **fields: Any) -> Round:
    return make_round(status="running", lease_owner=owner, lease_until=ago(-seconds), **fields)


def fill_queue(number: int) -> None:
    OrmQ.objects.bulk_create(OrmQ(key="deployer", payload="x", lock=ago(1)) for _ in range(number))


def test_a_due_round_without_a_message_gets_one() -> None:
    round_ = make_round()
    assert dispatched() == [round_.pk]
    round_.refresh_from_db()
    assert round_.status == "queued"
    assert round_.enqueued_at is not None


def test_it_gets_only_one() -> None:
    make_round()
    assert len(dispatched()) == 1
    assert dispatched() == []


def test_a_waiting_round_is_dispatched_when_its_time_has_come() -> None:
    round_ = make_round(status="waiting", waiting_for="the page", next_run_at=ago(0.1))
    make_round(status="waiting", next_run_at=ago(-60))
    assert dispatched() == [round_.pk]
    round_.refresh_from_db()
    assert (round_.status, round_.waiting_for) == ("queued", "")


@pytest.mark.parametrize("status", ["succeeded", "failed"])
def test_a_finished_round_is_left_alone(status: str) -> None:
    make_round(status=status)
    assert dispatched() == []


def test_a_round_under_a_lease_is_left_alone() -> None:
    leased()
    assert dispatched() == []


def test_a_lease_that_ran_out_is_taken_back_and_the_round_dispatched() -> None:
    round_ = leased(seconds=-1)
    assert dispatched() == [round_.pk]
    round_.refresh_from_db()
    assert (round_.status, round_.lease_owner, round_.lease_until) == ("queued", "", None)


def test_a_message_that_a_dead_cluster_may_have_taken_is_repeated_at_once() -> None:
    round_ = make_round(enqueued_at=ago(0.5))
    assert dispatched() == []
    dispatcher.dispatch(2, 0.0)
    assert [row.task["args"][0] for row in OrmQ.objects.all()] == [round_.pk]


def test_a_message_without_effect_is_repeated_after_fifteen_seconds() -> None:
    lost = make_round(enqueued_at=ago(16))
    make_round(enqueued_at=ago(14))
    assert dispatched() == [lost.pk]


def test_in_a_long_queue_a_message_is_only_waiting() -> None:
    make_round(enqueued_at=ago(16))
    fill_queue(4)
    assert dispatched(workers=2) == []


def test_the_queue_is_topped_up_to_twice_the_workers() -> None:
    for _ in range(6):
        make_round(enqueued_at=ago(60))
    fill_queue(1)
    assert len(dispatched(workers=2)) == 3


def test_the_one_that_waits_longest_is_repeated_first() -> None:
    make_round(enqueued_at=ago(20))
    oldest = make_round(enqueued_at=ago(90))
    fill_queue(3)
    assert dispatched(workers=2) == [oldest.pk]


def test_what_is_due_longest_is_dispatched_first() -> None:
    later, earlier = make_round(next_run_at=ago(1)), make_round(next_run_at=ago(9))
    assert dispatched() == [earlier.pk, later.pk]


def test_a_tick_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatcher, "BATCH", 30)
    for _ in range(31):
        make_round()
    assert (len(dispatched()), len(dispatched())) == (30, 1)


def test_a_round_that_another_supervisor_took_meanwhile_gets_no_second_message(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = make_round(next_run_at=ago(9)), make_round(next_run_at=ago(1))
    enqueue = dispatcher.enqueue

    def overtaken(pk: int, **options: Any) -> None:
        enqueue(pk, **options)
        Round.objects.filter(pk=second.pk).update(enqueued_at=timezone.now())

    monkeypatch.setattr(dispatcher, "enqueue", overtaken)
    assert dispatched() == [first.pk]


def test_the_earliest_deadline_is_served_first_and_what_is_late_already_last() -> None:
    late, new, old = (make_round(received_at=ago(seconds)) for seconds in (601, 5, 300))
    assert sorted(dispatched()) == [late.pk, new.pk, old.pk]
    assert [row.task["args"][0] for row in OrmQ.objects.order_by("lock", "pk")] == [old.pk, new.pk, late.pk]


def test_a_lease_of_a_dead_process_is_given_back_due_at_once() -> None:
    mine, living = leased("host:1:1:41:abc"), leased("host:1:1:42:abc")
    assert dispatcher.release_leases("host:1:1", lambda pid: pid == 42) == 1
    mine.refresh_from_db()
    living.refresh_from_db()
    assert (mine.status, mine.lease_owner, mine.lease_until, mine.enqueued_at) == ("queued", "", None, None)
    assert living.lease_owner == "host:1:1:42:abc"
    assert dispatched() == [mine.pk]


def test_leases_of_other_workers_are_left_alone() -> None:
    others = [leased("host:1:12:41:abc"), leased("host:11:1:41:abc")]
    assert dispatcher.release_leases("host:1:1", lambda pid: False) == 0
    assert [Round.objects.get(pk=round_.pk).lease_owner for round_ in others] == ["host:1:12:41:abc", "host:11:1:41:abc"]


def test_a_finished_round_keeps_its_status_when_its_worker_dies() -> None:
    round_ = make_round(status="succeeded", lease_owner="host:1:1:41:abc", lease_until=ago(-20))
    dispatcher.release_leases("host:1:1", lambda pid: False)
    round_.refresh_from_db()
    assert round_.status == "succeeded"


def test_tidying_removes_messages_older_than_a_day() -> None:
    OrmQ.objects.create(key="deployer", payload="x", lock=ago(25 * 3600))
    kept = OrmQ.objects.create(key="deployer", payload="x", lock=ago(23 * 3600))
    dispatcher.tidy()
    assert list(OrmQ.objects.all()) == [kept]


def test_tidying_marks_workers_that_vanished_and_forgets_them_after_a_week() -> None:
    for name, seen, stopped in [("here", 2, None), ("vanished", 3700, None), ("stopped", 9999, ago(3600)), ("old", 9e5, ago(8 * 86400))]:
        Worker.objects.create(name=name, host="host", pid=1, seen_at=ago(seen), stopped_at=stopped)
    dispatcher.tidy()
    assert dict(Worker.objects.order_by("pk").values_list("name", "stopped_at")).keys() == {"here", "vanished", "stopped"}
    assert list(Worker.objects.filter(stopped_at=None).values_list("name", flat=True)) == ["here"]


def test_each_tick_reads_the_rounds_through_an_index() -> None:
    plans = []

    def explain(execute: Any, sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        if sql.startswith("SELECT") and '"tasks_round"' in sql:
            with context["connection"].connection.cursor() if connection.vendor != "sqlite" else _raw() as cursor:
                cursor.execute(("EXPLAIN " if connection.vendor != "sqlite" else "EXPLAIN QUERY PLAN ") + sql.replace("%s", "?"), params)
                plans.append(" ".join(str(row) for row in cursor.fetchall()))
        return execute(sql, params, many, context)

    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL scans a small table whatever its indexes")
    with connection.execute_wrapper(explain):
        dispatcher.dispatch(2)
        dispatcher.release_leases("host:1:1", lambda pid: False)
    assert len(plans) == 3
    assert all("USING INDEX round_" in plan for plan in plans), plans


def _raw() -> Any:
    from contextlib import closing

    return closing(connection.connection.cursor())
