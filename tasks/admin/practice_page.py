"""One practice as it is shown: how far it is in four steps, every try with what the service answered, and the report."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from tasks.admin import columns, report_page, state
from tasks.admin.badges import badge
from tasks.admin.evidence_lines import lines
from tasks.admin.issued import SHOWN
from tasks.classroom import practice
from tasks.classroom.evaluating.queue import counted_reports
from tasks.classroom.tries import PRACTICE_TRIES
from tasks.models import IssuedTask, RepoReport

Status = IssuedTask.Status


def line(row: IssuedTask) -> dict[str, Any]:
    """A row of the list."""
    reports = list(row.reports.all())
    return {"row": row, "badge": badge(f"issue {row.status}", row.error), "report": badge(f"report {reports[0].state}", "") if reports else ""}


def context(row: IssuedTask) -> dict[str, Any]:
    """The whole page."""
    report = report_of(row)
    first = row.first or row
    rounds = [first, *first.later.order_by("pk").only("pk", "round", "first_id")]
    return {
        **(report_page.body(report, image=lambda shot: reverse("admin:practice_picture", args=[row.pk, shot])) if report else {}),
        **live_context(row),
        "rounds": [{"row": made, "here": made.pk == row.pk} for made in rounds],
        "checks": lines(row.checks),
        "files": [str(item.get("name", "")) if isinstance(item, dict) else str(item) for item in row.attachments],
        "report": report,
        "links": report_page.link_rows(report) if report else None,
        "others": row.reports.count() - 1,
        "next": row.round + 1 if report and practice.has_next(row) and rounds[-1].pk == row.pk else None,
    }


def report_of(row: IssuedTask) -> RepoReport | None:
    """The one that would count for a class: the last that came in time, else the last."""
    return counted_reports([row.pk]).first()


def live_context(row: IssuedTask) -> dict[str, Any]:
    """What moves while it is open."""
    report = report_of(row)
    is_open = practice.under_way().filter(pk=row.pk).exists()
    return {
        "issued": row,
        "open": is_open,
        "steps": steps(row, report),
        "history": [{"row": made, "took": columns.units(made.seconds)} for made in row.history.all()[:SHOWN]],
        "may_stop": is_open and report is None and row.status != Status.SENDING,
        "no_worker": is_open and not state.workers_alive(),
    }


def steps(row: IssuedTask, report: RepoReport | None) -> list[dict[str, Any]]:
    """Sent, accepted, reported, evaluated; of each the badge (none before it is reached), when, and one sentence."""
    now = timezone.now()
    waits = f"tried again {row.next_try_at:%H:%M:%S} UTC" if row.status == Status.WAITING and row.next_try_at else ""
    tried = f"try {row.tries} of at most {PRACTICE_TRIES}" if row.tries else ""
    return [
        _step("sent", badge("done") if row.sent_at else badge("issue pending"), row.sent_at, tried),
        _step("accepted", badge(f"issue {row.status}") if row.sent_at else None, row.accepted_at, ". ".join(filter(None, (row.error, waits)))),
        _step("reported", _reported(row, report), report.received_at if report else None, _until(row, report, now)),
        _step("evaluated", badge(f"report {report.state}"), report.evaluated_at, report.error) if report else _step("evaluated", None, None, ""),
    ]


def _step(name: str, shown: SafeString | None, when: Any, said: str) -> dict[str, Any]:
    return {"name": name, "badge": shown, "when": columns.when(when) if when else "", "said": said}


def _reported(row: IssuedTask, report: RepoReport | None) -> SafeString | None:
    if report:
        return badge("report late" if report.is_late else "report in time")
    if row.status != Status.ACCEPTED or row.deadline_at is None:
        return None
    return badge("report awaited" if timezone.now() <= row.deadline_at else "report missing")


def _until(row: IssuedTask, report: RepoReport | None, now: Any) -> str:
    if report or row.status != Status.ACCEPTED or row.deadline_at is None:
        return ""
    if now > row.deadline_at:
        return f"Nothing came within ten minutes, until {row.deadline_at:%H:%M:%S} UTC. The service's own log says why; a late report is still taken."
    return f"in time until {row.deadline_at:%H:%M:%S} UTC"
