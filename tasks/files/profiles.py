"""What the model is told of an attachment: enough to write a page that uses it, in at most about four kilobytes.

A profile never fails: a file that cannot be read says so in its own profile."""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from pathlib import PurePosixPath
from typing import Any

from tasks.errors import AttachmentUnusable
from tasks.files.images import size
from tasks.files.sniff import TEXT_TYPES, XLSX, Text, text_of
from tasks.files.tables import csv_rows, delimiter, summary
from tasks.files.workbooks import sheet_rows, workbook, xlsx_to_csv
from tasks.files.zips import UNREADABLE

__all__ = ["profile", "xlsx_to_csv"]

MAX_BYTES = 4000
HEAD_BYTES = 3000
HEAD_LINES = 90
MAX_SHEETS = 6
_IMAGE_ENDINGS = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".bmp": "image/bmp",
    ".svg": "image/svg+xml",
}


def profile(data: bytes, media_type: str, path: str) -> str:
    """Lines of plain text about the file, the most useful first."""
    if not data:
        return "The file is empty (0 bytes)."
    if media_type == XLSX:
        lines = _workbook(data)
    elif media_type.startswith("image/"):
        lines = _image(data, media_type, path)
    elif decoded := text_of(data):
        lines = _text(decoded, media_type)
    else:
        lines = _binary(data, media_type)
    return _clip("\n".join([*_lie(media_type, path), *lines]), MAX_BYTES)


def _lie(media_type: str, path: str) -> list[str]:
    """A name that promises another kind of file than the bytes are."""
    ending = PurePosixPath(path.lower()).suffix
    promised = _IMAGE_ENDINGS.get(ending) or (XLSX if ending == ".xlsx" else TEXT_TYPES.get(ending) if not media_type.startswith("text/") else "")
    if not promised or promised == media_type:
        return []
    return [f"Mind: the name ends in {ending}, but the content is {media_type}. The file is published under this name as it is."]


def _text(decoded: Text, media_type: str) -> list[str]:
    text, encoding = decoded
    if media_type in {"text/csv", "text/tab-separated-values"}:
        return _table(text, encoding, media_type)
    lines = [_counts(text, encoding)]
    room = HEAD_BYTES
    if media_type == "application/json":
        shape = _json(text)
        lines += shape
        room -= sum(len(line.encode("utf-8", errors="replace")) for line in shape)
    return [*lines, *_head(text, room)]


def _counts(text: str, encoding: str) -> str:
    count = len(text.splitlines())
    notes = [_many(count, "line"), _many(len(text.split()), "word"), _many(len(text), "character")]
    if encoding == "utf-8-sig":
        notes.append("UTF-8 with a byte order mark (strip it after reading)")
    elif encoding != "utf-8":
        notes.append(f"encoded as {encoding}, not UTF-8")
    if "\r\n" in text:
        notes.append("CRLF line ends")
    return ", ".join(notes) + "."


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _head(text: str, room: int) -> list[str]:
    lines = text.splitlines()
    head = _clip("\n".join(lines[:HEAD_LINES]), max(room, 400))
    whole = len(lines) <= HEAD_LINES and len(head) >= len("\n".join(lines))
    return ["The whole file:" if whole else "It begins:", head]


def _table(text: str, encoding: str, media_type: str) -> list[str]:
    separator = delimiter(text, "\t" if media_type == "text/tab-separated-values" else ",")
    lines = [_counts(text, encoding)]
    if separator != ",":
        lines.append(f"Fields are separated by {separator!r}.")
    if '"' in text:
        lines.append("Some fields are quoted; split them with a CSV parser, not at each separator.")
    try:
        lines += summary(csv_rows(text, separator))
    except AttachmentUnusable as error:
        lines.append(error.message)
    room = min(1200, MAX_BYTES - sum(len(line.encode("utf-8", errors="replace")) for line in lines) - 100)
    return [*lines, "First lines:", _clip("\n".join(text.splitlines()[:10]), room)] if room > 100 else lines


def _workbook(data: bytes) -> list[str]:
    lines: list[str] = []
    try:
        with workbook(data) as book:
            sheets = book.worksheets
            lines.append(f"Excel workbook, {_many(len(sheets), 'sheet')}. Browsers cannot read it without a library.")
            for sheet in sheets[:MAX_SHEETS]:
                lines.append(f"Sheet {sheet.title[:60]!r}:")
                try:
                    lines += summary(sheet_rows(sheet))
                    lines += ["First rows:", *_first_rows(sheet)]
                except AttachmentUnusable as error:
                    lines.append(error.message)
    except AttachmentUnusable as error:
        return [*lines, error.message, *_binary(data, XLSX)]
    if len(sheets) > MAX_SHEETS:
        lines.append(f"and {len(sheets) - MAX_SHEETS} more sheets")
    return lines


def _first_rows(sheet: Any) -> list[str]:
    shown: list[str] = []
    for row in sheet_rows(sheet):
        shown.append(_clip(" | ".join(row), 300))
        if len(shown) == 6:
            break
    return shown


def _image(data: bytes, media_type: str, path: str) -> list[str]:
    found = size(data, media_type)
    lines = [f"{media_type}, {f'{found[0]} × {found[1]} pixels' if found else 'size unknown'}, {len(data):,} bytes."]
    decoded = text_of(data) if media_type == "image/svg+xml" else None
    return [*lines, *_head(decoded.text, 2500)] if decoded else lines


def _binary(data: bytes, media_type: str) -> list[str]:
    lines = [f"{media_type}, {len(data):,} bytes, sha256 {hashlib.sha256(data).hexdigest()}."]
    if media_type == "application/zip":
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                names = archive.namelist()
            lines.append("Archive of " + _many(len(names), "file") + ": " + ", ".join(_printable(name[:80]) for name in names[:30]))
        except UNREADABLE:
            lines.append("It begins like a ZIP archive but cannot be opened.")
    return lines


def _printable(name: str) -> str:
    """A name from inside an archive: nobody has looked at it, and it must stay on its line."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in name)


# -- JSON ------------------------------------------------------------------------------------------------------------------------------


def _json(text: str) -> list[str]:
    try:
        value = json.loads(text)
        return ["Shape:", _clip(_shape(value), 1200)]
    except RecursionError:
        return ["It is nested too deeply to be described."]
    except ValueError as error:
        records = text.strip().splitlines()
        try:
            first = json.loads(records[0]) if len(records) > 1 else None
        except (ValueError, RecursionError):
            first = None
        if isinstance(first, dict):
            return [f"JSON lines: {len(records)} records, one a line. Shape of the first:", _clip(_shape(first), 1200)]
        return [f"It is not valid JSON: {re.sub(r' +', ' ', str(error))[:200]}."]


def _shape(value: Any, depth: int = 0) -> str:
    if isinstance(value, dict):
        if depth >= 5:
            return f"object of {len(value)} keys"
        shown = [f"{json.dumps(str(key)[:60], ensure_ascii=False)}: {_shape(item, depth + 1)}" for key, item in list(value.items())[:30]]
        return "{" + ", ".join(shown + ([f"… {len(value) - 30} more keys"] if len(value) > 30 else [])) + "}"
    if isinstance(value, list):
        if not value:
            return "empty list"
        if depth >= 5:
            return f"list of {len(value)}"
        kinds = {type(item) for item in value[:1000]}
        of = _shape(value[0], depth + 1) + ("" if len(kinds) == 1 else " and other types")
        return f"list of {len(value)} × {of}"
    if isinstance(value, str):
        return f"text {json.dumps(value[:30], ensure_ascii=False)}" if depth <= 2 else "text"
    if value is None:
        return "null"
    return f"true/false ({json.dumps(value)})" if isinstance(value, bool) else f"number {str(value)[:25]}"


def _clip(text: str, limit: int) -> str:
    """At most `limit` bytes of UTF-8, cut between characters, with a mark where it was cut."""
    raw = text.encode("utf-8", errors="replace")
    return text if len(raw) <= limit else raw[: limit - 3].decode("utf-8", errors="ignore").rstrip() + "…"
