"""Excel workbooks (.xlsx) from strangers: read within limits, as rows of text or as CSV."""

from __future__ import annotations

import csv
import datetime as dt
import io
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tasks.errors import AttachmentUnusable
from tasks.files.tables import MAX_CELLS
from tasks.files.zips import UNREADABLE

MAX_UNPACKED = 40 * 1024 * 1024  # bytes of a workbook's parts, by the archive's own figures (zipfile never unpacks more than those)
MAX_PARTS = 1_000
# What openpyxl raises on files that are not what they say, found by cutting and flipping bytes; none of it is our bug.
_BROKEN = (*UNREADABLE, ArithmeticError, AttributeError, LookupError, SyntaxError, TypeError)


@contextmanager
def workbook(data: bytes) -> Iterator[Any]:
    """An open workbook, cached values instead of formulas. Everything that is wrong with the file is `AttachmentUnusable`."""
    import openpyxl  # a fifth of a second, which a process pays only when it opens a workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
        if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED:
            raise AttachmentUnusable(f"The workbook unpacks to more than {MAX_UNPACKED // 1024 // 1024} MB; send a smaller one.")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl tells of styles and extensions that it leaves out
            book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
            try:
                yield book
            finally:
                book.close()
    except (*_BROKEN, InvalidFileException) as error:
        raise AttachmentUnusable(f"The workbook cannot be read ({type(error).__name__}); save it again as .xlsx or send it as CSV.") from error


def sheet_rows(sheet: Any) -> Iterator[list[str]]:
    """The rows of a sheet as text, at most `MAX_CELLS` cells. The sheet's own word on its size is not believed: it may claim a million columns."""
    sheet.reset_dimensions()
    cells = 0
    for row in sheet.iter_rows(values_only=True):
        cells += len(row) + 1
        if cells > MAX_CELLS:
            raise AttachmentUnusable(f"The sheet {sheet.title!r} has more than {MAX_CELLS:,} cells; send a smaller one.")
        yield [cell_text(value) for value in row]


def cell_text(value: Any) -> str:
    """A cell as CSV has it: whole numbers without `.0`, dates in ISO form, nothing for an empty one."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat(sep=" ")
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return str(value)


def xlsx_to_csv(data: bytes) -> bytes:
    """The first sheet as UTF-8 CSV with `\\n` line ends, rows of one width, empty rows and columns at the end left out.

    Raises `AttachmentUnusable` for what is not a workbook, has no table or is too large."""
    with workbook(data) as book:
        if not book.worksheets:
            raise AttachmentUnusable("The workbook has no sheet with cells.")
        rows = list(sheet_rows(book.worksheets[0]))
    while rows and not any(rows[-1]):
        rows.pop()
    width = max((index for row in rows for index, cell in enumerate(row, 1) if cell), default=0)
    if not width:
        raise AttachmentUnusable("The first sheet of the workbook is empty.")
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows((row + [""] * width)[:width] for row in rows)
    return out.getvalue().encode("utf-8", errors="replace")
