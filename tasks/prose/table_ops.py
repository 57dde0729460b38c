"""What can be said of CSV files: columns, number of records, the same cells as a workbook."""

from __future__ import annotations

import csv
import io
from decimal import Decimal, InvalidOperation
from itertools import zip_longest

from tasks.errors import AttachmentUnusable
from tasks.files.tables import MAX_CELLS
from tasks.files.workbooks import xlsx_to_csv
from tasks.prose.file_ops import attached
from tasks.prose.json_ops import span
from tasks.prose.language import Look, Op, Predicate, Settled, Verdict, a_count, a_path, a_text, failed, passed, shown, some, undecided


def csv_equals_xlsx(predicate: Predicate, look: Look) -> Verdict:
    """Cell by cell with the workbook's first sheet; numbers by value, white space around a cell aside."""
    path, name = predicate["path"], predicate["attachment"]
    try:
        posted = attached(look, name)
    except Settled:
        if name not in look.subject.files:
            raise
        posted = look.subject.files[name]
    try:
        expected = _rows(xlsx_to_csv(posted).decode("utf-8"), name)
    except AttachmentUnusable as error:
        return undecided(f"{name} cannot be read: {error}")
    found = _records(path, look)
    if len(found) != len(expected):
        return failed(f"{path} has {len(found)} records with the header, {name} has {len(expected)}.", records=len(found), expected=len(expected))
    for number, (left, right) in enumerate(zip(found, expected, strict=True), 1):
        for column, (cell, other) in enumerate(zip_longest(left, right, fillvalue=""), 1):
            if not _same(cell, other):
                return failed(f"Record {number}, field {column} of {path} is {shown(cell)}, in {name} it is {shown(other)}.", found=shown(cell))
    return passed(f"{len(found)} records with the header are the same")


def csv_columns(predicate: Predicate, look: Look) -> Verdict:
    path, wanted = predicate["path"], predicate["columns"]
    records = _records(path, look)
    header = [cell.strip() for cell in records[0]] if records else []
    if missing := [name for name in wanted if name not in header]:
        return failed(f"{path} has no column {', '.join(missing)}.", columns=[shown(cell) for cell in header[:40]])
    return passed(columns=wanted)


def csv_rows(predicate: Predicate, look: Look) -> Verdict:
    """Records without the header."""
    path, least, most = predicate["path"], predicate.get("min", 0), predicate.get("max")
    count = max(0, len(_records(path, look)) - 1)
    if count < least or (most is not None and count > most):
        return failed(f"{path} has {count} records below its header, not {span(least, most)}.", records=count)
    return passed(f"{count} records below the header")


def _records(path: str, look: Look) -> list[list[str]]:
    return _rows(look.text(path), path)


def _rows(text: str, path: str) -> list[list[str]]:
    rows: list[list[str]] = []
    cells = 0
    try:
        for row in csv.reader(io.StringIO(text, newline=""), strict=True):
            if not any(cell.strip() for cell in row):
                continue
            cells += len(row)
            if cells > MAX_CELLS:
                raise Settled(undecided(f"{path} has more than {MAX_CELLS:,} cells and was not compared."))
            rows.append(row)
    except csv.Error as error:
        raise Settled(failed(f"{path} is not valid CSV: {error}.")) from None
    return rows


def _same(left: str, right: str) -> bool:
    left, right = left.strip(), right.strip()
    if left == right or (left.upper() in {"TRUE", "FALSE"} and left.upper() == right.upper()):
        return True
    if max(len(left), len(right)) > 40:
        return False
    try:
        return abs(Decimal(left) - Decimal(right)) <= Decimal("1e-9") * max(abs(Decimal(left)), Decimal(1))
    except (InvalidOperation, ArithmeticError):
        return False


TABLE_OPS: dict[str, Op] = {
    "csv_equals_xlsx": Op(csv_equals_xlsx, {"path": a_path, "attachment": a_path}),
    "csv_columns": Op(csv_columns, {"path": a_path, "columns": some(a_text)}),
    "csv_rows": Op(csv_rows, {"path": a_path}, {"min": a_count, "max": a_count}, at_least=("min", "max")),
}
