"""A page that is the whole answer, with or without a sentence before and after it."""

from __future__ import annotations

import re

from tasks.files.paths import extension
from tasks.generators.answer_shapes import fences
from tasks.generators.answer_shapes.pieces import Piece

_START = re.compile(
    r"^[ \t]{0,20}(?:<\?xml[^>\n]{0,200}\?>\s{0,5}(?:<!doctype svg[^>]{0,300}>\s{0,5})?)?"
    r"(?:<!doctype html|<html\b|<svg\b|&lt;!doctype html|&lt;html\b)",
    re.IGNORECASE | re.MULTILINE,
)
_STATUS = r"(?:error\s{0,3})?[45]\d\d\b[\s:|–-]{0,5}[A-Z][a-z]+"
_DOWN = r"(?:Service|Site|Web server)[^<]{0,40}(?:unavailable|is down)|Just a moment|Attention required"
_ERROR_PAGE = re.compile(rf"<title>\s{{0,20}}(?:{_STATUS}|[^<]{{0,80}}\|\s{{0,3}}5\d\d:|{_DOWN})|<h1>\s{{0,20}}{_STATUS}", re.IGNORECASE)


def opens(line: str) -> bool:
    return _START.match(line[:200]) is not None


def read(text: str) -> list[Piece]:
    match = _START.search(text)
    if match is None:
        return []
    page = text[match.start() :]
    kind = "image.svg" if "<svg" in page[:600].lower() and "<html" not in page[:3000].lower() else "index.html"
    if is_error_page(page):
        return []
    end = _end(page, "</svg>|&lt;/svg&gt;" if kind == "image.svg" else "</html>|&lt;/html&gt;")
    rest = page[end:].partition("\n")[2] if end >= 0 else ""
    more = [piece for piece in fences.read(rest) if piece.kind == "file" and piece.name != kind] if rest.strip() else []
    return [Piece(kind, without_prose(kind, page), cut=end < 0), *more]


def is_error_page(page: str) -> bool:
    """Did a server on the way say this? Short, and its title or heading is an HTTP status."""
    return len(page) < 20_000 and _ERROR_PAGE.search(page[:4000]) is not None


def without_prose(name: str, body: str) -> str:
    """A page without what stands after its end: there the model talks to the reader, or closes a fence."""
    closing = {"html": "</html>|&lt;/html&gt;", "htm": "</html>", "svg": "</svg>|&lt;/svg&gt;"}.get(extension(name), "")
    end = _end(body, closing) if closing and body.lstrip()[:1] in {"<", "&"} else -1
    return body if end < 0 or body[end:].lstrip().startswith("<!--") else body[:end]


def _end(text: str, closing: str) -> int:
    """Where the last of these closing tags ends; -1 when there is none."""
    return max((match.end() for match in re.finditer(closing, text, re.IGNORECASE)), default=-1)
