"""Phrases about a CSV file: "… has columns name and price", "… has at least 10 rows"."""

from __future__ import annotations

import re

from tasks.prose.grammar import HAS, QUOTED, Context, unquote, whole
from tasks.prose.language import Predicate
from tasks.prose.numbers import RANGE, bounds

_COLUMN = rf"(?:{QUOTED}|[A-Za-z_]\w*)"
_JOIN = r"(?:, (?:and )?| and )"
_COLUMNS = (
    rf"{HAS} (?:the )?(?:columns?|headers?|header row)(?: named| called)?:? (?P<names>{_COLUMN}(?:{_JOIN}{_COLUMN})*)",
    rf"{HAS} (?:an? |the )?(?P<names>{QUOTED}(?:{_JOIN}{QUOTED})*) columns?",
)
_ROWS = rf"{HAS} {RANGE} (?:data )?(?:rows|records)(?: of data)?(?: (?:below|besides|without|excluding) (?:the |its )?header)?"


def phrase(path: str, text: str, _context: Context) -> Predicate | None:
    """What `text`, which follows the name of a CSV file, says of it."""
    if not path.lower().endswith(".csv"):
        return None
    if match := next((found for pattern in _COLUMNS if (found := whole(pattern, text))), None):
        return {"op": "csv_columns", "path": path, "columns": [unquote(name) for name in re.split(_JOIN, match["names"])]}
    match = whole(_ROWS, text)
    limits = bounds(match) if match else None
    return {"op": "csv_rows", "path": path, **limits} if limits else None
