"""The doctor's page: the frame is there at once, the findings come as they are found, and nothing is asked before somebody looks."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from tasks.admin import columns
from tasks.admin.badges import badge
from tasks.admin.rounds import STOP_POLLING
from tasks.doctor import MARKS, QUESTIONS, Finding, as_text
from tasks.doctor.examination import Examination, begin, latest

FRESH = timedelta(minutes=5)  # older findings are asked for anew when the page is opened
LONGEST_SECONDS = 60.0  # an examination is over by then


def may_see_doctor(request: HttpRequest) -> bool:
    """Superusers: findings name paths, addresses and accounts."""
    return bool(request.user.is_active and request.user.is_superuser)


def findings_context(found: Examination | None) -> dict[str, Any]:
    if found is None:
        return {"found": None, "ask": True}
    findings = found.findings
    counts: dict[str, int] = {state: sum(finding.state == state for finding in findings) for state in MARKS}
    return {
        "found": found,
        "ask": found.finished_at is not None and timezone.now() - found.finished_at > FRESH,
        "groups": [
            {"name": name, "rows": [row(finding) for finding in findings if finding.group == name], "open": open_in(found, name)}
            for name in dict.fromkeys(question.group for question in QUESTIONS)
        ],
        "verdict": verdict(found, counts),
        "tone": "red" if counts["error"] or found.unanswered else "orange" if counts["warning"] else "green",
        "took": columns.units(((found.finished_at or timezone.now()) - found.started_at).total_seconds()),
        "text": as_text(findings),
    }


def row(finding: Finding) -> dict[str, Any]:
    return {"finding": finding, "badge": badge(f"doctor {finding.state}")}


def open_in(found: Examination, group: str) -> str:
    return ", ".join(question.name for question in found.unanswered if question.group == group)


def verdict(found: Examination, counts: dict[str, int]) -> str:
    """One sentence for everybody, read aloud when it changes."""
    if found.finished_at is None:
        return "Asking; an address that does not answer is waited for, 10 s at most."
    if found.unanswered:
        return "The examination broke off: the log says why. Ask again."
    if not counts["error"] and not counts["warning"]:
        return "All that this installation uses is there."
    named = [columns.of(counts[state], state) for state in ("error", "warning") if counts[state]]
    return f"{' and '.join(named)}; each names its cure."


def is_past(mark: str) -> bool:
    """Whether an examination that began then must be over, or the mark is none."""
    try:
        return timezone.now().timestamp() - float(mark) > LONGEST_SECONDS
    except ValueError:
        return True


def findings_view(request: HttpRequest) -> HttpResponse:
    """POST begins an examination, GET is the poll of one that is under way; at its end the poll stops.

    Another web process than the one that asks knows nothing of it: 204 leaves the page as it is until the next poll."""
    if request.method == "POST":
        found: Examination | None = begin()
        if "HX-Request" not in request.headers:
            return HttpResponseRedirect(reverse("admin:doctor"))
        response = render(request, "admin/tasks/doctor/_polled.html", findings_context(found))
    else:
        found = latest()
        mark = request.GET.get("of", "")
        if (found is None or found.mark != mark) and not is_past(mark):
            return HttpResponse(status=204)
        response = render(request, "admin/tasks/doctor/_findings.html", findings_context(found))
        if found is None or found.finished_at is not None:
            response.status_code = STOP_POLLING
    response["Cache-Control"] = "no-store"
    return response
