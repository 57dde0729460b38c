"""The shapes that a model's answer comes in, one module each. A reader takes the text and gives the pieces it finds, or none when the text has
another shape; which of them to try first is decided here.

What opens first is the container, and everything inside it is content: a README in a `<file>` tag may show fences, a page in a fence may show
tags. The one exception is a fence of a plan (a drawing of the folders, a command), which does not hide the tags that follow it.
"""

from __future__ import annotations

from collections.abc import Callable

from tasks.generators.answer_shapes import document, elements, fences, json_files, markers, patches, tags
from tasks.generators.answer_shapes.names import name_in_info, names_of_line
from tasks.generators.answer_shapes.pieces import Piece

READERS: dict[str, Callable[[str], list[Piece]]] = {
    "tags": tags.read,
    "elements": elements.read,
    "markers": markers.read,
    "json": json_files.read,
    "document": document.read,
    "fences": fences.read,
    "patches": patches.read,
}

_OPENERS = frozenset('<&{["-=*#~Ffd')  # no container opens with another character; most lines are passed over by it


def read(text: str) -> tuple[str, list[Piece]]:
    """The shape's name and its pieces; `("", [])` when no reader knows the text."""
    rest: tuple[str, list[Piece]] | None = None
    for shape in candidates(text):
        pieces = READERS[shape](text)
        if any(piece.kind != "dropped" for piece in pieces):
            return shape, pieces
        rest = rest or (shape, pieces) if pieces else rest
    return rest or ("", [])


def candidates(text: str) -> list[str]:
    """The shapes to try, the likeliest first."""
    lines = text.split("\n")
    seen: dict[str, float] = {}
    fence: fences.Opening | None = None
    fence_at = 0
    first_inside = False
    for index, line in enumerate(lines):
        if fence is not None and fences.closes(line, fence):
            fence = None
            continue
        if fence is None and (opening := fences.opening(line)):
            fence, fence_at, first_inside = opening, index, True
            seen.setdefault("fences", index)
            continue
        if not line.strip() or (fence is not None and not first_inside):
            continue
        for shape in _opened_by(line, lines, index):
            if fence is None:
                seen.setdefault(shape, index)
            elif shape in {"tags", "elements", "markers"} or (shape == "json" and not _is_named(lines, fence_at, fence)):
                seen.setdefault(shape, fence_at - 0.5)
        first_inside = False
    marked = [seen[shape] for shape in ("tags", "elements", "markers") if shape in seen]
    if "fences" in seen and marked:
        seen["fences"] = max(seen["fences"], min(marked) + 1)
    if "tags" in seen and "elements" in seen:
        seen["elements"] = max(seen["elements"], seen["tags"] + 1)
    if "markers" in seen and "document" in seen:  # a page, then a separator and the next file
        seen["document"] = max(seen["document"], seen["markers"] + 1)
    return sorted(seen, key=lambda shape: seen[shape])


def _opened_by(line: str, lines: list[str], index: int) -> list[str]:
    start = line.lstrip()[:200]
    shapes: list[str] = []
    if start[:1] not in _OPENERS:
        return shapes
    if start.startswith(("<", "&lt;")):
        if tags.opens(line):
            shapes.append("tags")
        if elements.opens(line):
            shapes.append("elements")
        if document.opens(line):
            shapes.append("document")
    if start.startswith(("{", "[", '"{')):
        shapes.append("json")
    if markers.opens(lines, index):
        shapes.append("markers")
    if patches.opens(lines, index):
        shapes.append("patches")
    return shapes


def _is_named(lines: list[str], index: int, fence: fences.Opening) -> bool:
    above = next((line for line in reversed(lines[max(0, index - 3) : index]) if line.strip()), "")
    return bool(name_in_info(fence.info) or names_of_line(above).strong)
