"""Changes without a container: unified diffs and SEARCH/REPLACE blocks that stand in plain text, each under the name of its file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from tasks.generators.answer_shapes.names import names_of_line
from tasks.generators.answer_shapes.pieces import Piece
from tasks.generators.edits import is_search

_OLD = re.compile(r"--- (?:\"?a/)?([^\t\n]{1,200}?)\"?(?:\t.*)?")
_NEW = re.compile(r"\+\+\+ (?:\"?b/)?([^\t\n]{1,200}?)\"?(?:\t.*)?")
_GIT = re.compile(r"diff --git \"?a/.{1,200}")


def opens(lines: list[str], index: int) -> bool:
    line = lines[index][:300]
    return is_search(line) or _GIT.match(line) is not None or (_OLD.fullmatch(line) is not None and _is_new(lines, index + 1))


def read(text: str) -> list[Piece]:
    lines = text.split("\n")
    if any(is_search(line) for line in lines):
        return list(_blocks(lines))
    return list(diffs(text))


def diffs(text: str) -> Iterator[Piece]:
    """One piece a file of a unified diff. A new file comes whole, a removed one as a deletion."""
    lines = text.split("\n")
    starts = [index for index, line in enumerate(lines) if _OLD.fullmatch(line[:300]) and _is_new(lines, index + 1)]
    for start, end in pairwise([*starts, len(lines)]):
        old, new = _OLD.fullmatch(lines[start][:300]), _NEW.fullmatch(lines[start + 1][:300])
        if old is None or new is None:
            continue
        body = [line for line in lines[start + 2 : end] if not line.startswith(("diff --git ", "index ", "new file mode", "deleted file mode"))]
        while body and (not body[-1].strip() or body[-1].startswith(("```", "~~~"))):
            body.pop()
        if new[1] == "/dev/null":
            yield Piece(old[1], kind="delete")
        elif old[1] == "/dev/null":
            yield Piece(new[1], "\n".join(line[1:] for line in body if line.startswith("+")))
        else:
            yield Piece(new[1], "\n".join(body), kind="diff")


def _is_new(lines: list[str], index: int) -> bool:
    return index < len(lines) and _NEW.fullmatch(lines[index][:300]) is not None


def _blocks(lines: list[str]) -> Iterator[Piece]:
    """Blocks, each file's together. The name stands in one of the three lines above the first block."""
    name, inside = "", False
    body: list[str] = []
    for index, line in enumerate(lines):
        if not inside and is_search(line):
            above = [names_of_line(text) for text in reversed(lines[max(0, index - 3) : index])]
            found = next((named.names[0] for named in above if named.names), name)
            if found != name and body:
                yield Piece(name, "\n".join(body), kind="edit")
                body = []
            name, inside = found, True
        if inside:
            body.append(line)
            inside = not (line.startswith(">>>>>") and len(line) < 40)
    if body:
        yield Piece(name, "\n".join(body), kind="edit", cut=inside)
