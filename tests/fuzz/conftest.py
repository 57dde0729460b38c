"""Prints what the fuzz run did: cases by target, answers by status, the slowest case; whichever process ran the tests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis.configuration import set_hypothesis_home_dir

from tests.fuzz.budget import Tally

set_hypothesis_home_dir(settings.DATA_DIR / "hypothesis")


@pytest.fixture
def application() -> Iterator[Any]:
    """The service as a WSGI application in this process. The end of a request does not close the test's own connection."""
    ends = (request_started, request_finished)
    for signal in ends:
        signal.disconnect(close_old_connections)
    yield get_wsgi_application()
    for signal in ends:
        signal.connect(close_old_connections)


@pytest.fixture
def tally(request: pytest.FixtureRequest, record_property: Callable[[str, object], None]) -> Tally:
    """Counts the test's cases; the target is the module's name."""
    tally = Tally(request.module.__name__.rsplit("test_", 1)[1])
    record_property("fuzz", tally.figures)
    return tally


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    rows = measured(terminalreporter)
    if not rows:
        return
    write = terminalreporter.write_line
    terminalreporter.section("fuzz")
    write(f"{'target':<10}{'cases':>8}{'requests':>10}{'>=500':>7}{'seconds':>9}{'slowest':>9}  slowest case; answers by status")
    for target in [*dict.fromkeys(row["target"] for row in rows), "all"]:
        chosen = [row for row in rows if target in {row["target"], "all"}]
        statuses = Counter({status: 0 for row in chosen for status in row["statuses"]})
        for row in chosen:
            statuses.update(row["statuses"])
        slowest = max(chosen, key=lambda row: row["slowest"])
        write(
            f"{target:<10}{sum(row['cases'] for row in chosen):>8,}{sum(statuses.values()):>10,}{sum(row['server_errors'] for row in chosen):>7}"
            f"{sum(row['seconds'] for row in chosen):>9.1f}{slowest['slowest']:>9.3f}  {slowest['slowest_case']}; "
            + ", ".join(f"{status}: {count:,}" for status, count in sorted(statuses.items()))
        )


def measured(reporter: pytest.TerminalReporter) -> list[dict[str, Any]]:
    """The figures of each test, as they were at its end: the reports of its subtests hold earlier ones."""
    found: dict[str, dict[str, Any]] = {}
    for reports in reporter.stats.values():
        for report in reports:
            for name, value in report.user_properties if getattr(report, "when", "") == "call" else ():
                if name == "fuzz" and value["cases"] >= found.get(report.nodeid, value)["cases"]:
                    found[report.nodeid] = value
    return list(found.values())
