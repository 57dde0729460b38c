"""How a state looks: icon, word and colour, from one mapping that every list, page and tile uses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from tasks.models import Round


@dataclass(frozen=True)
class Look:
    """`icon` is a name of the Material Symbols font that the skin ships, `tone` a colour class of `tasks/admin.css`."""

    icon: str
    word: str
    tone: str


LOOKS: dict[str, Look] = {
    # rounds
    "queued": Look("schedule", "queued", "grey"),
    "running": Look("play_circle", "running", "blue"),
    "waiting": Look("hourglass_top", "waiting", "blue"),
    "succeeded": Look("check_circle", "succeeded", "green"),
    "failed": Look("cancel", "failed", "red"),
    "degraded": Look("warning", "degraded", "orange"),
    "overdue": Look("alarm", "overdue", "red"),
    # stage runs
    "done": Look("check", "done", "green"),
    "back": Look("undo", "sent back", "orange"),
    "error": Look("error", "error", "red"),
    "interrupted": Look("power_off", "interrupted", "orange"),
    # deliveries
    "sending": Look("send", "sending", "blue"),
    "delivered": Look("mark_email_read", "delivered", "green"),
    "rejected": Look("block", "rejected", "red"),
    "unreachable": Look("cloud_off", "unreachable", "orange"),
    # checks
    "pass": Look("check", "pass", "green"),
    "fail": Look("close", "fail", "red"),
    "skipped": Look("skip_next", "skipped", "grey"),
    "undecided": Look("help", "undecided", "orange"),
    # code versions
    "answered": Look("chat", "answered", "blue"),
    "ready": Look("check_circle", "ready", "green"),
    "unusable": Look("broken_image", "unusable", "red"),
    "refused": Look("gpp_bad", "refused", "red"),
    # files, compared with the version before
    "new": Look("add", "new", "green"),
    "changed": Look("edit", "changed", "orange"),
    "same": Look("drag_handle", "same", "grey"),
    "removed": Look("remove", "removed", "red"),
    # checks of two versions beside each other
    "fixed": Look("build", "fixed", "green"),
    "broken": Look("heart_broken", "broken", "red"),
    "still fails": Look("close", "still fails", "red"),
    "other verdict": Look("sync_alt", "other verdict", "orange"),
    "new check": Look("add", "new check", "blue"),
    "gone": Look("remove", "not checked", "grey"),
    "same verdict": Look("drag_handle", "same verdict", "grey"),
    # programs that were run
    "preparing": Look("deployed_code_update", "preparing", "blue"),
    "timed_out": Look("timer_off", "timed out", "red"),
    "oom_killed": Look("memory_alt", "out of memory", "red"),
    "output_limit": Look("text_ad", "too much output", "red"),
    "cancelled": Look("stop_circle", "cancelled", "grey"),
    "internal_error": Look("error", "internal error", "red"),
    # agents' tasks and what is said in them
    "created": Look("fiber_new", "created", "grey"),
    "completed": Look("check_circle", "completed", "green"),
    "unread": Look("mark_email_unread", "unread", "orange"),
    # issued tasks and what was reported on them
    "issue pending": Look("schedule", "to be sent", "grey"),
    "issue sending": Look("send", "being sent", "blue"),
    "issue accepted": Look("check_circle", "accepted", "green"),
    "issue waiting": Look("hourglass_top", "to be tried again", "orange"),
    "issue given_up": Look("cancel", "given up", "red"),
    "issue uncertain": Look("help", "answer lost", "orange"),
    "report in time": Look("alarm_on", "in time", "green"),
    "report late": Look("alarm", "late", "orange"),
    "report awaited": Look("hourglass_top", "awaited", "blue"),
    "report missing": Look("alarm_off", "no report", "red"),
    "report queued": Look("schedule", "to be evaluated", "grey"),
    "report running": Look("play_circle", "being evaluated", "blue"),
    "report done": Look("check", "evaluated", "green"),
    "report error": Look("error", "not evaluated", "red"),
    # cells and rounds of the grade-book, and the book itself
    "override": Look("edit", "set by hand", "blue"),
    "our error": Look("build", "error of ours", "orange"),
    "absent": Look("remove", "not reported", "red"),
    "score not issued": Look("remove", "not issued", "grey"),
    "score not accepted": Look("block", "not accepted", "red"),
    "score not reported": Look("alarm_off", "not reported", "red"),
    "score to be evaluated": Look("schedule", "to be evaluated", "blue"),
    "score evaluated": Look("check", "evaluated", "green"),
    "score could not be evaluated": Look("error", "could not be evaluated", "orange"),
    "book open": Look("lock_open", "open", "blue"),
    "book locked": Look("lock", "locked", "grey"),
    "book published": Look("visibility", "published", "green"),
    "book planned": Look("schedule", "published later", "orange"),
    "book unpublished": Look("visibility_off", "not published", "grey"),
    # pages and workers
    "live": Look("public", "live", "green"),
    "not live": Look("hourglass_top", "not live", "orange"),
    "alive": Look("favorite", "alive", "green"),
    "silent": Look("heart_broken", "silent", "red"),
    "stopped": Look("stop_circle", "stopped", "grey"),
    # students' services
    "answers": Look("check_circle", "answers", "green"),
    "wrong_place": Look("wrong_location", "wrong address", "red"),
    "not asked": Look("help", "not asked yet", "grey"),
    "to be asked": Look("hourglass_top", "to be asked", "blue"),
    # what the doctor finds
    "doctor ok": Look("check_circle", "ok", "green"),
    "doctor warning": Look("warning", "warning", "orange"),
    "doctor error": Look("error", "error", "red"),
    "doctor off": Look("remove", "not used", "grey"),
}


def look(state: str) -> Look:
    """The look of a state; one that nobody listed is shown as it is, in grey."""
    return LOOKS.get(state) or Look("help", state, "grey")


def badge(state: str, title: str = "") -> SafeString:
    """The state as icon and word. `title` is the tooltip."""
    shown = look(state)
    return format_html(
        '<span class="d-badge d-{}" title="{}"><span class="d-icon material-symbols-outlined" aria-hidden="true">{}</span>{}</span>',
        shown.tone,
        title,
        shown.icon,
        shown.word,
    )


def round_states(round_: Round, now: datetime) -> list[str]:
    """What to say of a round: its status, and beside it whether it is overdue or delivered less than asked."""
    states: list[str] = [round_.status]
    if round_.is_open and round_.notified_at is None and round_.deadline_at < now:
        states.append("overdue")
    if round_.degraded_id:
        states.append("degraded")
    return states


def round_badges(round_: Round, now: datetime) -> SafeString:
    return format_html_join(" ", "{}", ((badge(state),) for state in round_states(round_, now)))
