"""The reports' queue: who gets which, what is put off, what comes again, and what a late writer may not do."""

from __future__ import annotations

import os
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection
from django.utils import timezone
from django_q.models import OrmQ

from tasks.browser import slots
from tasks.classroom.evaluating import queue, work
from tasks.classroom.evaluating.examine import Examined
from tasks.classroom.evaluating.looking import LookAgain
from tasks.models import CheckResult, RepoReport
from tests.classroom.evaluating.work import issue, make_report
from tests.emulators.github import GitHubEmulator

pytestmark = pytest.mark.django_db
NOTHING = Examined([], [], {"commits": 1}, {"marks": [1]})


@pytest.fixture(autouse=True)
def _folder(settings: LazySettings, tmp_path: Any) -> None:
    settings.DATA_DIR = tmp_path


def ago(seconds: float) -> Any:
    return timezone.now() - timedelta(seconds=seconds)


def result(report: RepoReport, **fields: Any) -> CheckResult:
    return CheckResult(report=report, kind="license", key="license:x", title="x", **{"status": "pass", **fields})


def test_the_report_that_is_due_longest_is_taken_first_by_one_worker_alone() -> None:
    issued = issue()
    later, sooner, not_yet = (make_report(issued=issued, commit_sha=f"{number:040x}", due_at=ago(10 - number)) for number in (1, 0, 20))
    taken = [queue.claim(), queue.claim()]
    assert [lease and lease.round_id for lease in taken] == [sooner.pk, later.pk]
    assert queue.claim() is None
    sooner.refresh_from_db()
    assert (sooner.state, sooner.attempt) == ("running", 1)
    assert sooner.lease_until is not None
    assert not_yet.state == "queued"


def test_who_asks_for_one_that_was_just_taken_gets_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = (make_report(issued=issue(), due_at=ago(9 - number)) for number in range(2))
    stale = queue.due().order_by("due_at")
    list(stale)
    assert queue.ReportLease.claim(first.pk)
    assert queue.ReportLease.claim(first.pk) is None
    monkeypatch.setattr(queue, "due", lambda: RepoReport.objects.all())  # as it was read before the other took it
    lease = queue.claim()
    assert lease is not None
    assert lease.round_id == second.pk


def test_what_was_asked_for_anew_meanwhile_is_not_overwritten_by_the_old_evaluation(monkeypatch: pytest.MonkeyPatch) -> None:
    report = make_report()
    CheckResult.objects.bulk_create([result(report)])

    def slow(*_args: Any, **_options: Any) -> Examined:
        assert queue.evaluate_again(RepoReport.objects.all()) == 1
        return NOTHING

    monkeypatch.setattr(work, "examine", slow)
    lease = queue.claim()
    assert lease is not None
    assert work.carry_out(lease) == ""
    report.refresh_from_db()
    assert (report.state, report.attempt, report.facts, report.check_results.count()) == ("queued", 0, {}, 1)


def test_a_report_that_was_erased_meanwhile_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    report = make_report()
    monkeypatch.setattr(work, "examine", lambda *_args, **_options: (RepoReport.objects.all().delete(), Examined([result(report)], [], {}, {}))[1])
    lease = queue.claim()
    assert lease is not None
    assert work.carry_out(lease) == ""
    assert CheckResult.objects.count() == 0


def test_new_results_take_the_place_of_the_old_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    report = make_report()
    CheckResult.objects.bulk_create([result(report, status="fail"), result(report, status="error")])
    monkeypatch.setattr(work, "examine", lambda *_args, **_options: Examined([result(report)], [], {"commits": 1}, {"marks": [1]}))
    work.evaluate_next()
    report.refresh_from_db()
    assert (report.state, report.facts, report.prints, report.error) == ("done", {"commits": 1}, {"marks": [1]}, "")
    assert [row.status for row in report.check_results.all()] == ["pass"]


def test_an_interrupted_command_gives_its_report_back(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_args: Any, **_options: Any) -> Examined:
        raise KeyboardInterrupt

    report = make_report()
    monkeypatch.setattr(work, "examine", interrupted)
    lease = queue.claim()
    assert lease is not None
    with pytest.raises(KeyboardInterrupt):
        work.carry_out(lease)
    report.refresh_from_db()
    assert (report.state, report.attempt, report.lease_owner) == ("queued", 0, "")
    assert queue.claim() is not None


def test_a_report_without_a_free_browser_waits_and_no_look_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    report = make_report()

    def busy(*_args: Any, **_options: Any) -> Examined:
        raise LookAgain(10.0, "Every browser was busy.", counts=False)

    monkeypatch.setattr(work, "examine", busy)
    work.evaluate_next()
    report.refresh_from_db()
    assert (report.state, report.attempt, report.error) == ("queued", 0, "Every browser was busy.")
    assert 5 < (report.due_at - timezone.now()).total_seconds() <= 10


def test_every_browser_busy_puts_the_report_off_instead_of_skipping_its_checks(github: GitHubEmulator) -> None:
    from tests.classroom.evaluating.work import FILES, evaluated, make_repo

    report = make_report(github, make_repo(github, FILES))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tasks.classroom.evaluating.looking.PATIENCE", 0.0)
        patch.setattr(slots, "places", lambda: 1)
        with slots.take(0.0) as mine:
            assert mine
            assert evaluated(report) == {}
    assert (report.state, report.attempt, "browser" in report.error) == ("queued", 0, True)


def test_rounds_that_may_come_too_late_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    report = make_report()
    monkeypatch.setattr("tasks.pace.is_behind", lambda: True)
    work.evaluate_next()
    report.refresh_from_db()
    assert (report.state, report.attempt) == ("queued", 0)


def test_no_more_than_half_of_the_workers_evaluate_at_once(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.WORKERS = 4
    monkeypatch.setattr(slots, "places", lambda: 8)
    report = make_report()
    with slots.take(0.0, "evaluations", work.places()) as one, slots.take(0.0, "evaluations", work.places()) as two:
        assert (one, two) == (True, True)
        work.evaluate_next()
        report.refresh_from_db()
        assert report.state == "queued"


def test_when_one_is_done_the_next_gets_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "examine", lambda *_args, **_options: NOTHING)
    for number in range(2):
        make_report(issued=issue(), due_at=ago(number))
    work.evaluate_next()
    assert OrmQ.objects.count() == 1
    work.evaluate_next()
    assert OrmQ.objects.count() == 1
    assert set(RepoReport.objects.values_list("state", flat=True)) == {"done"}


def test_a_killed_workers_report_comes_again_and_ends_no_worker_a_fourth_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEPLOYER_WORKER", "here")
    report = make_report()
    for number in (1, 2, 3):
        assert queue.claim() is not None
        assert queue.take_back("here", lambda pid: pid == os.getpid()) == 1
        assert queue.take_back("here", lambda pid: False) == 0
        report.refresh_from_db()
        assert (report.attempt, report.lease_owner) == (number, "")
    assert (report.state, report.error) == ("error", queue.ENDED)
    assert queue.evaluate_again(RepoReport.objects.all()) == 1
    assert queue.claim() is not None


def test_a_worker_that_was_told_to_stop_blames_no_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEPLOYER_WORKER", "here")
    report = make_report(attempt=2)
    assert queue.claim() is not None
    queue.take_back("here", lambda pid: False, counts=False)
    report.refresh_from_db()
    assert (report.state, report.attempt) == ("queued", 2)


def test_what_a_vanished_worker_held_comes_again_when_its_lease_has_run_out() -> None:
    report = make_report(state="running", attempt=1, lease_owner="elsewhere:5:abc", lease_until=ago(1))
    held = make_report(issued=issue(), state="running", attempt=1, lease_owner="elsewhere:6:abc", lease_until=ago(-20))
    queue.take_back("here", lambda pid: True)
    report.refresh_from_db()
    held.refresh_from_db()
    assert (report.state, held.state) == ("queued", "running")


def test_messages_are_put_only_while_something_is_due() -> None:
    assert queue.enqueue_when_due() is False
    make_report(due_at=ago(-60))
    assert queue.enqueue_when_due() is False
    make_report(issued=issue())
    assert queue.enqueue_when_due() is True
    assert OrmQ.objects.count() == 1


def test_faults_of_ours_are_told_from_failures_of_students() -> None:
    failed, ours, error, running = (make_report(issued=issue(), state=state) for state in ("done", "done", "error", "queued"))
    CheckResult.objects.bulk_create([result(failed, status="fail"), result(ours, status="error"), result(ours), result(running, status="error")])
    assert set(queue.with_our_errors()) == {ours, error}
    assert set(queue.with_our_errors(RepoReport.objects.filter(pk=ours.pk))) == {ours}


def test_the_last_report_in_time_counts_and_a_late_one_only_where_there_is_no_other() -> None:
    punctual, tardy = issue(), issue()
    rows = [
        make_report(issued=punctual, commit_sha=f"{number:040x}", received_at=ago(100 - number), is_late=late)
        for number, late in enumerate((False, False, True))
    ]
    late = [make_report(issued=tardy, commit_sha=f"{number:040x}", received_at=ago(50 - number), is_late=True) for number in range(2)]
    assert set(queue.counted_reports([punctual.pk, tardy.pk])) == {rows[1], late[1]}
    assert set(queue.counted_reports([tardy.pk])) == {late[1]}
    assert set(queue.counted_reports(type(punctual).objects.filter(pk=punctual.pk))) == {rows[1]}


@pytest.mark.django_db(transaction=True)
def test_many_who_claim_at_once_get_each_report_once() -> None:
    rows = [make_report(issued=issue()).pk for _ in range(4)]
    taken: list[int] = []

    def take() -> None:
        try:
            while (lease := queue.claim()) is not None:
                taken.append(lease.round_id)
        finally:
            connection.close()

    threads = [threading.Thread(target=take) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == rows
    assert set(RepoReport.objects.values_list("attempt", flat=True)) == {1}
