"""The files of a version for reading: highlighted, and compared with the version before."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby, islice

from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString
from pygments import lex
from pygments.lexers import get_lexer_by_name
from pygments.token import Comment, Generic, Keyword, Name, Number, String, _TokenType

from tasks.admin.badges import badge
from tasks.admin.columns import admin_url, size
from tasks.models import CodeVersion, GeneratedFile

SHOWN_BYTES = 200_000  # longer files are only downloaded
SHOWN_TOGETHER = 2_000_000  # bytes of all files on a page
COLOURED_BYTES = 40_000  # longer ones are shown without colours
COMPARED_LINES = 4_000
DIFF_LINES = 2_000

# A fixed list: a lexer chosen by an outsider's file name could be one that takes minutes.
LEXERS = {"html": "html", "htm": "html", "svg": "xml", "xml": "xml", "css": "css", "js": "javascript", "mjs": "javascript"}
LEXERS |= {"json": "json", "md": "markdown", "py": "python", "yml": "yaml", "yaml": "yaml", "sh": "bash", "ts": "typescript"}

COLOURS = (
    *((Comment, "c"), (Keyword, "k"), (Name.Tag, "k"), (Generic.Heading, "k"), (Generic.Subheading, "k"), (String, "s"), (Number, "m")),
    *((Name.Attribute, "n"), (Name.Builtin, "n"), (Name.Class, "n"), (Name.Function, "n"), (Name.Decorator, "n")),
)


@dataclass(frozen=True)
class DiffLine:
    kind: str
    text: str


@dataclass
class FileView:
    """One file: its text when it can be shown (else `note` says why not) and the difference to the version before."""

    path: str
    change: str
    badge: SafeString
    size: str
    origin: str = ""
    download: str = ""
    anchor: str = ""
    code: SafeString | None = None
    note: str = ""
    diff: list[DiffLine] = field(default_factory=list)
    added: int = 0
    gone: int = 0


def version_before(version: CodeVersion) -> CodeVersion | None:
    """The version that this one was made from, else the last one of the task that has files."""
    if version.based_on_id and version.based_on is not None and version.based_on.files.exists():
        return version.based_on
    return (
        CodeVersion.objects.filter(task_request_id=version.task_request_id, number__lt=version.number, files__isnull=False)
        .defer("prompt", "raw_answer")
        .order_by("-number")
        .first()
    )


def views(version: CodeVersion, before: CodeVersion | None) -> list[FileView]:
    """Every file of the version in the order of their paths, then those that are gone since `before`."""
    rows = list(version.files.defer("content"))
    old = {row.path: row for row in before.files.defer("content")} if before else {}
    texts = _contents(version, _fitting(rows))
    moved = {row.path for row in rows if row.path in old and old[row.path].blob_sha != row.blob_sha}
    gone = {path for path in old if path not in {row.path for row in rows}}
    old_texts = _contents(before, moved | gone) if before else {}
    shown = []
    for row in rows:
        change = "new" if row.path not in old else "changed" if row.path in moved else "same"
        shown.append(_view(row, change if before else "", texts.get(row.path), old_texts.get(row.path)))
    for path in sorted(gone):
        view = FileView(path, "removed", badge("removed"), size(old[path].size), note="Not in this version any more.")
        _compare(view, old_texts.get(path), b"")
        shown.append(view)
    return shown


def _fitting(rows: list[GeneratedFile]) -> set[str]:
    """Paths of the files that a page has room for, from the first on."""
    fitting: set[str] = set()
    left = SHOWN_TOGETHER
    for row in rows:
        if row.size <= min(SHOWN_BYTES, left):
            fitting.add(row.path)
            left -= row.size
    return fitting


def _contents(version: CodeVersion, paths: set[str]) -> dict[str, bytes]:
    if not paths:
        return {}
    rows = version.files.filter(size__lte=SHOWN_BYTES, path__in=paths).select_related("attachment")
    return {row.path: row.data for row in rows}


def _view(row: GeneratedFile, change: str, content: bytes | None, old: bytes | None) -> FileView:
    view = FileView(
        path=row.path,
        change=change,
        badge=badge(change) if change else SafeString(""),
        size=size(row.size),
        origin=row.get_origin_display(),
        download=admin_url(row, "download"),
        anchor=f"file-{row.pk}",
    )
    text = as_text(content)
    if content is None:
        view.note = f"Longer than {size(SHOWN_BYTES)}: download it." if row.size > SHOWN_BYTES else "The page is full: download it."
    elif text is None:
        view.note = "Not text: download it."
    else:
        view.code = highlight(row.path, text, view.anchor)
    if change == "changed":
        _compare(view, old, content)
    return view


def as_text(content: bytes | None) -> str | None:
    if content is None or b"\0" in content:
        return None
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return None


def highlight(path: str, text: str, anchor: str = "") -> SafeString:
    """The text as one <span> a line, coloured pieces in spans of their own; every piece is escaped. With `anchor` each line has an address."""
    name = LEXERS.get(path.rsplit(".", 1)[-1].lower(), "text") if len(text) <= COLOURED_BYTES else "text"
    lines = [SafeString("")]
    for colour, group in groupby(lex(text, get_lexer_by_name(name, stripnl=False, ensurenl=False)), key=lambda token: colour_of(token[0])):
        for index, piece in enumerate("".join(value for _, value in group).split("\n")):
            if index:
                lines.append(SafeString(""))
            if piece:
                lines[-1] += format_html('<span class="{}">{}</span>', colour, piece) if colour else escape(piece)
    if len(lines) > 1 and not lines[-1]:
        lines.pop()
    if not anchor:
        return format_html_join("\n", '<span class="d-line">{}</span>', ((line,) for line in lines))
    # The number itself is drawn by the stylesheet, so that it is not copied; hundreds of links are no stops of the Tab key.
    numbered = '<span class="d-line" id="{0}-L{1}"><a class="d-ln" href="#{0}-L{1}" tabindex="-1" aria-label="line {1}"></a>{2}</span>'
    return format_html_join("\n", numbered, ((anchor, number, line) for number, line in enumerate(lines, start=1)))


@cache
def colour_of(kind: _TokenType) -> str:
    """The colour class of a token, empty for plain text."""
    return next((colour for family, colour in COLOURS if kind in family), "")


def _compare(view: FileView, old: bytes | None, new: bytes | None) -> None:
    before, after = as_text(old), as_text(new)
    if before is None or after is None:
        return
    a, b = before.splitlines(), after.splitlines()
    if max(len(a), len(b)) > COMPARED_LINES:
        view.note = view.note or f"More than {COMPARED_LINES:,} lines: not compared here."
        return
    kinds = {"+": "add", "-": "del", "@": "hunk"}
    lines = difflib.unified_diff(a, b, lineterm="", n=3)
    view.diff = [DiffLine(kinds.get(line[:1], "ctx"), line) for line in islice(lines, 2, DIFF_LINES + 2)]
    view.added = sum(line.kind == "add" for line in view.diff)
    view.gone = sum(line.kind == "del" for line in view.diff)
