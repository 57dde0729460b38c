"""A picture of some digits, a little shaken and strewn with dots."""

from __future__ import annotations

import struct
import zlib
from random import Random
from typing import Any

# Five columns by seven rows; a bit is a dot of ink.
GLYPHS = {
    "2": (14, 17, 1, 2, 4, 8, 31),
    "3": (31, 2, 4, 2, 1, 17, 14),
    "4": (2, 6, 10, 18, 31, 2, 2),
    "5": (31, 16, 30, 1, 1, 17, 14),
    "6": (6, 8, 16, 30, 17, 17, 14),
    "7": (31, 1, 2, 4, 8, 8, 8),
    "8": (14, 17, 17, 14, 17, 17, 14),
    "9": (14, 17, 17, 15, 1, 2, 12),
}  # 0 and 1 are left out: they are read as letters
SCALE, GAP, MARGIN = 6, 10, 14  # pixels


def make(dice: Random, *, length: int = 5, dots: int = 60) -> dict[str, Any]:
    """`png`, the `digits` in it (a text, at most 12), `width` and `height` in pixels."""
    digits = "".join(dice.choice(sorted(GLYPHS)) for _ in range(min(length, 12)))
    width, height = 2 * MARGIN + len(digits) * (5 * SCALE + GAP) - GAP, 2 * MARGIN + 7 * SCALE
    ink = {(dice.randrange(width), dice.randrange(height)) for _ in range(dots)}
    for place, digit in enumerate(digits):
        left, top = MARGIN + place * (5 * SCALE + GAP) + dice.randint(-3, 3), MARGIN + dice.randint(-8, 8)
        for row, bits in enumerate(GLYPHS[digit]):
            for column in range(5):
                if bits >> (4 - column) & 1:
                    ink |= {(left + column * SCALE + x, top + row * SCALE + y) for x in range(SCALE) for y in range(SCALE)}
    return {"png": _png(width, height, ink), "digits": digits, "width": width, "height": height}


def _png(width: int, height: int, ink: set[tuple[int, int]]) -> bytes:
    """Grey, one byte a pixel (https://www.w3.org/TR/png-3/). Stored and not deflated, since libraries deflate to different bytes."""
    lines = b"".join(b"\0" + bytes(40 if (x, y) in ink else 245 for x in range(width)) for y in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(lines, 0)) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
