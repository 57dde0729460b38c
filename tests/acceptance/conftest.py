"""Prints the corpus figures at the end of a run, whichever process played which task."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median
from typing import Any

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    rows = sorted(measured(terminalreporter), key=lambda row: (row["mode"] != "right", row["mode"], row["task"], row["round"]))
    if not rows:
        return
    write = terminalreporter.write_line
    terminalreporter.section("corpus")
    write(f"{'task':<18}{'round':>5}  {'answer':<9}{'before repair':>14}{'after':>9}{'repairs':>9}{'seconds':>9}{'longest':>9}{'CPU s':>7}{'MB':>6}")
    for row in rows:
        write(
            f"{row['task']:<18}{row['round']:>5}  {row['mode']:<9}{share(row, 'first'):>14}{share(row, 'last'):>9}{row['repairs']:>9}"
            f"{middle(row['seconds']):>9.1f}{max(row['seconds'], default=0):>9.1f}{middle(row['cpu_seconds']):>7.1f}"
            f"{max(row['memory_peak_mb'], default=0):>6.0f}"
        )
    for mode in dict.fromkeys(row["mode"] for row in rows):
        chosen = [row for row in rows if row["mode"] == mode]
        total = {key: sum(row[key] for row in chosen) for key in ("first_passed", "first_failed", "last_passed", "last_failed", "repairs")}
        looks = {key: [value for row in chosen for value in row[key]] for key in ("seconds", "cpu_seconds", "memory_peak_mb")}
        write(
            f"{mode}: {len(chosen)} rounds, checks passed {share(total, 'first')} before and {share(total, 'last')} after "
            f"{total['repairs']} repairs; {len(looks['seconds'])} looks in the browser, median {middle(looks['seconds']):.1f} s "
            f"(longest {max(looks['seconds'], default=0):.1f}), CPU {middle(looks['cpu_seconds']):.1f} s, "
            f"memory at most {max(looks['memory_peak_mb'], default=0):.0f} MB"
        )


def measured(reporter: pytest.TerminalReporter) -> Iterator[dict[str, Any]]:
    for reports in reporter.stats.values():
        for report in reports:
            if getattr(report, "when", "") == "call":
                yield from (value for name, value in report.user_properties if name == "corpus")


def share(row: dict[str, Any], moment: str) -> str:
    passed = row[f"{moment}_passed"]
    return f"{passed}/{passed + row[f'{moment}_failed']}"


def middle(values: list[float]) -> float:
    return median(values) if values else 0.0
