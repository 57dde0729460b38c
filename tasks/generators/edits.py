"""Puts a model's partial changes into a file: SEARCH/REPLACE blocks and unified diffs.

Models quote code almost, but not quite, as it stands, so matching is lenient in steps: exactly, then without trailing blanks, then without
indentation (the replacement is moved to the indentation found). At every step the quoted lines must stand in one place only: a change put in the
wrong place is worse than one refused, since the caller can ask for the whole file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

_SEARCH = re.compile(r"<{5,9}[ \t]*(?:SEARCH|ORIGINAL|HEAD|OLD)?[ \t]*:?[ \t]*", re.IGNORECASE)
_DIVIDER = re.compile(r"={5,9}[ \t]*")
_REPLACE = re.compile(r">{5,9}[ \t]*(?:REPLACE|UPDATED|NEW)?[ \t]*:?[ \t]*", re.IGNORECASE)
_HUNK = re.compile(r"@@+(?: -(\d+)(?:,(\d+))? \+\d+(?:,\d+)?)?.*")


class EditFailed(Exception):
    """A change does not fit the file. `block` counts from 1."""

    def __init__(self, block: int, reason: str) -> None:
        self.block = block
        self.reason = reason
        super().__init__(f"change {block}: {reason}")


@dataclass(frozen=True)
class Block:
    """Lines to find and lines to put in their place. `others` are further readings of the same text, when the divider occurs more than once."""

    search: tuple[str, ...]
    replace: tuple[str, ...]
    others: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = ()


def read_blocks(text: str) -> list[Block]:
    """The SEARCH/REPLACE blocks of a text; whatever stands between them (prose, fences) is skipped. `EditFailed` when the last one is cut off."""
    blocks: list[Block] = []
    inside: list[str] | None = None
    for line in text.split("\n"):
        if inside is None:
            inside = [] if is_search(line) else None
        elif _REPLACE.fullmatch(line):
            blocks.append(_block(inside, len(blocks) + 1))
            inside = None
        else:
            inside.append(line)
    if inside is not None:
        raise EditFailed(len(blocks) + 1, "it is cut off before its REPLACE line")
    return blocks


def is_search(line: str) -> bool:
    """Is this the line that opens a block?"""
    return len(line) < 40 and _SEARCH.fullmatch(line) is not None


def begins_with_block(text: str) -> bool:
    """Is this text made of blocks? A document that shows one further down is not."""
    return any(is_search(line) for line in text.lstrip("\n").split("\n", 3)[:3])


def apply_edits(old: str, blocks: Iterable[Block | tuple[str, str]]) -> str:
    """`old` with every block applied in turn; a block may be a pair of texts. `EditFailed` names the first one that does not fit.

    An empty search part is only good for an empty file."""
    lines = _lines(old)
    for number, given in enumerate(blocks, 1):
        block = given if isinstance(given, Block) else Block(tuple(_lines(given[0])), tuple(_lines(given[1])))
        failure: EditFailed | None = None
        for search, replace in reversed([(block.search, block.replace), *block.others]):  # the longest search that fits says most
            try:
                lines = _replaced(lines, list(search), list(replace), number)
                break
            except EditFailed as error:
                failure = error
        else:
            raise failure or EditFailed(number, "it is empty")
    return _text(lines)


def apply_unified_diff(old: str, diff: str) -> str:
    """`old` with every hunk applied. Line numbers only choose between equal places, since models count badly; when a hunk does not fit with all
    of its context, it is tried with less. `EditFailed` names the first hunk that fits nowhere or, without any context, in several places."""
    lines = _lines(old)
    for number, (start, hunk) in enumerate(_hunks(diff), 1):
        lines = _with_hunk(lines, hunk, start, number)
    return _text(lines)


def _block(inside: list[str], number: int) -> Block:
    dividers = [index for index, line in enumerate(inside) if line.strip() == "======="]
    dividers = dividers or [index for index, line in enumerate(inside) if _DIVIDER.fullmatch(line)]
    if not dividers:
        raise EditFailed(number, "it has no ======= line")
    readings = [(tuple(inside[:index]), tuple(inside[index + 1 :])) for index in dividers[:20]]
    return Block(*readings[0], others=tuple(readings[1:]))


def _replaced(lines: list[str], search: list[str], replace: list[str], number: int) -> list[str]:
    if not any(line.strip() for line in search):
        if any(line.strip() for line in lines):
            raise EditFailed(number, "its SEARCH part is empty, but the file is not")
        return replace
    for find in (_same, str.rstrip, str.strip):
        places = _places(lines, search, find)
        if len(places) > 1:
            raise EditFailed(number, "the lines to replace occur more than once")
        if places:
            start, end = places[0], places[0] + len(search)
            return lines[:start] + (_moved(replace, search, lines[start:end]) if find is str.strip else replace) + lines[end:]
        if find is _same and len(search) == 1 and (joined := _text(lines)).count(search[0]) == 1:
            return _lines(joined.replace(search[0], "\n".join(replace)))
    trimmed = _without_blank_ends(search)
    if len(trimmed) < len(search):
        return _replaced(lines, trimmed, _without_blank_ends(replace), number)
    raise EditFailed(number, "the lines to replace are not in the file")


def _places(lines: list[str], search: list[str], key: Callable[[str], str], most: int = 2) -> list[int]:
    """Where `search` starts in `lines`, at most `most` places. On joined text, because str.find is linear where comparing windows is not."""
    text = "\n" + "\n".join(map(key, lines)) + "\n"
    wanted = "\n" + "\n".join(map(key, search)) + "\n"
    found: list[int] = []
    line = position = 0
    while len(found) < most and (at := text.find(wanted, position)) >= 0:
        line += text.count("\n", position, at)
        found.append(line)
        line += 1
        position = at + 1
    return found


def _moved(replace: list[str], search: list[str], found: list[str]) -> list[str]:
    """The replacement with the indentation that the found lines have and the quoted ones have not."""
    quoted, real = next(((a, b) for a, b in zip(search, found, strict=True) if a.strip()), ("", ""))
    before, after = _indent(quoted), _indent(real)
    return [after + line[len(before) :] if line.startswith(before) and line.strip() else line for line in replace]


def _with_hunk(lines: list[str], hunk: list[tuple[str, str]], start: int, number: int) -> list[str]:
    if all(sign == "+" for sign, _ in hunk):
        if any(line.strip() for line in lines):
            raise EditFailed(number, "it only adds lines and does not say where")
        return [line for _, line in hunk]
    before = next((index for index, (sign, _) in enumerate(hunk) if sign != " "), len(hunk))
    after = next((index for index, (sign, _) in enumerate(reversed(hunk)) if sign != " "), len(hunk))
    failure = "its lines are not in the file"
    for less in range(max(before, after) + 1):
        part = hunk[min(less, before) : len(hunk) - min(less, after)]
        search = [line for sign, line in part if sign != "+"]
        replace = [line for sign, line in part if sign != "-"]
        if not any(line.strip() for line in search):
            break
        for find in (_same, str.rstrip, str.strip):
            places = _places(lines, search, find, 50)
            if not places:
                continue
            if len(places) > 1 and not (start and less == 0):
                failure = "its lines occur more than once"
                break
            at = min(places, key=lambda place: abs(place + 1 - start)) if len(places) > 1 else places[0]
            end = at + len(search)
            return lines[:at] + (_moved(replace, search, lines[at:end]) if find is str.strip else replace) + lines[end:]
    raise EditFailed(number, failure)


def _hunks(diff: str) -> Iterator[tuple[int, list[tuple[str, str]]]]:
    start = 0
    hunk: list[tuple[str, str]] | None = None
    for line in diff.rstrip("\n").split("\n"):
        if match := _HUNK.fullmatch(line):
            if hunk:
                yield start, _trimmed(hunk)
            start, hunk = int(match[1] or 0), []
        elif line.startswith(("--- ", "+++ ")) and not hunk:
            continue
        elif hunk is not None and not line.startswith("\\"):
            hunk.append((line[0], line[1:]) if line[:1] in {"+", "-", " "} else (" ", line))
    if hunk is None:
        raise EditFailed(1, "the diff has no @@ line")
    if hunk:
        yield start, _trimmed(hunk)


def _trimmed(hunk: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Without the blank lines after it, which belong to the text around the hunk."""
    while len(hunk) > 1 and hunk[-1] == (" ", ""):
        hunk.pop()
    return hunk


def _without_blank_ends(lines: list[str]) -> list[str]:
    full = [index for index, line in enumerate(lines) if line.strip()]
    return lines[full[0] : full[-1] + 1] if full else []


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _same(line: str) -> str:
    return line


def _lines(text: str) -> list[str]:
    return text.removesuffix("\n").split("\n") if text else []


def _text(lines: list[str]) -> str:
    return "\n".join(lines) + "\n" if lines else ""
