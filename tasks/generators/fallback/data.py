"""What is in the attachments, as far as the page needs to know it before it runs: which column is summed, what a filter filters."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

SAMPLE_CHARS = 500_000
SAMPLE_ROWS = 2_000
TEXT_SUFFIXES = frozenset({".txt", ".md", ".json", ".log", ".yaml", ".yml", ".xml", ".ini", ".toml", ".py"})
IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg"})
_NUMBER = re.compile(r"-?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?")


@dataclass(frozen=True)
class Table:
    """A CSV file. `numeric` are the indexes of columns that hold nothing but numbers."""

    path: str
    delimiter: str
    header: tuple[str, ...]
    numeric: tuple[int, ...]

    def column(self, words: Iterable[str]) -> int | None:
        """The column whose name is one of these words, compared without case and blanks."""
        wanted = {_key(word) for word in words}
        return next((index for index, name in enumerate(self.header) if _key(name) in wanted), None)

    def summed(self, brief: str) -> int | None:
        """The column to sum: the one that the brief calls a column, else a numeric one that it names, else the last numeric one."""
        lower = brief.lower()
        named = [
            index for index, name in enumerate(self.header) if name.strip() and re.search(rf"(?<!\w){re.escape(name.strip().lower())}(?!\w)", lower)
        ]
        for index in named:
            name = re.escape(self.header[index].strip().lower())
            if re.search(rf"(?<!\w){name}['\"`”’]?\s+column|column\s+['\"`“‘]?{name}(?!\w)", lower):
                return index
        numbers = [index for index in named if index in self.numeric]
        if numbers:
            return numbers[0]
        return self.numeric[-1] if self.numeric else None


def read_table(path: str, content: bytes) -> Table | None:
    """The table in a CSV or TSV file, None when it is not one."""
    if PurePosixPath(path).suffix.lower() not in {".csv", ".tsv"}:
        return None
    text = content.decode("utf-8-sig", "replace")[:SAMPLE_CHARS]
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t|", key=first.count) if any(sign in first for sign in ",;\t|") else ","
    try:
        rows = [row for row, _ in zip((row for row in csv.reader(io.StringIO(text), delimiter=delimiter) if row), range(SAMPLE_ROWS), strict=False)]
    except csv.Error:
        return None
    if not rows:
        return None
    header = tuple(cell.strip() for cell in rows[0])
    cells = [[row[index] for row in rows[1:] if index < len(row) and row[index].strip()] for index in range(len(header))]
    numeric = tuple(index for index, values in enumerate(cells) if values and all(_is_number(value) for value in values))
    return Table(path, delimiter, header, numeric)


def read_rates(path: str, content: bytes) -> dict[str, float] | None:
    """The exchange rates in a JSON file, `{"USD": 1, "EUR": 0.92}` or the same under "rates"; None when it holds something else."""
    if PurePosixPath(path).suffix.lower() != ".json":
        return None
    try:
        value = json.loads(content.decode("utf-8-sig"))
    except ValueError:
        return None
    if isinstance(value, dict) and isinstance(value.get("rates"), dict):
        value = value["rates"]
    if not isinstance(value, dict) or not value:
        return None
    rates = {code: rate for code, rate in value.items() if re.fullmatch(r"[A-Z]{3}", code) and isinstance(rate, int | float)}
    return rates if len(rates) == len(value) else None


def kind(path: str) -> str:
    """table, text, image or other, by the name: what the page can do with the file."""
    suffix = PurePosixPath(path).suffix.lower()
    if suffix in {".csv", ".tsv"}:
        return "table"
    return "text" if suffix in TEXT_SUFFIXES else "image" if suffix in IMAGE_SUFFIXES else "other"


def _key(text: str) -> str:
    return re.sub(r"[\s_-]+", "", text).lower()


def _is_number(value: str) -> bool:
    stripped = re.sub(r"[\s$€£¥₹%]", "", value)
    return any(char.isdigit() for char in stripped) and _NUMBER.fullmatch(stripped) is not None
