"""The format that our prompts ask for, and what models make of it.

    <file path="index.html">              whole content up to a line that is exactly </file>
    <file path="uid.txt" from="attachment:uid.txt"/>
    <delete path="old.html"/>
    <edit path="app.js">                  SEARCH/REPLACE blocks up to a line that is exactly </edit>

Tags inside a file are content when they are balanced, and so is a lone `</file>` line that more of the file follows. Whoever writes content that
could still be mistaken names the closing line himself: `<file path="a.md" until="=== end of a.md ===">`; such content is never mended.
Attribute names and letter case vary (`<FILE name="x">`), content may start on the tag's line and may be a CDATA section.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass

from tasks.generators.answer_shapes.pieces import Piece

_OPEN = re.compile(r"[ \t]*<(file|edit|delete)(?=[\s/>])([^<>]{0,500}?)(/?)>", re.IGNORECASE)
_CLOSE = re.compile(r"</(file|edit|delete)>[ \t]*", re.IGNORECASE)
_LOOSE_CLOSE = re.compile(r"(.*)</(file|edit|delete)>[ \t]*", re.IGNORECASE)
_GLUED = re.compile(r"^(</(?:file|edit)>)[ \t]*(?=<(?:file|edit|delete)\s)", re.IGNORECASE | re.MULTILINE)
_ATTRIBUTE = re.compile(r"([\w-]{1,30})[ \t]*=[ \t]*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))")
_CDATA_END = re.compile(r"\]\]>\s{0,50}</file>", re.IGNORECASE)
_NAME_KEYS = ("path", "name", "filename", "filepath", "file", "src")


@dataclass
class _Tag:
    kind: str
    attributes: dict[str, str]
    rest: str  # what follows the tag on its line
    line: int
    end: int = -1  # the line of the closing tag; -1 when there is none


def opens(line: str) -> bool:
    """Does a file of this format start here? Several files on one line are `elements`' part."""
    match = _OPEN.match(line[:1000])
    if match is None or not _is_tag(match[1], _attributes(match[2])):
        return False
    return not re.search(r"</file>[ \t]*<", line[match.end() :], re.IGNORECASE)


def read(text: str) -> list[Piece]:
    lines = _GLUED.sub(r"\1\n", text).split("\n")
    found = _tags(lines)
    _balance(found, lines)
    _close_loosely(found, lines)
    return [piece for tag in _outermost(found) for piece in _piece(tag, lines)]


def _tags(lines: list[str]) -> list[_Tag]:
    """Every opening tag. Sections that name their own end are passed over whole, so that what they hold is never taken for a tag."""
    found: list[_Tag] = []
    own_ends = _own_ends(lines)
    cdata_ends = [index for index, line in enumerate(lines) if "]]>" in line and _CDATA_END.search("\n".join(lines[index : index + 3]))]
    index = 0
    while index < len(lines):
        line = lines[index]
        match = _OPEN.match(line[:1000]) if "<" in line[:200] else None
        attributes = _attributes(match[2]) if match else {}
        if match is None or not _is_tag(match[1], attributes):
            index += 1
            continue
        tag = _Tag(match[1].lower(), attributes, line[match.end() :], index)
        found.append(tag)
        if match[3]:
            tag.end, tag.rest = index, ""
        elif until := attributes.get("until"):
            tag.end = _first(own_ends[until], index + 1, len(lines))
        elif tag.rest.lstrip().startswith("<![CDATA[") or (not tag.rest.strip() and lines[index + 1 : index + 2] == ["<![CDATA["]):
            tag.end = _first(cdata_ends, index, len(lines))
            while tag.end < len(lines) - 1 and "</file>" not in lines[tag.end].lower():
                tag.end += 1
        elif _LOOSE_CLOSE.fullmatch(tag.rest):
            tag.end = index
        index = max(index, tag.end) + 1
    return found


def _own_ends(lines: list[str]) -> dict[str, list[int]]:
    matches = [_OPEN.match(line[:1000]) for line in lines if "until" in line[:700]]
    ends: dict[str, list[int]] = {_attributes(match[2]).get("until", ""): [] for match in matches if match}
    for index, line in enumerate(lines):
        if line in ends:
            ends[line].append(index)
    return ends


def _first(numbers: list[int], least: int, otherwise: int) -> int:
    at = bisect_left(numbers, least)
    return numbers[at] if at < len(numbers) else otherwise


def _balance(found: list[_Tag], lines: list[str]) -> None:
    """Gives every tag the closing line that balances it, or a later lone one when more of the file stands before that."""
    opening = {tag.line: tag for tag in found}
    waiting: list[_Tag] = []
    outer: _Tag | None = None
    last_close = index = -1
    while (index := index + 1) < len(lines):
        tag = opening.get(index)
        if tag is not None:
            if tag.end < 0:
                waiting.append(tag)
            else:
                index = tag.end
            outer = None
        elif lines[index].startswith("</") and (match := _CLOSE.fullmatch(lines[index])):
            kind = match[1].lower()
            if waiting and waiting[-1].kind == kind:
                outer = waiting.pop()
                outer.end = index
            elif outer is not None and outer.kind == kind and not waiting and any(line.strip() for line in lines[last_close + 1 : index]):
                outer.end = index
            last_close = index


def _close_loosely(found: list[_Tag], lines: list[str]) -> None:
    """A tag without a closing line of its own may be closed at the end of a line, before the next tag."""
    loose = [index for index, line in enumerate(lines) if "</" in line and _LOOSE_CLOSE.fullmatch(line) and not _CLOSE.fullmatch(line)]
    for tag, following in zip(found, [*(tag.line for tag in found[1:]), len(lines)], strict=True):
        if tag.end < 0 and (end := _first(loose, tag.line + 1, len(lines))) < following:
            tag.end = end


def _outermost(found: list[_Tag]) -> Iterator[_Tag]:
    """The tags that no closed tag encloses. One that was never closed ends where the next begins."""
    beyond = -1
    outer = []
    for tag in found:
        if tag.line > beyond:
            outer.append(tag)
            beyond = max(beyond, tag.end) if tag.end >= 0 else beyond
    for number, tag in enumerate(outer):
        if tag.end < 0 and number + 1 < len(outer):
            tag.attributes["unclosed"] = "yes"
            tag.end = outer[number + 1].line
        yield tag


def _piece(tag: _Tag, lines: list[str]) -> Iterator[Piece]:
    name = _name(tag.attributes)
    cut = not 0 <= tag.end < len(lines)
    end = len(lines) if cut else tag.end
    if tag.end == tag.line:
        body = match[1] if (match := _LOOSE_CLOSE.fullmatch(tag.rest)) else ""
    else:
        content = [tag.rest] * bool(tag.rest.strip()) + lines[tag.line + 1 : end]
        last = lines[end] if not cut else ""
        if (
            not cut
            and not _OPEN.match(last[:1000])
            and "until" not in tag.attributes
            and (match := _LOOSE_CLOSE.fullmatch(last))
            and match[1].strip()
        ):
            content.append(match[1])
        body = "\n".join(content)
    unclosed = cut or "unclosed" in tag.attributes
    if tag.kind == "delete" or tag.attributes.get("action", "").lower() == "delete":
        for each in [name] if name else body.split("\n"):
            if each.strip():
                yield Piece(each.strip(), kind="delete")
    elif source := tag.attributes.get("from"):
        yield Piece(name, kind="copy", source=source)
    elif tag.kind == "edit":
        yield Piece(name, body, kind="edit", cut=unclosed)
    else:
        exact = "until" in tag.attributes
        yield Piece(name, body if exact else without_cdata(body), encoding=tag.attributes.get("encoding", ""), cut=unclosed, exact=exact)


def without_cdata(body: str) -> str:
    """The content of a body that is one CDATA section (or several, as `]]>` is written in XML)."""
    inner = body.strip()
    if not inner.startswith("<![CDATA["):
        return body
    inner = inner.removeprefix("<![CDATA[").removesuffix("]]>")
    return inner.replace("]]]]><![CDATA[>", "]]>").removeprefix("\n")


def _attributes(text: str) -> dict[str, str]:
    return {key.lower(): a or b or c for key, a, b, c in _ATTRIBUTE.findall(text)}


def _name(attributes: dict[str, str]) -> str:
    return next((attributes[key] for key in _NAME_KEYS if attributes.get(key)), "")


def _is_tag(kind: str, attributes: dict[str, str]) -> bool:
    return kind.lower() == "delete" or bool(_name(attributes))
