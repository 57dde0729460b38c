"""PostgreSQL goes away and comes back: what was stored is there afterwards, and work goes on by itself. All with the lease of production."""

from __future__ import annotations

import json
import os
import time
import urllib.error
from collections.abc import Iterator

import pytest

from tests.crashes.conftest import Judge
from tests.crashes.postgres import Postgres, find_programs
from tests.crashes.processes import family
from tests.crashes.rounds import Posted
from tests.crashes.service import PATIENCE, PRODUCTION, Service, rest
from tests.crashes.sleeper import Sleeper

pytestmark = [pytest.mark.worker, pytest.mark.timeout(400), pytest.mark.xdist_group("postgres")]

AWAY = 2.0  # seconds


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    programs = find_programs()
    if programs is None and os.environ.get("REQUIRE_SERVICES") != "1":
        pytest.skip("no PostgreSQL server is installed")
    assert programs
    with Postgres(programs) as server:
        yield server


@pytest.fixture(scope="module")
def on_postgres(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with Service(tmp_path_factory.mktemp("crashes") / "postgres", {"DATABASE_URL": postgres.url, "DEPLOYER_LEASE_SECONDS": PRODUCTION}) as service:
        yield service


@pytest.fixture
def service(on_postgres: Service, postgres: Postgres) -> Iterator[Service]:
    """Web and worker on PostgreSQL, all well."""
    if postgres.server is None:
        postgres.start()
    on_postgres.wait_well()
    yield on_postgres
    on_postgres.gate.open()


STAGES = {
    "before publish": ["before file", "after attachments", "after answer", "after kept answer", "after files", "after verdict"],
    "publish and verify": ["after POST /user/repos", "after POST /git/commits", "after PATCH /git/refs", "after POST /pages", "after look"],
    "notify": ["before notification", "after notification", "after notify"],
}


@pytest.mark.parametrize("stages", ["before publish", *(pytest.param(name, marks=rest) for name in list(STAGES)[1:])])
def test_the_database_server_is_killed_and_started_again(stages: str, service: Service, postgres: Postgres, judge: Judge) -> None:
    """The worker lives on: it writes down what it did when the database is back, or does it again."""
    rounds = service.hold(*STAGES[stages])
    killed_at = time.monotonic()
    postgres.crash()
    service.gate.open()
    time.sleep(AWAY)
    postgres.start()
    judge(service, rounds, killed_at, f"PostgreSQL, away for {AWAY:.0f} s")


@rest
def test_the_database_server_is_restarted_in_good_order(service: Service, postgres: Postgres, judge: Judge) -> None:
    """While the worker waits for its peers: it finds a dead connection, takes a new one, and nothing is done twice."""
    rounds = service.hold("before answer", "after POST /user/repos", "after PATCH /git/refs")
    started = time.monotonic()
    postgres.shut_down()
    postgres.start()
    service.gate.open()
    judge(service, rounds, started, "PostgreSQL, restarted in good order", told={posted.name: 1 for posted in rounds})


@rest
def test_what_was_answered_with_200_outlives_the_database_server(service: Service, postgres: Postgres, judge: Judge) -> None:
    posted = service.post("right after the 200")
    postgres.crash()
    killed_at = time.monotonic()
    postgres.start()
    judge(service, [posted], killed_at, "PostgreSQL")


def test_without_its_database_the_service_says_so_and_promises_nothing(service: Service, postgres: Postgres, judge: Judge) -> None:
    body = service.body()
    postgres.crash()
    with pytest.raises(urllib.error.HTTPError) as caught:
        service.stack.post(body)
    with caught.value as error:
        assert (error.code, json.loads(error.read())["status"]) == (503, 503)
        assert int(error.headers["Retry-After"]) > 0
    postgres.start()
    started = time.monotonic()
    posted = Posted(service.stack.post(body)["id"], body, "posted meanwhile (503), then again")
    judge(service, [posted], started, "PostgreSQL", told={posted.name: 1})


@rest
def test_everything_is_killed_at_once(service: Service, postgres: Postgres, judge: Judge) -> None:
    """A power cut, as far as processes go."""
    rounds = service.hold("after answer", "after POST /user/repos", "after PATCH /git/refs", "after notification")
    assert service.worker
    killed_at = time.monotonic()
    service.kill(family(service.web.pid, service.worker.pid, postgres.pid))
    postgres.crash()
    service.web.wait(PATIENCE)
    service.reap(service.worker)
    service.gate.open()
    postgres.start()
    service.start_worker()
    service.start_web()
    judge(service, rounds, killed_at, "web, worker and PostgreSQL", asks={"after answer": 2})


@rest
def test_a_worker_that_sleeps_inside_a_transaction_holds_nobody_up_for_long(service: Service, judge: Judge) -> None:
    """Else its row stays locked for as long as the server believes in the connection, and who looks for due rounds waits for that row."""
    rounds = service.hold("after files")
    sleeper = Sleeper(service)
    service.start_worker()
    other = service.post("another one meanwhile")
    rounds.append(other)
    ended = service.wait_ended(*rounds)
    sleeper.wake("idle-in-transaction timeout")
    once = {posted.name: 1 for posted in rounds}
    judge(service, rounds, sleeper.stopped_at, "worker stopped in a transaction (PostgreSQL)", told=once, ended=ended)
