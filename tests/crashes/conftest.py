"""The service that the cells share, what is asked of every cell, and the table at the end of a run."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from tests.crashes.rounds import Posted, outcome
from tests.crashes.service import LEASE, Service, allowed


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    if sys.platform != "linux":
        pytest.skip("the crash-safe worker needs Linux")
    with Service(tmp_path_factory.mktemp("crashes") / "sqlite") as service:
        yield service


@pytest.fixture
def service(running: Service) -> Iterator[Service]:
    """Web and worker on SQLite, both well."""
    running.wait_well()
    yield running
    running.gate.open()


Judge = Callable[..., None]


@pytest.fixture
def judge(subtests: pytest.Subtests, record_property: Callable[[str, object], None]) -> Judge:
    """Wait for the end of rounds, and assert what must hold for each of them."""

    def judge(
        service: Service,
        rounds: list[Posted],
        since: float,
        killed: str,
        *,
        asks: Mapping[str, int] | None = None,
        told: Mapping[str, int] | None = None,
        commits: int = 1,
        host: str = "github",
        ended: Mapping[str, float] | None = None,
    ) -> None:
        """`since`: the moment of the kill. `asks` and `told`: how often the model was asked and the evaluator told at most, by the name of the
        round, where that is not once and twice. `ended`: what `wait_ended` gave, if it was asked before."""
        ended = ended or service.wait_ended(*rounds)
        for posted in rounds:
            with subtests.test(posted.name):
                found = outcome(service, posted, commits=commits, host=host)
                seconds = ended[posted.id] - since
                record_property("crash", {"cell": posted.name, "killed": killed, "lease": service.lease, "seconds": seconds, **found})
                assert found["asks"] <= (asks or {}).get(posted.name, 1)
                assert found["notifications"] <= (told or {}).get(posted.name, 2)
                assert seconds <= allowed()
        service.assert_nothing_is_left()

    return judge


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    rows = sorted(measured(terminalreporter), key=lambda row: row["killed"])
    if not rows:
        return
    write = terminalreporter.write_line
    terminalreporter.section("crash matrix")
    write(f"{'killed':<46}{'when':<40}{'lease s':>8}{'recovery s':>11}{'repos':>6}{'commits':>8}{'notified':>9}{'asked':>6}")
    for row in rows:
        write(
            f"{row['killed']:<46}{row['cell']:<40}{row['lease']:>8.0f}{row['seconds']:>11.1f}{row['repos']:>6}{row['commits']:>8}"
            f"{row['notifications']:>9}{row['asks']:>6}"
        )
    real = max((row["seconds"] for row in rows if row["lease"] > LEASE), default=0)
    worst = max(row["seconds"] for row in rows)
    write(f"{len(rows)} cells; recovery at most {worst:.1f} s, with the lease of production {real:.1f} s; load {os.getloadavg()[1]:.1f}")


def measured(reporter: pytest.TerminalReporter) -> Iterator[dict[str, Any]]:
    for reports in reporter.stats.values():
        for report in reports:
            if type(report) is pytest.TestReport and report.when == "call":  # a subtest's report repeats what its test has
                yield from (value for name, value in report.user_properties if name == "crash")
