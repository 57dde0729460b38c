"""Files between separator lines: `---README.md---`, `=== x ===`, `[FILE: x] … [END FILE]`, `<<<FILE: x>>>`, or a plain `File: x` line."""

from __future__ import annotations

import re

from tasks.generators.answer_shapes.document import without_prose
from tasks.generators.answer_shapes.names import looks_like_name
from tasks.generators.answer_shapes.pieces import Piece
from tasks.generators.answer_shapes.tags import without_cdata

_LABEL = r"(?:(?:BEGIN|START)[ _]*(?:OF[ ])?)?(?:FILE(?:NAME)?)?[ ]*:?[ ]*"
_RULED = re.compile(
    rf"(-{{3,}}|={{3,}}|\*{{3,}}|#{{5,}}|~{{4,}})[ \t]*{_LABEL}([^\s=*#~][^\n]{{0,160}}?)[ \t]*(-{{3,}}|={{3,}}|\*{{3,}}|#{{3,}}|~{{3,}})",
    re.IGNORECASE,
)
_BRACKETED = re.compile(
    r"\[[ ]*(?:(?:BEGIN|START)[ _]*)?FILE(?:NAME)?[ ]*[:= ][ ]*([^\]\n]{1,160})\]|<<<[ ]*(?:FILE)?[ ]*:?[ ]*([^>\n]{1,160})>>>", re.IGNORECASE
)
_END = re.compile(
    r"(?:\[|<<<|-{3,}|={3,}|\*{3,})[ ]*(?:/|END[ _]*(?:OF[ ])?)(?:FILE)?[^\n]{0,160}(?:\]|>>>|-{3,}|={3,}|\*{3,})|\[/?EOF\]", re.IGNORECASE
)
_PLAIN = re.compile(r"(?:FILE|FILENAME|FILE NAME)[ ]*:[ ]*[`*\"]{0,3}([^\s`*\"][^\n`*\"]{0,160}?)[`*\"]{0,3}:?[ ]*", re.IGNORECASE)


def opens(lines: list[str], index: int) -> bool:
    """Is this a separator that names a file? A `File: x` line above a fence is the fence's own."""
    return bool(_name(lines[index], plain=not above_fence(lines, index)))


def above_fence(lines: list[str], index: int) -> bool:
    """Does a fence follow, with at most one blank line between?"""
    following = next((line for line in lines[index + 1 : index + 3] if line.strip()), "")
    return following.lstrip().startswith(("```", "~~~"))


def read(text: str) -> list[Piece]:
    lines = text.split("\n")
    pieces: list[Piece] = []
    body: list[str] = []
    name, closed, started = "", False, False
    for index, line in enumerate(lines):
        found = _name(line, plain=not above_fence(lines, index))
        if found:
            pieces += _section(name, body, cut=False) if name else [] if started else _page_before(body)
            name, body, closed, started = found, [], False, True
        elif name and len(line) < 200 and _END.fullmatch(line.strip()):
            pieces += _section(name, body, cut=False)
            name, body, closed = "", [], True
        elif not closed:
            body.append(line)
    return pieces + (_section(name, body, cut=True) if name else [])


def _name(line: str, *, plain: bool) -> str:
    line = line.strip()
    if not 3 < len(line) < 200:
        return ""
    match = _RULED.fullmatch(line) or _BRACKETED.fullmatch(line) or (_PLAIN.fullmatch(line) if plain else None)
    if match is None or (match.re is _RULED and match[1][0] != match[3][0]):
        return ""
    name = (match[2] if match.re is _RULED else next(group for group in match.groups() if group)).strip(" `*\"'")
    return name if looks_like_name(name) else ""


def _section(name: str, lines: list[str], *, cut: bool) -> list[Piece]:
    body = without_cdata("\n".join(lines).strip("\n"))
    return [Piece(name, without_prose(name, body), cut=cut)]


def _page_before(lines: list[str]) -> list[Piece]:
    """A page that stands before the first separator needs no separator of its own."""
    start = next((index for index, line in enumerate(lines) if re.match(r"\s{0,20}<(!doctype html|html)\b", line, re.IGNORECASE)), None)
    return [] if start is None else [Piece("index.html", without_prose("index.html", "\n".join(lines[start:]).strip("\n")))]
