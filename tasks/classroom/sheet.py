"""The form's sheet as rows: which separator, which columns, which line of the file.

In: the text of a CSV file as Google Forms, a spreadsheet or a person wrote it. Out: `Sheet`, or `SheetRefused`. What a row means, and whether it
is right, is `tasks/classroom/rows.py`'s part. Messages quote no cell: where columns are shifted, any cell may be somebody's secret.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from tasks.errors import SheetRefused

COLUMNS = ("timestamp", "email", "endpoint", "secret")
NEEDED = ("email", "endpoint", "secret")
MAX_BYTES = 2_000_000
MAX_ROWS = 10_000
SEPARATORS = ",;\t|"

# How the columns are called elsewhere, in letters and digits only; the first that fits a heading wins.
OTHER_NAMES = {
    "timestamp": ("time", "datetime", "date", "submittedat", "submissiontime"),
    "email": ("emailaddress", "mail", "emailid", "studentemail", "username"),
    "endpoint": ("apiurl", "apiendpoint", "endpointurl", "apiendpointurl", "readyurl", "url"),
    "secret": ("secretkey", "sharedsecret", "studentsecret", "yoursecret"),
}
# A form's headings are questions: "What is the URL of your API endpoint?"
IN_A_QUESTION = {
    "timestamp": re.compile(r"\btime ?stamp\b"),
    "email": re.compile(r"\be-?mail\b"),
    "endpoint": re.compile(r"\bend ?point\b|\bapi\b.*\bur[li]\b|\bur[li]\b.*\bapi\b"),
    "secret": re.compile(r"\bsecret\b"),
}


@dataclass(frozen=True)
class Line:
    """One row. `number` is the line of the file that it begins in; `cells` has every known column, empty where the sheet has none."""

    number: int
    cells: dict[str, str] = field(repr=False)
    surplus: int = 0  # cells beyond the header's, which hold something


@dataclass(frozen=True)
class Sheet:
    columns: tuple[str, ...]
    lines: tuple[Line, ...]


def decode(content: bytes) -> str:
    """The text of an uploaded file: UTF-8, or UTF-16 as Excel's "Unicode text"."""
    if len(content) > MAX_BYTES:
        raise SheetRefused(f"The file has {len(content):,} bytes; at most {MAX_BYTES:,} are taken. Export only the form's sheet.")
    if content.startswith(b"PK\x03\x04"):
        raise SheetRefused("This is a workbook or an archive, not CSV: save the sheet as CSV (comma separated) and upload that.")
    utf16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return content.decode("utf-16" if utf16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise SheetRefused(f"The file is not UTF-8 (byte {error.start + 1:,}): save it as “CSV UTF-8”.") from None


def read(text: str) -> Sheet:
    """The rows below the header, blank ones left out."""
    if len(text) > MAX_BYTES:
        raise SheetRefused(f"The sheet has {len(text):,} characters; at most {MAX_BYTES:,} are taken. Export only the form's sheet.")
    text = text.removeprefix("\ufeff")
    places, separator = _header(text)
    rows = _rows(text, separator)
    width = len(next(rows)[1])
    lines: list[Line] = []
    for number, row in rows:
        if len(lines) == MAX_ROWS:
            raise SheetRefused(f"The sheet has more than {MAX_ROWS:,} rows: split it into several files.")
        cells = {name: row[place] if place is not None and place < len(row) else "" for name, place in places.items()}
        lines.append(Line(number, cells, surplus=sum(bool(cell.strip()) for cell in row[width:])))
    return Sheet(tuple(name for name in COLUMNS if places[name] is not None), tuple(lines))


def _rows(text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Each row that holds something, with the line that it begins in."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    while True:
        begin = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error:
            raise SheetRefused(
                f"The row that begins in line {begin} cannot be read: a quotation mark is not closed, or stands inside of a value. "
                'Put the value in quotation marks and double those inside of it: "a ""quoted"" word".'
            ) from None
        if any(cell.strip() for cell in row):
            yield begin, row


def _header(text: str) -> tuple[dict[str, int | None], str]:
    """Where each column is, and the separator that shows most of them."""
    best: dict[str, int | None] = {}
    chosen, held = "", 0
    problem: SheetRefused | None = None
    for separator in SEPARATORS:
        try:
            first = next(_rows(text, separator), None)
            if first is None:
                raise SheetRefused("The sheet is empty: it must begin with the line timestamp,email,endpoint,secret.")
            places = _places(first[1])
        except SheetRefused as error:
            problem = problem or error
            continue
        found = sum(place is not None for place in places.values())
        if found > held:
            best, chosen, held = places, separator, found
    missing = [name for name in NEEDED if best.get(name) is None]
    if not missing:
        return best, chosen
    if problem and held < 2:
        raise problem
    raise SheetRefused(
        f"The first line does not name the column{'s' if len(missing) > 1 else ''} {' and '.join(missing)}: "
        "it must be the header, such as timestamp,email,endpoint,secret."
    )


def _places(header: list[str]) -> dict[str, int | None]:
    """A heading that could be several columns is none: cut with another separator, the whole header is one cell."""
    places = {name: _place(name, header) for name in COLUMNS}
    times = Counter(places.values())
    return {name: place if times[place] == 1 else None for name, place in places.items()}


def _place(name: str, header: list[str]) -> int | None:
    plain = ["".join(char for char in cell.lower() if char.isalnum()) for cell in header]
    asked = [" ".join(cell.lower().replace("_", " ").split()) for cell in header]
    for fitting in (
        [place for place, cell in enumerate(plain) if cell == name],
        *([place for place, cell in enumerate(plain) if cell == other] for other in OTHER_NAMES[name]),
        [place for place, cell in enumerate(asked) if IN_A_QUESTION[name].search(cell) and "@" not in cell],
    ):
        if len(fitting) > 1:
            both = " and ".join(str(place + 1) for place in fitting)
            raise SheetRefused(f"The columns {both} could both be the {name}: rename the right one to {name} in the header.")
        if fitting:
            return fitting[0]
    return None
