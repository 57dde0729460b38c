"""The live monitor: what is open by urgency, what has just ended, and a poll that costs the same with more rows."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tasks.admin import monitor
from tasks.models import ContainerRun, Message, Round, StageRun, Worker
from tests.admin.conftest import staff
from tests.factories import make_round, make_task

PAGE, LIVE = reverse("admin:monitor"), reverse("admin:monitor_live")


def make_run(status: str = "running", **fields) -> ContainerRun:
    limits = {"wall_seconds": 30, "memory_mb": 512, "processes": 64}
    return ContainerRun.objects.create(
        **{
            "task_request": make_task(name="Digits", task="", email=""),
            "runner": "sandbox",
            "command": ["python3", "main.py"],
            "limits": limits,
            "status": status,
            **fields,
        }
    )


def test_what_has_the_least_time_stands_first_with_what_it_waits_for(boss, time_machine) -> None:
    time_machine.move_to("2026-03-10 12:30:00+00:00", tick=False)
    now = timezone.now()
    Worker.objects.create(name="w", host="h", pid=1)
    told = make_round(received_at=now - timedelta(minutes=20), status="waiting", stage="verify", notified_at=now, next_run_at=now)
    fresh = make_round(received_at=now - timedelta(seconds=5), next_run_at=now)
    late = make_round(received_at=now - timedelta(minutes=11), status="waiting", waiting_for="<b>Pages</b>", next_run_at=now + timedelta(seconds=40))
    slow = make_round(received_at=now - timedelta(minutes=9), status="running", stage="generate", attempt=2, lease_until=now + timedelta(minutes=1))
    Round.objects.filter(pk=slow.pk).update(degraded_id="deadline", degraded="The model was late.")
    StageRun.objects.create(round=slow, stage="generate", attempt=2, started_at=now - timedelta(seconds=42))
    Message.objects.create(task_request=slow.task_request, round=slow, sender="eve", body="older", created_at=now - timedelta(seconds=70))

    answer = boss.get(LIVE)
    page = answer.content.decode()

    assert [item["row"].pk for item in answer.context["rounds"]] == [late.pk, slow.pk, fresh.pk, told.pk]
    for part in (
        "1 min 0 s late",
        "&lt;b&gt;Pages&lt;/b&gt;; looks again in 40 s",
        "A worker is on generate, attempt 2",
        "42 s ago</b> generate #2 started",
    ):
        assert part in page
    assert "Degraded: The model was late." in page
    assert answer.context["summary"] == "4 rounds open: 1 overdue, 1 running, 2 waiting, 1 queued."
    assert "every 2s" in page


def test_a_program_shows_the_end_of_its_output_and_its_time(boss) -> None:
    now = timezone.now()
    lines = "".join(f"line {number}\n" for number in range(3000))
    run = make_run(stdout=lines, stderr="<i>careful</i>", started_at=now - timedelta(seconds=27))
    make_run("queued", limits={"wall_seconds": "<x>"})
    done = make_run("oom_killed", reason="It used more than 512 MB of memory.", finished_at=now - timedelta(minutes=1))
    old = make_run("succeeded", finished_at=now - timedelta(minutes=11))

    answer = boss.get(LIVE)
    page = answer.content.decode()

    assert "line 2992\n" in page
    assert "line 2999" in page
    assert "line 2991\n" not in page
    for part in ("&lt;i&gt;careful", "512 MB of memory, 64 processes", "3.0 s left", "waits for 0 s", "It used more than 512 MB", "d-orange"):
        assert part in page.replace("2.9 s left", "3.0 s left")
    assert f"/containerrun/{done.pk}/" in page
    assert f"/containerrun/{old.pk}/" not in page
    assert next(item["row"].pk for item in answer.context["runs"]) == run.pk
    assert "Digits" in page
    assert "Digits" not in staff("view_round").get(LIVE).content.decode()


def test_when_nothing_is_open_it_slows_down_and_says_what_to_do(boss) -> None:
    assert "No request has come in yet" in boss.get(PAGE).content.decode()
    ended = make_round(status="failed", error="The token was refused.", finished_at=timezone.now())
    StageRun.objects.create(round=ended, stage="publish", outcome="error")

    page = boss.get(PAGE).content.decode()

    assert "every 10s" in page
    assert "Nothing is going on." in page
    assert "manage.py send_task" in page
    assert "The token was refused." in page


def test_more_rows_ask_no_more_of_the_database_and_only_so_many_are_shown(boss, monkeypatch) -> None:
    monkeypatch.setattr(monitor, "ROUNDS_SHOWN", 5)

    def fill(number: int) -> int:
        for _ in range(number):
            StageRun.objects.create(round=make_round(), stage="generate")
            StageRun.objects.create(round=make_round(status="failed", finished_at=timezone.now()), stage="generate")
            make_run()
            make_run("failed", finished_at=timezone.now())
        with CaptureQueriesContext(connection) as captured:
            boss.get(LIVE)
        return len(captured)

    few = fill(1)
    assert fill(8) <= few
    page = boss.get(LIVE).content.decode()
    assert page.count('id="monitor-round-') == 5
    assert "and 4 more" in page
    assert boss.get(boss.get(LIVE).context["open_url"]).context["cl"].result_count == 9


@pytest.mark.parametrize("url", [PAGE, LIVE])
def test_only_who_may_see_rounds_may_watch(url, db, client) -> None:
    assert client.get(url).status_code == 302
    assert staff("view_message").get(url).status_code == 403
    assert staff("view_round").get(url).status_code == 200
