"""XML whose files are not one tag a line: `<file><path>x</path><content>…</content></file>`, or everything on a single line.

Read by position instead of by an XML parser, because models forget to escape `&` and `<` and give several roots.
"""

from __future__ import annotations

import re

from tasks.generators.answer_shapes.pieces import Piece
from tasks.generators.answer_shapes.tags import without_cdata

_START = re.compile(
    r"<file(?=\s)(?P<attributes>[^<>]{1,500})>"
    r"|<(?P<key>path|name|filename)>[ \t\n]{0,20}(?P<name>[^<>\n]{1,200})</(?P=key)>[ \t\n]{0,50}"
    r"<(?P<tag>content|contents|code|body|data|source)\b(?P<more>[^<>]{0,200})>",
    re.IGNORECASE,
)
_ATTRIBUTE = re.compile(r"(path|name|filename|from|encoding)[ \t]*=[ \t]*[\"']([^\"']*)[\"']", re.IGNORECASE)
_CONTAINER = re.compile(r"[ \t]*<(\?xml|files?|response|answer|project|output|result|path|name|filename)\b", re.IGNORECASE)


def opens(line: str) -> bool:
    return _CONTAINER.match(line) is not None


def read(text: str) -> list[Piece]:
    pieces: list[Piece] = []
    position = 0
    exhausted: set[str] = set()  # endings that occur no more, so that looking for them again would only cost time
    while match := _START.search(text, position):
        attributes = {key.lower(): value for key, value in _ATTRIBUTE.findall(match["attributes"] or match["more"] or "")}
        name = match["name"] or attributes.get("path") or attributes.get("name") or attributes.get("filename") or ""
        position = match.end()
        if not name.strip():
            continue
        if (match["attributes"] or "").endswith("/"):
            if source := attributes.get("from"):
                pieces.append(Piece(name, kind="copy", source=source))
            continue
        start, position, cut = *_end(text, position, (match["tag"] or "file").lower(), exhausted), False
        if position < 0:
            start, position, cut = len(text), len(text), True
        pieces.append(
            Piece(name.strip(), without_cdata(text[match.end() : start].removeprefix("\n")), encoding=attributes.get("encoding", ""), cut=cut)
        )
    return pieces


def _end(text: str, start: int, tag: str, exhausted: set[str]) -> tuple[int, int]:
    """Where the body ends and where the search goes on; (-1, -1) when the body is never closed."""
    endings = [rf"</{tag}>"] if tag == "file" else [rf"</{tag}>[ \t\n]{{0,50}}</file>", rf"</{tag}>"]
    if text[start : start + 60].lstrip().startswith("<![CDATA["):
        endings.insert(0, rf"(?<=\]\]>)[ \t\n]{{0,50}}</{tag}>")
    for ending in endings:
        if ending not in exhausted:
            if match := re.compile(ending, re.IGNORECASE).search(text, start):
                return match.start(), match.end()
            exhausted.add(ending)
    return -1, -1
