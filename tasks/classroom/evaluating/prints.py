"""Prints of a student's files, for hints at similarity: marks that two texts share where they share a passage.

Winnowing (Schleimer, Wilkerson, Aiken: Winnowing, 2003): of the hashes of all k-grams, the smallest of each window. A passage of `GRAM + WINDOW - 1`
characters that stands in both texts leaves a mark in both. What was sent to everybody leaves none.
"""

from __future__ import annotations

import re
import zlib
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from tasks.files.sniff import text_of

GRAM = 24  # characters, without white space
WINDOW = 24
MOST = 400  # marks: the smallest ones, so that two texts keep the same of those they share
MAX_TEXT = 200_000  # characters of one file
SUFFIXES = frozenset((".html", ".htm", ".js", ".mjs", ".css", ".py"))
_NOT_OWN = re.compile(r"(?i)(?:.*/)?(?:licen[cs]e|readme)(?:\.\w+)?\Z")
_SPACE = re.compile(r"\s+")


def prints_of(files: Mapping[str, bytes], shas: Mapping[str, str], given: Collection[str]) -> dict[str, Any]:
    """`files`: path to blob sha of what is the student's own, README included; `marks`: of its HTML, JavaScript, CSS and Python.

    `given` are the blobs that were sent to the student."""
    own = {path: sha for path, sha in shas.items() if sha not in given and files.get(path) and not _is_license(path)}
    texts = [files[path] for path in own if PurePosixPath(path.lower()).suffix in SUFFIXES and not _NOT_OWN.match(path)]
    return {"files": own, "marks": marks(decoded.text for decoded in map(text_of, texts) if decoded)}


def marks(texts: Iterable[str]) -> list[int]:
    found: set[int] = set()
    for text in texts:
        found.update(winnow(_SPACE.sub("", text[:MAX_TEXT]).lower()))
    return sorted(found)[:MOST]


def winnow(text: str) -> Iterator[int]:
    """The smallest hash of each window of k-grams, each time that it is another one. A text shorter than a k-gram has none."""
    data = text.encode("utf-8", "replace")
    window: deque[tuple[int, int]] = deque()  # hashes that may still become the smallest, rising
    last = -1
    for at in range(len(data) - GRAM + 1):
        value = zlib.crc32(data[at : at + GRAM])
        while window and window[-1][0] >= value:
            window.pop()
        window.append((value, at))
        if window[0][1] <= at - WINDOW:
            window.popleft()
        if at >= WINDOW - 1 or at == len(data) - GRAM:
            smallest, where = window[0]
            if where != last:
                last = where
                yield smallest


def _is_license(path: str) -> bool:
    return PurePosixPath(path.lower()).name.startswith(("license", "licence"))
