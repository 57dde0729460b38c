"""Rows and columns: what a table holds in a few lines, and CSV in its dialects."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from itertools import islice

from tasks.errors import AttachmentUnusable

MAX_CELLS = 500_000  # of one sheet; an honest file of 5 MB has fewer
MAX_SUMMED = 200_000  # cells that a summary looks at: about two seconds
MAX_COLUMNS_SHOWN = 24
_NUMBER = re.compile(r"[+-]?(?:\d{1,25}(?:\.\d{0,25})?|\.\d{1,25})(?:[eE][+-]?\d{1,2})?")
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(?:,\d{3}){1,7}(?:\.\d{1,20})?")
_DECIMAL_COMMA = re.compile(r"[+-]?(?:\d{1,25}|\d{1,3}(?:\.\d{3}){1,7}),\d{1,20}")
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d.*)?")


@dataclass
class Column:
    """What is known of one column after reading its cells."""

    name: str
    filled: int = 0
    numbers: int = 0
    dates: int = 0
    whole: bool = True
    total: Decimal = Decimal(0)
    low: Decimal | None = None
    high: Decimal | None = None
    styles: set[str] = field(default_factory=set)
    values: dict[str, None] = field(default_factory=dict)  # the first distinct ones, in order

    def add(self, cell: str) -> None:
        text = cell.strip()
        if not text:
            return
        self.filled += 1
        if len(self.values) < 13:
            self.values.setdefault(text[:40])
        value, style = number(text)
        if value is None:
            self.dates += bool(_DATE.fullmatch(text))
            return
        self.numbers += 1
        self.total += value
        self.low = value if self.low is None else min(self.low, value)
        self.high = value if self.high is None else max(self.high, value)
        self.whole &= value == value.to_integral_value()
        if style:
            self.styles.add(style)

    def describe(self, rows: int) -> str:
        blank = f", {rows - self.filled} blank" if rows > self.filled else ""
        if not self.filled:
            return f"{self.name}: empty"
        if self.numbers == self.filled and self.low is not None and self.high is not None:
            kind = "whole numbers" if self.whole else "numbers"
            styles = "".join(f", {style}" for style in sorted(self.styles))
            return f"{self.name}: {kind}, sum {plain(self.total)}, min {plain(self.low)}, max {plain(self.high)}{styles}{blank}"
        if self.dates == self.filled:
            return f"{self.name}: dates{blank}"
        mixed = f", {self.numbers} of {self.filled} are numbers (their sum {plain(self.total)})" if self.numbers else ""
        if len(self.values) <= 12 and rows > 2:
            values = f", {len(self.values)} distinct: " + " | ".join(self.values)
        else:
            values = ""
        return f"{self.name}: text{mixed}{values}{blank}"


def number(text: str) -> tuple[Decimal | None, str]:
    """The value of a cell and how it departs from plain digits, if it does."""
    if _NUMBER.fullmatch(text):
        return Decimal(text), ""
    if _THOUSANDS.fullmatch(text):
        return Decimal(text.replace(",", "")), "written with commas between thousands"
    if _DECIMAL_COMMA.fullmatch(text):
        return Decimal(text.replace(".", "").replace(",", ".")), "written with a decimal comma"
    return None, ""


def plain(value: Decimal) -> str:
    """Digits without an exponent or zeros at the end."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def summary(rows: Iterable[Sequence[str]]) -> list[str]:
    """Lines about a table: header, rows, columns with sums. Reads at most `MAX_SUMMED` cells and says so when there are more."""
    source = iter(rows)
    first = next((row for row in source if any(cell.strip() for cell in row)), None)
    if first is None:
        return ["The table is empty."]
    headed = not all(number(cell.strip())[0] is not None for cell in first if cell.strip())
    columns = [Column(cell.strip()[:60] or f"column {index}") if headed else Column(f"column {index}") for index, cell in enumerate(first, 1)]
    count = cells = 0
    widths: Counter[int] = Counter()
    ended = True
    with localcontext() as context:
        context.prec = 60
        for row in [] if headed else [first]:
            _take(row, columns)
            count += 1
        for row in source:
            if not any(cell.strip() for cell in row):
                cells += len(row) + 1
            else:
                count += 1
                cells += len(row)
                widths[len(row)] += 1
                _take(row, columns)
            if cells > MAX_SUMMED:
                ended = False
                break
        described = [column.describe(count) for column in columns[:MAX_COLUMNS_SHOWN]]
    rows_line = f"{count} data rows" if ended else f"more than {count} data rows (sums are of the first {count})"
    lines = [f"{rows_line}, {len(columns)} columns{'' if headed else ', no header row'}:"]
    lines += [f"- {line}" for line in described]
    if len(columns) > MAX_COLUMNS_SHOWN:
        lines.append(f"- and {len(columns) - MAX_COLUMNS_SHOWN} more columns")
    if not count:
        lines.append("There is a header but no row; perhaps the line breaks were lost.")
    odd = sum(times for width, times in widths.items() if width != len(columns))
    if odd:
        lines.append(f"{odd} rows have another number of fields than the header.")
    return lines


def _take(row: Sequence[str], columns: list[Column]) -> None:
    for column, cell in zip(columns, row, strict=False):
        column.add(cell)


# -- CSV -------------------------------------------------------------------------------------------------------------------------------


def delimiter(text: str, preferred: str = ",") -> str:
    """The separator that cuts the first lines into the most even rows."""
    head = text[:20_000]
    best, best_score = preferred, 0.0
    for candidate in dict.fromkeys((preferred, ",", ";", "\t", "|")):
        try:
            widths = [len(row) for row in islice(csv.reader(io.StringIO(head, newline=""), delimiter=candidate), 20) if row]
        except csv.Error:
            continue
        width, times = Counter(widths).most_common(1)[0] if widths else (1, 1)
        score = times / len(widths) + min(width, 50) / 1000 if width > 1 else 0.0
        if score > best_score:
            best, best_score = candidate, score
    return best


def csv_rows(text: str, separator: str) -> Iterator[list[str]]:
    """The rows; `AttachmentUnusable` where a field is longer than any table's."""
    try:
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    except csv.Error as error:
        raise AttachmentUnusable(f"The table cannot be read: {error}.") from error
