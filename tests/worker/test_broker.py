import os
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone
from django_q.conf import Conf
from django_q.models import OrmQ
from django_q.signing import SignedPackage
from django_q.tasks import async_task
from pytest_django import Settings

from tasks.broker import WakeBroker, put
from tasks.models import Worker
from tasks.worker import pulse
from tasks.worker.wake import Bell, folder

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def quick(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DATA_DIR = tmp_path
    monkeypatch.setattr(Conf, "POLL", 0.01)
    monkeypatch.delenv("DEPLOYER_WORKER", raising=False)


@pytest.fixture
def broker() -> Iterator[WakeBroker]:
    broker = WakeBroker(Conf.CLUSTER_NAME)
    yield broker
    if broker._bell and broker._line:
        broker._bell.close()
        broker._line.close()


def test_messages_come_first_in_first_out(broker: WakeBroker) -> None:
    ids = [broker.enqueue(f"message {n}") for n in range(3)]
    assert [broker.dequeue() for _ in ids] == [[(pk, f"message {n}")] for n, pk in enumerate(ids)]
    assert not broker.dequeue()


def test_what_has_waited_longer_is_taken_first_whenever_it_was_put_in(broker: WakeBroker) -> None:
    put("new", since=timezone.now() - timedelta(seconds=1))
    put("old", "as old", since=timezone.now() - timedelta(seconds=9))
    assert [payload for _ in range(3) for _, payload in broker.dequeue() or []] == ["old", "as old", "new"]


def test_a_taken_message_is_hidden_for_the_retry_time(broker: WakeBroker) -> None:
    pk = broker.enqueue("message")
    broker.dequeue()
    hidden = (OrmQ.objects.get(pk=pk).lock - timezone.now()).total_seconds()
    assert Conf.RETRY - 5 < hidden <= Conf.RETRY


def test_a_message_that_another_cluster_took_meanwhile_is_left_to_it(broker: WakeBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = broker.enqueue("first"), broker.enqueue("second")
    timeout = broker.timeout

    def slow(task: object) -> object:
        OrmQ.objects.filter(pk=first, lock__lte=timezone.now()).update(lock=timezone.now() + timedelta(seconds=60))
        return timeout(task)

    monkeypatch.setattr(broker, "timeout", slow)
    assert broker.dequeue() == [(second, "second")]


def test_a_message_for_later_is_not_taken_yet(broker: WakeBroker) -> None:
    OrmQ.objects.filter(pk=broker.enqueue("later")).update(lock=timezone.now() + timedelta(seconds=60))
    assert not broker.dequeue()


def test_an_acknowledged_message_is_gone(broker: WakeBroker) -> None:
    pk = broker.enqueue("message")
    broker.acknowledge(pk)
    assert not OrmQ.objects.exists()


def test_enqueueing_rings_after_the_commit() -> None:
    bell = Bell()
    with transaction.atomic():
        async_task("tests.worker.jobs.note", "x", "y")
        assert not bell.wait(0.01)
    assert bell.wait(0)
    bell.close()


def test_a_message_of_a_transaction_that_failed_is_neither_stored_nor_rung() -> None:
    bell = Bell()
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        async_task("tests.worker.jobs.note", "x", "y")
        raise ZeroDivisionError
    assert not bell.wait(0.01)
    assert not OrmQ.objects.exists()
    bell.close()


def test_an_empty_queue_is_waited_on_for_the_poll_time(broker: WakeBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Conf, "POLL", 0.2)
    start = time.monotonic()
    assert not broker.dequeue()
    assert 0.15 < time.monotonic() - start < 10


def test_a_broker_that_only_enqueues_has_no_bell(broker: WakeBroker) -> None:
    broker.enqueue("message")
    assert not folder().exists()


def test_a_database_that_is_away_is_waited_for(broker: WakeBroker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr("tasks.broker.OUTAGE_PAUSE", 0.01)

    def refuse(*args: object) -> None:
        raise OperationalError("the database went away")

    broker.enqueue("message")
    with connection.execute_wrapper(refuse):
        assert broker.dequeue() is None
        assert broker.dequeue() is None
    assert caplog.text.count("went away") == 1
    assert broker.dequeue()


def test_a_message_that_cannot_be_acknowledged_does_not_end_the_monitor(broker: WakeBroker, caplog: pytest.LogCaptureFixture) -> None:
    def refuse(*args: object) -> None:
        raise OperationalError("the database went away")

    pk = broker.enqueue("message")
    with connection.execute_wrapper(refuse):
        broker.acknowledge(pk)
    assert "went away" in caplog.text
    assert OrmQ.objects.filter(pk=pk).exists()


def test_a_message_with_another_signature_is_dropped_and_the_cure_named(broker: WakeBroker, caplog: pytest.LogCaptureFixture) -> None:
    pk = broker.enqueue("message")
    broker.fail(pk)
    assert "needs the same" in caplog.text
    assert not OrmQ.objects.exists()


def test_under_a_supervisor_the_first_message_is_a_pulse(broker: WakeBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEPLOYER_WORKER", "host:1:1")
    pk = broker.enqueue("message")
    [(row, payload)] = broker.dequeue() or []
    assert row is None
    assert SignedPackage.loads(payload)["func"] == "tasks.worker.pulse.beat"
    assert broker.dequeue() == [(pk, "message")]


def test_a_beat_is_the_progress_of_its_own_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("host:1:1", "host:2:1"):
        Worker.objects.create(name=name, host="host", pid=os.getpid())
    monkeypatch.setenv("DEPLOYER_WORKER", "host:2:1")
    pulse.beat()
    assert list(Worker.objects.filter(progress_at=None).values_list("name", flat=True)) == ["host:1:1"]


def test_a_beat_without_a_database_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object) -> None:
        raise OperationalError("the database went away")

    with connection.execute_wrapper(refuse):
        pulse.beat()
