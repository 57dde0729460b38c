"""The cells that lists, pages and the dashboard share: who, where, how long, what is wrong, and links out.

What came from outside is escaped here or in the template; a link is made only of an http(s) address.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Model
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from tasks.admin.badges import round_badges
from tasks.models import Round
from tasks.pipeline import STAGES


def units(seconds: float | None) -> str:
    """A length of time in words that carry their unit: 4 ms, 0.8 s, 42 s, 7 min 12 s, 3 h 4 min, 2 d 3 h."""
    if seconds is None:
        return "–"
    if seconds == 0:
        return "0 s"
    if abs(seconds) < 0.0995:
        return f"{seconds * 1000:.0f} ms" if abs(seconds) >= 0.001 else "< 1 ms"
    if abs(seconds) < 10:
        return f"{seconds:.1f} s"
    whole = round(abs(seconds))
    sign = "-" if seconds < 0 else ""
    if whole < 60:
        return f"{sign}{whole} s"
    if whole < 3600:
        return f"{sign}{whole // 60} min {whole % 60} s"
    if whole < 86_400:
        return f"{sign}{whole // 3600} h {whole % 3600 // 60} min"
    return f"{sign}{whole // 86_400} d {whole % 86_400 // 3600} h"


def ago(moment: datetime, now: datetime) -> str:
    """How long it has been, to the second: it is read while it changes."""
    seconds = max(0, round((now - moment).total_seconds()))
    return f"{seconds} s" if seconds < 60 else units(seconds)


def size(count: int | None) -> str:
    """A number of bytes in the unit that fits."""
    if count is None:
        return "–"
    if count < 1000:
        return f"{count} B"
    return f"{count / 1000:.1f} kB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"


def one_line(text: str, length: int = 140) -> str:
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1] + "…"


def is_web(url: str) -> bool:
    return url.lower().startswith(("http://", "https://"))


def out(url: str, label: str = "") -> SafeString:
    """A link to another site; anything but http(s) stays text."""
    if not url:
        return format_html("{}", "–")
    if not is_web(url):
        return format_html("<code>{}</code>", one_line(url, 80))
    return format_html(
        '<a class="d-link" href="{}" target="_blank" rel="noopener noreferrer" title="{}">{}</a>', url, url, label or one_line(url, 60)
    )


def admin_url(row: Model, page: str = "change") -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{page}", args=[row.pk])


def inside(row: Model | None, label: str = "") -> SafeString:
    """A link to a record's own page."""
    if row is None:
        return format_html("{}", "–")
    return format_html('<a class="d-link" href="{}">{}</a>', admin_url(row), label or one_line(str(row), 80))


def when(moment: datetime | None) -> SafeString:
    """A moment in UTC to the second; the browser's tooltip has the ISO form."""
    if moment is None:
        return format_html("{}", "–")
    return format_html('<time class="d-time" datetime="{}" title="{}">{}</time>', moment.isoformat(), moment.isoformat(), f"{moment:%d %b %H:%M:%S}")


def commit_url(repo_url: str, sha: str) -> str:
    """Where GitHub shows a commit; other hosts have no such page."""
    return f"{repo_url.rstrip('/')}/commit/{sha}" if repo_url.lower().startswith("https://github.com/") and sha else ""


def looked_at(row: Any) -> str:
    """What a check result or a screenshot is of: the live page of a deployment, or a version before it was published."""
    if row.deployment_id and row.deployment is not None:
        return f"live page, {row.deployment.commit_sha[:10]}"
    return f"version {row.version.number}" if row.version else "–"


def dollars(cost: Decimal | None) -> str:
    """US dollars: to the cent from one dollar on, else to a hundredth of a cent."""
    if cost is None:
        return "–"
    if 0 < cost < Decimal("0.0001"):
        return "< $0.0001"
    return f"${cost:,.2f}" if cost >= 1 or cost == 0 else f"${cost:.4f}"


def count(number: int | None) -> str:
    """A number that fits a tile: 950, 12,400, 1.2 M."""
    return "–" if number is None else f"{number:,}" if number < 1_000_000 else f"{number / 1_000_000:.1f} M"


def of(number: int, word: str) -> str:
    """1 round, 312 rounds."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"


# -- cells of a round ------------------------------------------------------------------------------------------------------------------


def who(round_: Round) -> SafeString:
    return render_to_string("admin/tasks/columns/_who.html", {"round": round_, "url": admin_url(round_)})


def segments(round_: Round) -> list[dict[str, str]]:
    """One segment a stage: done, now (in the colour of the status) or ahead."""
    at = STAGES.index(round_.stage) if round_.stage in STAGES else 0
    tone = {"failed": "red", "succeeded": "green", "queued": "grey"}.get(round_.status, "blue")
    states = ["done" if index < at or round_.status == "succeeded" else f"now d-{tone}" if index == at else "ahead" for index in range(len(STAGES))]
    return [{"name": name, "state": state} for name, state in zip(STAGES, states, strict=True)]


def where(round_: Round, now: datetime) -> SafeString:
    context = {"round": round_, "segments": segments(round_), "badges": round_badges(round_, now)}
    return render_to_string("admin/tasks/columns/_where.html", context)


def clock(round_: Round, now: datetime) -> dict[str, Any]:
    """The time that is left of the deadline, how late it is, or how long it took; `share` is the part of the time that is used up."""
    whole = max(1.0, (round_.deadline_at - round_.received_at).total_seconds())
    end = round_.notified_at or (None if round_.is_open else round_.finished_at)
    used = ((end or now) - round_.received_at).total_seconds()
    late = used - whole
    share = f"{min(100.0, max(2.0, 100 * used / whole)):.0f}"
    if round_.notified_at:
        return {"text": f"told after {units(used)}", "share": share, "tone": "red" if late > 0 else "green"}
    if not round_.is_open:
        return {"text": f"stopped after {units(used)}", "share": share, "tone": "grey"}
    if late > 0:
        return {"text": f"{units(late)} late", "share": share, "tone": "red"}
    return {"text": f"{units(-late)} left", "share": share, "tone": "orange" if used > 0.8 * whole else "blue"}


def time_left(round_: Round, now: datetime) -> SafeString:
    return render_to_string("admin/tasks/columns/_clock.html", {"round": round_, "clock": clock(round_, now)})


def trouble(round_: Round) -> SafeString:
    """What is wrong, in one line: the error, else what was degraded, else what it waits for."""
    for text, identifier, tone in (
        (round_.error, round_.error_id, "red"),
        (round_.degraded, round_.degraded_id, "orange"),
        (round_.waiting_for if round_.is_open else "", "", "grey"),
    ):
        if text or identifier:
            label = f"{identifier}: {text}" if identifier and text else text or identifier
            return format_html('<span class="d-trouble d-ink-{}" title="{}">{}</span>', tone, label, one_line(label, 110))
    return format_html('<span class="d-quiet">{}</span>', "–")


def links(round_: Round) -> SafeString:
    task = round_.task_request
    context = {"page": task.pages_url if is_web(task.pages_url) else "", "repo": task.repo_url if is_web(task.repo_url) else ""}
    return render_to_string("admin/tasks/columns/_links.html", context)
