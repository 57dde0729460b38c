"""What the line between machines hears, on PostgreSQL; on SQLite there is none."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from django.db import connection, transaction
from django.utils import timezone
from django_q.conf import Conf
from django_q.models import OrmQ
from pytest_django import Settings

from tasks.broker import put
from tasks.worker import clock
from tasks.worker.line import Line
from tasks.worker.supervisor import worker_name
from tasks.worker.wake import Bell
from tests.worker.box import until

pytestmark = pytest.mark.django_db(transaction=True)
on_postgresql = pytest.mark.skipif("connection.vendor != 'postgresql'", reason="needs TEST_DATABASE_URL=postgres://…")


@pytest.fixture
def line() -> Iterator[Line]:
    line = Line(Conf.ORM)
    yield line
    line.close()


@pytest.fixture
def bell(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bell]:
    """Of another machine: nothing but the line can ring it."""
    settings.DATA_DIR = tmp_path_factory.mktemp("other")
    bell = Bell()
    settings.DATA_DIR = tmp_path_factory.mktemp("own")
    yield bell
    bell.close()


@on_postgresql
def test_a_message_rings_once_its_transaction_is_committed(line: Line, bell: Bell) -> None:
    assert line.fileno() >= 0
    with transaction.atomic():
        put("message")
        assert not bell.wait(0.05, line=line)
    assert bell.wait(5, line=line)
    assert not bell.wait(0.05, line=line)


@on_postgresql
def test_a_message_that_is_rolled_back_does_not_ring(line: Line, bell: Bell) -> None:
    assert line.fileno() >= 0
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        put("message")
        raise ZeroDivisionError
    assert not bell.wait(0.05, line=line)
    assert not OrmQ.objects.exists()


@on_postgresql
def test_many_messages_of_a_transaction_ring_once(line: Line) -> None:
    assert line.fileno() >= 0
    with transaction.atomic():
        for number in range(5):
            put(f"message {number}")
    put("a later one")
    assert line._connection
    assert len(list(line._connection.connection.notifies(timeout=1, stop_after=2))) == 2


@on_postgresql
def test_a_cut_line_is_no_line_for_a_while(line: Line, bell: Bell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.worker.line.AGAIN_SECONDS", 60.0)
    assert line.fileno() >= 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [line._connection.connection.info.backend_pid])
    until(lambda: bell.wait(0.1, line=line) or line.fileno() == -1, 5, "the end of the line")
    until(lambda: not bell.wait(0.1, line=line), 5, "an end of its rings")
    assert line.fileno() == -1
    assert not bell.wait(0.05, line=line)
    line._try_at = 0
    assert line.fileno() >= 0


@pytest.mark.skipif("connection.vendor == 'postgresql'", reason="SQLite's side")
def test_a_database_that_is_a_file_needs_no_line(line: Line, bell: Bell) -> None:
    put("message")
    assert line.fileno() == -1
    assert not bell.wait(0.05, line=line)


def test_clocks_that_differ_are_told(caplog: pytest.LogCaptureFixture) -> None:
    clock.compare()
    assert caplog.text == ""
    with time_machine.travel(timezone.now() + timedelta(seconds=60)):
        clock.compare()
    assert ("60 s ahead of the database's" in caplog.text) == (connection.vendor == "postgresql")


def test_workers_of_one_host_name_and_pid_have_names_of_their_own() -> None:
    with time_machine.travel(timezone.now(), tick=False):
        names = {worker_name() for _ in range(20)}
    assert len(names) == 20
    assert max(map(len, names)) <= 80
