"""Fixtures that every test may use. Helpers of one test family live beside it."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.db.backends.postgresql.operations import DatabaseOperations
from whitenoise.middleware import WhiteNoiseMiddleware

from tasks.demo import stack
from tests import migrated
from tests.emulators.evaluator import Evaluator


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What is marked `rest` is left out of an ordinary run."""
    everything = "all" in {os.environ.get("TESTS"), os.environ.get("CRASHES")}
    if not everything and (left := [item for item in items if item.get_closest_marker("rest")]):
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in left]


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """A file is no part of a test's name: archives hold the time at which they were made, and every process has to find the same names."""
    return argname if isinstance(val, bytes) and len(val) > 100 else None


def pytest_collection_finish() -> None:
    """What was imported stays: the garbage collector need not look through it again and again."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """TESTS_UNTIL (seconds since 1970): no test begins after that moment. CI has a limit of its own, and a slow machine says what it left out."""
    if time.time() > float(os.environ.get("TESTS_UNTIL", "inf")):
        pytest.skip("there was no time left for it (TESTS_UNTIL)")


@pytest.fixture(autouse=True)
def _empty_cache() -> None:
    cache.clear()


@pytest.fixture(autouse=True)
def _failing_checks_are_tried_for_a_shorter_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.browser.PATIENCE", 5.0)


@pytest.fixture(autouse=True, scope="session")
def _each_process_has_ports_of_its_own() -> Iterator[None]:
    """Two web servers can listen on one port, and each would then get some of the other's requests."""
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stack, "FIRST_PORT", 20_000 + 1_000 * number)
        yield


@pytest.fixture(autouse=True, scope="session")
def _a_new_database_is_a_copy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    own = tmp_path_factory.getbasetemp()
    enter = stack.Stack.__enter__

    def begin(self: stack.Stack) -> stack.Stack:
        if not self.env.get("DATABASE_URL"):
            migrated.copy_to(self.folder)
        return enter(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrated, "folder", own.parent if "PYTEST_XDIST_WORKER" in os.environ else own)
        patch.setattr(stack.Stack, "__enter__", begin)
        yield


@pytest.fixture(autouse=True, scope="session")
def _static_files_are_found_once() -> Iterator[None]:
    """Each test client has middleware of its own, and WhiteNoise's would look through the static files of every package each time (30 ms)."""
    look = WhiteNoiseMiddleware.add_files_from_finders
    found: dict[str, Any] = {}

    def add_files_from_finders(self: WhiteNoiseMiddleware) -> None:
        if not found:
            look(self)
            found.update(self.files)
        self.files.update(found)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WhiteNoiseMiddleware, "add_files_from_finders", add_files_from_finders)
        yield


@pytest.fixture(autouse=True, scope="session")
def _postgresql_is_emptied_quickly() -> Iterator[None]:
    """After a test with transactions of its own Django truncates all tables, which takes PostgreSQL a second. Nearly all are empty, so deleting is
    a matter of milliseconds (foreign keys are checked at the end of the transaction)."""

    def sql_flush(self: DatabaseOperations, style: Any, tables: list[str], **options: Any) -> list[str]:
        return [f"DELETE FROM {self.quote_name(table)};" for table in tables]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "sql_flush", sql_flush)
        yield


@pytest.fixture
def evaluator() -> Iterator[Evaluator]:
    with Evaluator() as running:
        yield running


@pytest.fixture
def payload() -> dict[str, Any]:
    """A complete request, as an evaluator sends it."""
    return {
        "email": "student@example.org",
        "secret": "test-secret-value",
        "task": "sum-of-sales-7f3a2",
        "round": 1,
        "nonce": "ab12-cdef-3456",
        "brief": "Publish a page that sums the sales column of data.csv inside #total-sales.",
        "checks": [{"js": "!!document.querySelector('#total-sales')"}],
        "evaluation_url": "http://127.0.0.1:9/notify",
        "attachments": [{"name": "data.csv", "url": "data:text/csv;base64,cHJvZHVjdCxzYWxlcwpwZW4sMgppbmssMwo="}],
    }
