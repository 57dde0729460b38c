"""The Content-Type of a file, the same on every machine: for the pages that we serve and for the browser that judges them."""

from __future__ import annotations

import mimetypes
import re
from pathlib import PurePosixPath

# Python's own table, without the machine's /etc/mime.types, so that every installation answers alike; then what it lacks or has otherwise.
_TYPES = mimetypes.MimeTypes(filenames=())
for _ending, _type in {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".md": "text/markdown",
    ".csv": "text/csv",
    ".json": "application/json",
    ".geojson": "application/geo+json",
    ".map": "application/json",
    ".webmanifest": "application/manifest+json",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
    ".avif": "image/avif",
    ".ico": "image/x-icon",
    ".wasm": "application/wasm",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".ttf": "font/ttf",
    ".otf": "font/otf",
    ".yml": "text/yaml",
    ".yaml": "text/yaml",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}.items():
    _TYPES.add_type(_type, _ending)
_TEXTUAL = re.compile(r"text/|application/(javascript|manifest\+json|geo\+json|json|xml)$|image/svg\+xml$")


def media_type(name: str, data: bytes) -> str:
    """The Content-Type by the name's ending; text is always UTF-8. A name without a known ending (LICENSE) is text if its content is."""
    kind = _TYPES.types_map[True].get(PurePosixPath(name).suffix.lower())
    if kind is None:
        kind = "text/plain" if _is_text(data) else "application/octet-stream"
    return f"{kind}; charset=utf-8" if _TEXTUAL.match(kind) else kind


def _is_text(data: bytes) -> bool:
    if b"\0" in data:
        return False
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
