"""What a check saw, as lines to read: names and values, nested ones indented, everything capped. The template escapes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from tasks.admin.columns import one_line

MOST_LINES = 120
MOST_ITEMS = 40  # of one list or object
MOST_CHARACTERS = 2_000  # of one value
DEEPEST = 5  # what lies deeper is shown as JSON

LEVELS = {"error": "red", "exception": "red", "assert": "red", "warning": "orange", "warn": "orange"}


@dataclass(frozen=True)
class Line:
    """A name with its value, or the head of what is nested below. `said` holds several lines instead, of a console in the colours of their levels."""

    name: str
    text: str
    depth: int
    said: tuple[tuple[str, str], ...] = ()

    @property
    def numbered(self) -> bool:
        """An item of a list, which needs little room for its name."""
        return self.name.endswith(".") and self.name[:-1].isdecimal()


def lines(evidence: Any) -> list[Line]:
    """Evidence of any JSON shape; an empty one gives no line."""
    if evidence in (None, "", [], {}):
        return []
    shown = list(islice(_walk("", evidence, 0), MOST_LINES + 1))
    return shown if len(shown) <= MOST_LINES else [*shown[:MOST_LINES], Line("", "… and more, kept with the check result", 0)]


def cut(text: str, length: int = MOST_CHARACTERS) -> str:
    return text if len(text) <= length else f"{text[:length]}… {len(text) - length:,} more characters"


def _walk(name: str, value: Any, depth: int) -> Iterator[Line]:
    if not isinstance(value, dict | list):
        yield Line(name, _scalar(value), depth)
    elif not value:
        yield Line(name, "none", depth)
    elif depth > DEEPEST:
        yield Line(name, one_line(json.dumps(value, ensure_ascii=False), 400), depth)
    elif isinstance(value, list) and not any(isinstance(item, dict | list) for item in value):
        texts = [_scalar(item) for item in value[:MOST_ITEMS]]
        said = tuple((LEVELS.get(text.partition(":")[0].strip().lower(), ""), text) for text in texts)
        rest = (("grey", f"… and {len(value) - MOST_ITEMS:,} more"),) if len(value) > MOST_ITEMS else ()
        yield Line(name, "", depth, said + rest)
    elif isinstance(value, dict) and name.endswith(".") and not any(isinstance(item, dict | list) for item in value.values()):
        yield Line(name, "", depth, tuple(("", f"{cut(str(key), 120)}: {_scalar(item)}") for key, item in islice(value.items(), MOST_ITEMS)))
    else:
        yield from _below(name, value, depth)


def _below(name: str, value: dict[str, Any] | list[Any], depth: int) -> Iterator[Line]:
    inner = depth
    if name:
        yield Line(name, "", depth)
        inner = depth + 1
    items = value.items() if isinstance(value, dict) else ((f"{number}.", item) for number, item in enumerate(value, 1))
    for key, item in islice(items, MOST_ITEMS):
        yield from _walk(cut(str(key), 120) or "(no name)", item, inner)
    if len(value) > MOST_ITEMS:
        yield Line("", f"… and {len(value) - MOST_ITEMS:,} more", inner)


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return cut(value) or "(empty)"
    return json.dumps(value)
