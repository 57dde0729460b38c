"""A check's verdict as one small sign, for a table with hundreds of them: the icon and the colour of the badges, the word for who cannot see them."""

from __future__ import annotations

from django.utils.html import format_html
from django.utils.safestring import SafeString

from tasks.admin import columns
from tasks.admin.badges import LOOKS, look
from tasks.admin.gradebook import words
from tasks.classroom.gradebook.sheet import Cell

TITLE = 300  # characters of a reason in a tooltip


def state(cell: Cell) -> str:
    """The name under which a cell's look stands in `badges.LOOKS`: an error of a check is ours, and what is not there may still come."""
    if cell.status == "error":
        return "our error"
    return "report awaited" if cell.status == "absent" and cell.score is None else cell.status


def mark(cell: Cell, title: str, url: str, *, dropped: bool = False) -> SafeString | str:
    """A link to the cell's page; nothing where the check does not apply to the student. A score between no and yes is written out."""
    if not cell.status:
        return ""
    shown = look(state(cell))
    said = columns.one_line(f"{title}: {shown.word}{f', {cell.reason}' if cell.reason else ''}", TITLE)
    if cell.score is not None and (cell.status == "override" or 0 < cell.score < 1):
        return format_html(
            '<a class="d-mark d-{}{}" href="{}" title="{}"><b>{}</b><span class="d-unseen">{}</span></a>',
            shown.tone, " off" if dropped else "", url, said, words.share(cell.score).replace(" ", "\N{NARROW NO-BREAK SPACE}"), shown.word,
        )  # fmt: skip
    return format_html(
        '<a class="d-mark d-{}{}" href="{}" title="{}"><span class="material-symbols-outlined" aria-hidden="true">{}</span>'
        '<span class="d-unseen">{}</span></a>',
        shown.tone, " off" if dropped else "", url, said, shown.icon, shown.word,
    )  # fmt: skip


def sign(name: str, title: str) -> SafeString:
    """The icon of a state alone, with its word for who cannot see it."""
    shown = look(name)
    return format_html(
        '<span class="d-sign d-ink-{}" title="{}"><span class="material-symbols-outlined" aria-hidden="true">{}</span>'
        '<span class="d-unseen">{}</span></span>',
        shown.tone, title, shown.icon, title,
    )  # fmt: skip


def legend() -> list[tuple[str, str, str]]:
    """Tone, icon and word of every sign that the table may hold."""
    names = ("pass", "fail", "override", "our error", "undecided", "skipped", "absent", "report awaited", "report late")
    return [(LOOKS[name].tone, LOOKS[name].icon, LOOKS[name].word) for name in names]
