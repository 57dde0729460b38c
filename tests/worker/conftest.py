"""Fixtures for tests that start worker processes."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import pytest
from redis import Redis
from redis.exceptions import RedisError

from tests.worker.box import Box

POSTGRES = os.environ.get("TEST_POSTGRES_URL", "postgres://postgres@127.0.0.1:5432/postgres")
DATABASE = f"deployer_worker_test_{os.getpid()}"
DATABASES = range(9, 16)  # of Redis; each process of a test run empties one of its own
OWN = DATABASES[int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % len(DATABASES)]
REDIS = os.environ.get("TEST_REDIS_URL", f"redis://127.0.0.1:6379/{OWN}")


@pytest.fixture(scope="session")
def sqlite_box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    if sys.platform != "linux":
        pytest.skip("the crash-safe worker needs Linux")
    box = Box(tmp_path_factory.mktemp("worker"))
    yield box
    box.close()


@pytest.fixture
def box(sqlite_box: Box) -> Iterator[Box]:
    """SQLite, no rows, nothing running."""
    yield sqlite_box
    sqlite_box.clear()


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    if sys.platform != "linux":
        pytest.skip("the crash-safe worker needs Linux")
    import psycopg

    try:
        server = psycopg.connect(POSTGRES, autocommit=True, connect_timeout=3)
    except psycopg.OperationalError as error:
        if os.environ.get("REQUIRE_SERVICES"):
            raise
        pytest.skip(f"no PostgreSQL at {POSTGRES}: {error}")
    with server:
        server.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        server.execute(f"CREATE DATABASE {DATABASE}")
        box = Box(tmp_path_factory.mktemp("worker"), POSTGRES.rpartition("/")[0] + f"/{DATABASE}")
        yield box
        box.close()
        server.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")


@pytest.fixture
def postgres_box(postgres: Box) -> Iterator[Box]:
    """The same on a PostgreSQL database of its own."""
    yield postgres
    postgres.clear()


@pytest.fixture
def redis() -> Iterator[Redis]:
    """An empty database of the real Redis."""
    client = Redis.from_url(REDIS)
    try:
        client.flushdb()
    except RedisError as error:
        if os.environ.get("REQUIRE_SERVICES"):
            raise
        pytest.skip(f"no Redis at {REDIS}: {error}")
    with client:
        yield client
        client.flushdb()
