"""The index."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tasks.admin import charts
from tasks.models import AgentKey, CheckResult, ContainerRun, RepoReport, StageRun, Worker
from tests.admin.conftest import staff
from tests.classroom.graded import make_class
from tests.factories import make_round, make_version

INDEX = reverse("admin:index")
OTHERS = {"programs", "agents", "workers", "tokens", "cost"}  # tiles whose lists are not of rounds


@pytest.fixture
def noon(time_machine):
    time_machine.move_to("2026-03-10 12:30:00+00:00", tick=False)
    return timezone.now()


def numbers(client) -> dict[str, str]:
    return {tile.label: tile.value for tile in client.get(INDEX).context["board"]["tiles"]}


def test_the_tiles_count_today(boss, noon):
    make_round(status="succeeded")
    make_round(status="succeeded", degraded_id="deadline")
    make_round(status="failed")
    make_round(status="failed", received_at=noon - timedelta(days=1))
    make_round(received_at=noon - timedelta(minutes=11), next_run_at=noon - timedelta(seconds=75))
    Worker.objects.create(name="w", host="h", pid=1)

    assert numbers(boss) == {
        "received": "4",
        "in progress": "1",
        "overdue": "1",
        "failed": "1",
        "degraded": "1",
        "succeeded": "1",
        "programs": "0",
        "agents": "0",
        "queue age": "1 min 15 s",
        "workers": "1",
        "tokens": "0",
        "cost": "$0.00",
    }


def test_tokens_and_cost_are_those_of_todays_versions(boss, noon):
    round_ = make_round()
    make_version(round_, created_at=noon - timedelta(days=1), tokens_in=9_000, tokens_out=9_000, cost="3")
    make_version(round_, created_at=noon, tokens_in=3_000, tokens_out=1_000, cost="0.25")
    make_version(round_, created_at=noon, tokens_in=2_000, tokens_out=500, cost="0.0125")
    make_version(round_, created_at=noon)

    tiles = {tile.label: tile for tile in boss.get(INDEX).context["board"]["tiles"]}

    assert (tiles["tokens"].value, tiles["tokens"].note) == ("6,500", "today, 1,500 of them out")
    assert (tiles["cost"].value, tiles["cost"].note) == ("$0.2625", "today, 2 of 3 versions priced")
    assert boss.get(tiles["cost"].url).context["cl"].result_count == 3


def test_every_number_leads_to_the_list_behind_it(boss, noon):
    for status, degraded in [("succeeded", ""), ("succeeded", "deadline"), ("failed", ""), ("queued", ""), ("waiting", "")]:
        make_round(status=status, degraded_id=degraded, next_run_at=noon - timedelta(seconds=5))
    make_round(received_at=noon - timedelta(days=3), status="failed")
    make_round(received_at=noon - timedelta(minutes=12), next_run_at=noon + timedelta(hours=1))
    for status in ("queued", "running", "preparing", "failed"):
        ContainerRun.objects.create(status=status, runner="sandbox", command=["true"])
    for name, minutes in (("eve", 5), ("adam", 50)):
        key, _ = AgentKey.objects.create_key(name=name, role="coder")
        AgentKey.objects.filter(pk=key.pk).update(last_used_at=noon - timedelta(minutes=minutes))

    number = {}
    for tile in boss.get(INDEX).context["board"]["tiles"]:
        listed = boss.get(tile.url)
        assert listed.status_code == 200, tile
        if tile.label not in ("queue age", "workers", "tokens", "cost"):
            number[tile.label] = tile.value
            assert str(listed.context["cl"].result_count) == tile.value, tile
    assert (number["programs"], number["agents"]) == ("3", "1")
    assert {tile.label for tile in staff("view_round").get(INDEX).context["board"]["tiles"] if not tile.url} == OTHERS


def test_every_bar_leads_to_its_rounds(boss, noon):
    for minutes, status, degraded in [(5, "failed", ""), (5, "succeeded", "x"), (200, "succeeded", ""), (200, "succeeded", ""), (1, "queued", "")]:
        make_round(received_at=noon - timedelta(minutes=minutes), status=status, degraded_id=degraded)

    hours = boss.get(INDEX).context["board"]["hours"]
    parts = [part for column in hours["columns"] for part in column["parts"]]

    assert (len(hours["columns"]), hours["top"], hours["total"], len(parts)) == (24, 3, 5, 4)
    for part in parts:
        assert str(boss.get(part["url"]).context["cl"].result_count) in part["title"]


def test_what_needs_attention_stands_failed_first(boss, noon):
    degraded = make_round(status="succeeded", degraded_id="deadline")
    overdue = make_round(received_at=noon - timedelta(minutes=11))
    failed = make_round(status="failed", received_at=noon - timedelta(hours=3))
    make_round(status="succeeded")

    rows = boss.get(INDEX).context["board"]["attention"]

    for row, expected in zip(rows, [failed, overdue, degraded], strict=True):
        assert f"/admin/tasks/round/{expected.pk}/" in row["who"]


def test_the_median_of_a_stage_counts_finished_runs_only(boss, noon):
    round_ = make_round()
    for seconds in (10, 20, 90):
        StageRun.objects.create(
            round=round_,
            stage="generate",
            outcome="done",
            started_at=noon - timedelta(seconds=100 + seconds),
            finished_at=noon - timedelta(seconds=100),
        )
    StageRun.objects.create(round=round_, stage="generate", outcome="error", started_at=noon - timedelta(seconds=900), finished_at=noon)

    generate = next(row for row in charts.medians(noon) if row["stage"] == "generate")

    assert (generate["text"], generate["count"]) == ("20 s", 3)
    assert boss.get(generate["url"]).context["cl"].result_count == 3


@pytest.mark.parametrize(("age", "stopped", "shown"), [(5, False, False), (16, False, True), (5, True, True)])
def test_a_banner_says_that_no_worker_is_running(boss, noon, age, stopped, shown):
    seen = noon - timedelta(seconds=age)
    Worker.objects.create(name="w", host="h", pid=1, seen_at=seen, stopped_at=seen if stopped else None)

    assert ("No worker is running" in boss.get(INDEX).content.decode()) is shown


def test_an_empty_installation_says_how_to_begin(boss):
    assert "make demo" in boss.get(INDEX).content.decode()


def test_more_rows_ask_no_more_of_the_database(boss):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            boss.get(INDEX)
        return len(captured)

    make_version(make_round(status="failed"))
    few = queries()
    for number in range(12):
        make_version(make_round(status="failed", received_at=timezone.now() - timedelta(hours=number)), tokens_in=1)

    assert queries() <= few


def test_the_classes_reports_have_tiles_once_there_are_any(boss):
    assert not {"reports", "our errors"} & set(numbers(boss))
    made = make_class(3)
    RepoReport.objects.filter(pk=made.reports[0, "sales-total", 1].pk).update(state="queued")
    CheckResult.objects.filter(pk=made.result(1, "license:mit-license").pk).update(status="error")

    tiles = {tile.label: tile for tile in boss.get(INDEX).context["board"]["tiles"]}

    for name, student in (("reports", 0), ("our errors", 1)):
        assert tiles[name].value == "1"
        assert [row.issued.submission.email for row in boss.get(tiles[name].url).context["cl"].result_list] == [f"student{student:04}@example.org"]
