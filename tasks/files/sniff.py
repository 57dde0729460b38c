"""What a file really is, by its bytes. Names and declared types are only believed where the bytes leave a choice (CSV or plain text)."""

from __future__ import annotations

import codecs
import io
import re
import zipfile
from pathlib import PurePosixPath
from typing import NamedTuple

from tasks.files.zips import UNREADABLE

BINARY = "application/octet-stream"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

# Offset, bytes, type. https://en.wikipedia.org/wiki/List_of_file_signatures
_SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (0, b"\0\0\1\0", "image/x-icon"),
    (4, b"ftypavif", "image/avif"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"\x1f\x8b\x08", "application/gzip"),
    (0, b"wOFF", "font/woff"),
    (0, b"wOF2", "font/woff2"),
    (0, b"\0asm", "application/wasm"),
    (0, b"ID3", "audio/mpeg"),
    (4, b"ftyp", "video/mp4"),
    (0, b"OggS", "audio/ogg"),
    (0, b"\x1a\x45\xdf\xa3", "video/webm"),
    (0, b"SQLite format 3\0", "application/vnd.sqlite3"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/vnd.ms-office"),  # the Office formats before 2007
)
_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}

TEXT_TYPES = {
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    ".json": "application/json",
    ".geojson": "application/json",
    ".md": "text/markdown",
    ".markdown": "text/markdown",
    ".html": "text/html",
    ".htm": "text/html",
    ".xml": "application/xml",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
    ".py": "text/x-python",
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".css": "text/css",
    ".txt": "text/plain",
}
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_SVG = re.compile(r"\s*(?:<\?xml[^>]*>\s*)?(?:<!DOCTYPE\s+svg[^>\[]*(?:\[[^\]]*\])?[^>]*>\s*)?<(?:\w+:)?svg[\s>/]", re.IGNORECASE)
_HTML = re.compile(r"\s*<(?:!doctype\s+html|html)\b", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


class Text(NamedTuple):
    """Decoded content and the encoding that it was in, as Python names it."""

    text: str
    encoding: str


def sniff(data: bytes, name: str) -> str:
    """The media type. `name` decides between kinds of text, never against the bytes."""
    found = _by_signature(data)
    if found:
        return found
    if data[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return _zip_type(data)
    decoded = text_of(data)
    if decoded is None:
        return "audio/mpeg" if _is_mp3_frame(data) else BINARY
    head = _COMMENT.sub("", decoded.text[:4000])
    if _SVG.match(head):
        return "image/svg+xml"
    named = TEXT_TYPES.get(PurePosixPath(name.lower()).suffix)
    if named and named != "text/plain":
        return named
    return "text/html" if _HTML.match(head) else "text/plain"


def text_of(data: bytes) -> Text | None:
    """The content as text: UTF-8 or UTF-16 by their marks, UTF-8, else Latin-1 (as Windows writes it). None: it is not text."""
    for mark, encoding in ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")):
        if data.startswith(mark):
            try:
                return _plain(data.decode(encoding), encoding)
            except UnicodeDecodeError:
                return None
    if b"\0" in data:
        return None
    try:
        return _plain(data.decode("utf-8"), "utf-8")
    except UnicodeDecodeError:
        pass
    # Every byte is a letter of some 8-bit alphabet; prose has few of them beyond ASCII, pictures and archives are full of them.
    if sum(byte > 127 for byte in data[:20_000]) > 0.3 * min(len(data), 20_000):
        return None
    try:
        return _plain(data.decode("cp1252"), "cp1252")
    except UnicodeDecodeError:
        return _plain(data.decode("latin-1"), "latin-1")


def _plain(text: str, encoding: str) -> Text | None:
    return None if len(_CONTROL.findall(text[:20_000])) > 0.002 * min(len(text), 20_000) else Text(text, encoding)


def _by_signature(data: bytes) -> str:
    for offset, mark, media_type in _SIGNATURES:
        if data.startswith(mark, offset):
            return media_type
    if data[:4] == b"RIFF":
        return _RIFF.get(data[8:12], BINARY)
    # "BM" begins many a sentence; a bitmap goes on with its own size and a header of a known length.
    if data[:2] == b"BM" and len(data) >= 26 and int.from_bytes(data[14:18], "little") in {12, 40, 52, 56, 64, 108, 124}:
        return "image/bmp"
    return ""


def _is_mp3_frame(data: bytes) -> bool:
    """An MPEG audio frame without an ID3 tag before it: eleven set bits, then version and layer that exist."""
    return len(data) > 3 and data[0] == 0xFF and data[1] & 0xE6 == 0xE2 and data[2] & 0xF0 != 0xF0


def _zip_type(data: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
    except UNREADABLE:
        return "application/zip"
    if "[Content_Types].xml" in names:
        if any(name.startswith("xl/") for name in names):
            return XLSX
        if any(name.startswith("word/") for name in names):
            return DOCX
    return "application/zip"
