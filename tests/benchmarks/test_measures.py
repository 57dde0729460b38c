"""Each benchmark runs for real, on small numbers."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from tasks.benchmarks import Options, accept, burst, github, growth, runs
from tasks.browser import find_chromium

pytestmark = pytest.mark.worker


@pytest.mark.rest
def test_accepts_are_measured_beside_the_plain_application_and_while_peers_hang(tmp_path: Path) -> None:
    figures = accept.measure(tmp_path, Options(seconds=0.5, connections=4))
    for name in ("ours", "fastapi", "ours_while_peers_hang"):
        assert figures[name]["requests"] > 0, name
        assert figures[name]["not_200"] == 0, name
        assert figures[name]["cpu_ms_per_request"] > 0, name
    assert figures["ratio"] > 0


@pytest.mark.rest
def test_without_the_plain_application_ours_is_shown_alone_and_the_reason_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accept, "NEEDED", ("no_such_package",))
    monkeypatch.setattr(accept, "while_peers_hang", lambda folder, options: {})
    figures = accept.measure(tmp_path, Options(seconds=0.3, connections=2))
    assert "no_such_package" in figures["fastapi"] and "requirements-dev.txt" in figures["fastapi"]
    assert figures["ours"]["requests"] > 0
    assert "ratio" not in figures


def test_the_requests_of_github_are_inside_the_bars(tmp_path: Path) -> None:
    figures = github.measure(tmp_path, Options())
    assert figures["round_1"]["requests"] <= 5
    assert figures["round_2"]["requests"] <= 4


@pytest.mark.rest
@pytest.mark.browser
def test_a_small_burst_is_notified_whole(tmp_path: Path) -> None:
    if find_chromium() is None:
        pytest.skip("no Chromium")
    figures = burst.measure(tmp_path, Options(rounds=3, workers=2, model_latency=0.2, pages_latency=0.2, connections=2))
    assert (figures["stored"], figures["notified_in_600_s"], figures["degraded"]) == (3, 3, {})
    assert figures["opened_in_a_browser"]["before publishing pass"] == 3
    assert figures["memory_peak_mib"] > 0


@pytest.mark.rest
def test_runs_keep_their_order_their_limit_and_their_ends(tmp_path: Path) -> None:
    figures = runs.queue(tmp_path, 10)
    assert (figures["ended_as_they_should"], figures["overtaken"]) == (10, 0)
    assert 1 < figures["at_a_time"] <= figures["at_a_time_allowed"]


@pytest.mark.rest
def test_growth_is_measured_in_a_service_of_its_own(tmp_path: Path) -> None:
    figures = growth.measure(tmp_path, Options(rounds=60))
    assert set(figures["/status"]) == {"10_rounds", "60_rounds"}
    assert all(cell["queries"] > 0 for cells in figures.values() for cell in cells.values())


def test_an_unknown_name_is_wrong_usage() -> None:
    with pytest.raises(SystemExit) as end:
        call_command("benchmark", "nonsense", stderr=StringIO())
    assert end.value.code == 2


@pytest.mark.rest
def test_the_command_prints_one_json_document() -> None:
    out = StringIO()
    call_command("benchmark", "notify", "--rounds", "1", "--json", stdout=out)
    figures = json.loads(out.getvalue())
    assert figures["notify"]["rounds"] == 1
    assert "cores" in figures["machine"]
