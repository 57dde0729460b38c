"""Markdown: every file in a fence, its name in a heading, a label, the info string or a first comment.

Fences nest badly: a README in a fence holds fences of its own, mostly with the same number of back-ticks. So a fence with a language inside an open
one opens a nested one, and in Markdown a bare one with a blank line before it and text right after it does too.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import accumulate
from typing import NamedTuple

from tasks.files.paths import extension
from tasks.generators.answer_shapes.names import LANGUAGES, language_fits, name_in_comment, name_in_info, names_of_line
from tasks.generators.answer_shapes.pieces import Piece
from tasks.generators.edits import begins_with_block, is_search

_FENCE = re.compile(r"([ \t>]{0,16})(`{3,40}|~{3,40})[ \t]*([^`\n]{0,200})")
_REFERENCE = re.compile(r"<(?:script|link|img)\b[^<>]{0,300}?\b(?:src|href)[ \t]*=[ \t]*[\"']([^\"'<>:?#]{1,120})[\"']", re.IGNORECASE)
_PAGE = re.compile(r"\s{0,50}(?:html\s{1,10})?(?:<!--[^\n]{0,200}-->\s{0,10})?(?:<!doctype html|<html\b)", re.IGNORECASE)
# languages of a block that shows something to the reader, unless it has a name
_SHOWN = frozenset(
    {"", "bash", "sh", "shell", "console", "terminal", "powershell", "cmd", "zsh", "text", "txt", "plaintext", "output", "tree", "mermaid"}
)
_MARKDOWN = frozenset({"md", "markdown", "mdx"})
_NO_COMMENTS = frozenset({"json", "csv", "tsv", "txt", "webmanifest", "geojson"})
_DEFAULT_NAMES = {"css": "style.css", "js": "script.js", "javascript": "script.js", "svg": "image.svg"}


class Opening(NamedTuple):
    indent: int
    mark: str
    info: str


class Block(NamedTuple):
    """One top-level fence. `above` is the last line with text before it, when that line is near."""

    info: str
    lines: list[str]
    above: str
    closed: bool

    @property
    def language(self) -> str:
        word = re.match(r"[\w+#-]*", self.info)
        return word[0].lower() if word else ""

    @property
    def body(self) -> str:
        return "\n".join(self.lines)


def opening(line: str) -> Opening | None:
    """The fence that this line opens, if it is one."""
    if "```" not in line[:60] and "~~~" not in line[:60]:
        return None
    match = _FENCE.fullmatch(line[:300])
    return Opening(len(match[1]), match[2], match[3].strip()) if match else None


def closes(line: str, fence: Opening) -> bool:
    """Does this line end that fence?"""
    other = opening(line)
    return other is not None and not other.info and other.mark[0] == fence.mark[0] and len(other.mark) >= len(fence.mark)


def read(text: str) -> list[Piece]:
    pieces: list[Piece] = []
    unnamed: list[Block] = []
    for block in blocks(text):
        if piece := _named(block):
            pieces.append(piece)
        else:
            unnamed.append(block)
    taken = {piece.name for piece in pieces}
    main = _main_page(unnamed) if "index.html" not in taken else None
    if main is not None:
        pieces.insert(0, Piece("index.html", main.body, cut=not main.closed))
        unnamed.remove(main)
    references = [name for piece in pieces if extension(piece.name) == "html" for name in _REFERENCE.findall(piece.body)]
    return pieces + [_guessed(block, references, taken, lonely=not pieces) for block in unnamed if block.language not in _SHOWN]


def blocks(text: str) -> list[Block]:
    """The top-level fences of a text."""
    markdown = _Markdown(text.split("\n"))
    found: list[Block] = []
    index = last = 0
    while index < len(markdown.lines):
        fence = markdown.fences[index]
        if fence is None:
            index += 1
            continue
        above = _line_above(markdown.lines, index, last)
        end, closed = markdown.end(index, fence, is_markdown=_is_markdown(fence, above))
        inner = [_without_indent(line, fence.indent) for line in markdown.lines[index + 1 : end]]
        while not closed and inner and not inner[-1].strip():
            inner.pop()
        if inner or closed:
            found.append(Block(fence.info, inner, above, closed))
        index = last = end + closed
    return found


class _Markdown:
    """The lines of a text with what is known of its fences, so that no question needs a second walk over them."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.fences = [opening(line) for line in lines]
        self.places = [index for index, fence in enumerate(self.fences) if fence]
        self.page_ends = [index for index, line in enumerate(lines) if "</html>" in line.lower()]
        # fences that begin a file: with a language and, in it or above it, a name
        self.beginnings = [index for index in self.places if self._begins_file(index)]
        # closing fences too many, up to each line
        self.balance = list(accumulate(0 if fence is None else -1 if fence.info else 1 for fence in self.fences))

    def end(self, start: int, fence: Opening, *, is_markdown: bool) -> tuple[int, bool]:
        """The line that closes the fence, or where it must have ended when nothing does."""
        depth, least = 0, 0 if is_markdown else self._page_end(start)
        for at in range(bisect_right(self.places, start), len(self.places)):
            index = self.places[at]
            other = self.fences[index]
            if other is None or other.mark[0] != fence.mark[0] or len(other.mark) < len(fence.mark):
                continue
            if other.info:
                if not is_markdown and depth == 0 and index > start + 1 and self._begins_file(index):
                    return self._before_heading(start, index), False
                depth += 1
            elif is_markdown and depth == 0 and self._opens_bare(index):
                depth += 1
            elif depth and not (least and least == index - 1):
                depth -= 1
            elif index >= least:
                return index, True
        return len(self.lines), False

    def _begins_file(self, index: int) -> bool:
        fence = self.fences[index]
        return fence is not None and bool(fence.info and (name_in_info(fence.info) or names_of_line(_line_above(self.lines, index)).strong))

    def _opens_bare(self, index: int) -> bool:
        """In Markdown, a bare fence opens one when text follows at once, the next fence can close it, and a blank line, a heading or a colon
        stands before it or more fences follow before the next file than need closing."""
        before, after = self.lines[index - 1].strip(), self.lines[index + 1].strip() if index + 1 < len(self.lines) else ""
        at = bisect_right(self.places, index)
        following = self.fences[self.places[at]] if at < len(self.places) else None
        if not after or after.startswith(("##", "**")) or following is None or following.info:
            return False
        if not before or before.endswith(":") or before.startswith("#"):
            return True
        at = bisect_right(self.beginnings, index)
        return self.balance[self.beginnings[at] - 1 if at < len(self.beginnings) else -1] - self.balance[index] >= 2

    def _page_end(self, start: int) -> int:
        """A page's fence cannot close before `</html>`, unless another file begins first."""
        first = next((line for line in self.lines[start + 1 : start + 5] if line.strip()), "")
        at = bisect_right(self.page_ends, start)
        if not _PAGE.match(first) or at == len(self.page_ends):
            return 0
        following = bisect_right(self.beginnings, start)
        end = self.page_ends[at]
        return end if following == len(self.beginnings) or self.beginnings[following] > end else 0

    def _before_heading(self, start: int, index: int) -> int:
        """The line where the heading of the fence at `index` begins; the fence itself when its name is in the info string."""
        fence = self.fences[index]
        if fence is not None and name_in_info(fence.info):
            return index
        while index > start + 1 and not self.lines[index - 1].strip():
            index -= 1
        return max(start + 1, index - 1)


def _line_above(lines: list[str], index: int, least: int = 0) -> str:
    """The last line with text among the three above."""
    return next((line for line in reversed(lines[max(least, index - 3) : index]) if line.strip()), "")


def _without_indent(line: str, indent: int) -> str:
    """A fence in a list is indented, and its lines are too."""
    return line[:indent].lstrip(" \t>") + line[indent:]


def _main_page(unnamed: list[Block]) -> Block | None:
    """The longest whole page, or the only HTML there is."""
    pages = [block for block in unnamed if block.language in {"html", ""} and _PAGE.match(block.body[:400])]
    fragments = [block for block in unnamed if block.language == "html"]
    return max(pages, key=lambda block: len(block.body)) if pages else fragments[0] if len(fragments) == 1 else None


def _is_markdown(fence: Opening, above: str) -> bool:
    name = name_in_info(fence.info) or next(iter(names_of_line(above).names), "")
    language = fence.info.lower().split(" ")[0].split(":")[0]
    return language in _MARKDOWN or (extension(name) in _MARKDOWN and language in _SHOWN)


def _named(block: Block) -> Piece | None:
    """The file of a block whose name is written somewhere near."""
    above = names_of_line(block.above)
    fitting = [name for name in above.names if language_fits(block.language, name)]
    in_info = name_in_info(block.info)
    comment = name_in_comment(block.lines[0]) if block.lines else ""
    lines = block.lines
    if in_info:
        name = in_info
    elif above.strong:
        name = above.names[0]
    elif comment:
        name = comment
    elif len(fitting) == 1 and (block.language in LANGUAGES or len(above.names) == 1):
        name = fitting[0]
    else:
        name = ""
    first = names_of_line(lines[0]) if lines else above
    if name.casefold() == "readme":
        name = "README.md"
    if not name and len(lines) > 1 and first.strong and is_search(lines[1]):
        name, lines = first.names[0], lines[1:]
    if begins_with_block("\n".join(lines)):
        return Piece(name, "\n".join(lines), kind="edit", cut=not block.closed)
    if block.language in {"diff", "patch"}:
        return Piece(name, block.body, kind="diff", cut=not block.closed)
    if not name:
        return None
    if comment and extension(comment) in _NO_COMMENTS and comment.casefold() == name.casefold():
        lines = lines[1:]
    return Piece(name, "\n".join(lines), cut=not block.closed)


def _guessed(block: Block, references: list[str], taken: set[str], *, lonely: bool) -> Piece:
    """A block that nobody named is the file that the page asks for and nothing else provides; else it is an example."""
    missing = [name for name in references if name not in taken and block.language in LANGUAGES and language_fits(block.language, name)]
    name = missing[0] if missing else ""
    if not name and block.language in _MARKDOWN and "README.md" not in taken and block.body.lstrip().startswith("# "):
        name = "README.md"
    if not name and lonely:
        name = _DEFAULT_NAMES.get(block.language, "")
    if not name or name in taken:
        return Piece(f"(a block of {block.language or 'text'})", kind="dropped", reason="nothing says which file it is")
    taken.add(name)
    return Piece(name, block.body, cut=not block.closed)
