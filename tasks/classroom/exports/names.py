"""File names made of e-mail addresses: one path segment each, safe on every system, different for different addresses."""

from __future__ import annotations

import re
from collections.abc import Iterable

_UNSAFE = re.compile(r"[^A-Za-z0-9@._+-]")
MOST_CHARACTERS = 100
# https://learn.microsoft.com/windows/win32/fileio/naming-a-file: these are devices, whatever follows a dot
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def segment(text: str) -> str:
    """`text` as one path segment: no separator, not hidden, no device, no dot at the end."""
    plain = _UNSAFE.sub("_", text)[:MOST_CHARACTERS].strip(".")
    return f"_{plain}" if not plain or plain.startswith("-") or _DEVICES.fullmatch(plain) else plain


def folders(texts: Iterable[str]) -> dict[str, str]:
    """A segment for each text; a number at the end keeps those apart that would be the same, capitals or not."""
    taken: set[str] = set()
    found: dict[str, str] = {}
    for text in texts:
        name, number = segment(text), 2
        while name.casefold() in taken:
            name, number = f"{segment(text)}-{number}", number + 1
        taken.add(name.casefold())
        found[text] = name
    return found
