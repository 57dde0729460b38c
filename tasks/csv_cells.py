"""Tables for spreadsheets, which run a cell that begins with = + - @ as a formula: a `'` before it keeps it text.

https://owasp.org/www-community/attacks/CSV_Injection. Where a spreadsheet expects semicolons or tabs, what follows one in a text begins a cell
as well, so it is marked there too. `plain` takes the marks off again: nothing is lost on the way there and back.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

TRIGGERS = "=+\\-@＝＋－＠"  # for a character class; the wide ones are formulas to a spreadsheet set to Japanese or Chinese
BOM = "\ufeff"  # without it Excel does not read UTF-8

_FIRST = re.compile(rf"\A(?=\s*[{TRIGGERS}']|[\t\r\n])")
_LATER = re.compile(rf"([;\t\r\n] *)(?=[{TRIGGERS}'])")
_MARKED = re.compile(rf"([;\t\r\n] *)'(?=[{TRIGGERS}'])")


def cell(value: Any) -> str:
    """One value as text that no spreadsheet runs. Nothing is empty, a moment is to the second (UTC), a truth is yes or no."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = f"{value:%Y-%m-%d %H:%M:%S}" if isinstance(value, datetime) else str(value)
    return _FIRST.sub("'", _LATER.sub(r"\1'", text))


def plain(text: str) -> str:
    """The text that `cell` made this of."""
    return _MARKED.sub(r"\1", text.removeprefix("'"))


def lines(head: Iterable[str], rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    """The table as CSV (RFC 4180, every cell quoted) piece by piece, so that a long one is never held whole."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, quoting=csv.QUOTE_ALL)
    writer.writerow([cell(name) for name in head])
    yield BOM + buffer.getvalue()
    for row in rows:
        buffer.seek(0)
        buffer.truncate()
        writer.writerow([cell(value) for value in row])
        yield buffer.getvalue()
