"""The size of a picture, read from its header. No picture is ever decoded: a header of 24 bytes can stand before four gigapixels."""

from __future__ import annotations

import re

from tasks.files.sniff import text_of

_LENGTH = re.compile(r"\s*([0-9.]{1,12})\s*(px)?\s*")
# Markers that carry the frame's size: https://www.w3.org/Graphics/JPEG/itu-t81.pdf, table B.1 (without DHT, JPG and DAC)
_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def size(data: bytes, media_type: str) -> tuple[int, int] | None:
    """Width and height in pixels, None where the header does not tell."""
    reader = _READERS.get(media_type)
    found = reader(data) if reader else None
    return found if found and found[0] > 0 and found[1] > 0 else None


def _png(data: bytes) -> tuple[int, int] | None:
    return (_big(data, 16, 4), _big(data, 20, 4)) if data[12:16] == b"IHDR" and len(data) >= 24 else None


def _gif(data: bytes) -> tuple[int, int] | None:
    return (_little(data, 6, 2), _little(data, 8, 2)) if len(data) >= 10 else None


def _bmp(data: bytes) -> tuple[int, int] | None:
    return (_little(data, 18, 4), abs(int.from_bytes(data[22:26], "little", signed=True))) if len(data) >= 26 else None


def _jpeg(data: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:  # a fill byte
            at += 1
        elif marker in _START_OF_FRAME:
            return _big(data, at + 7, 2), _big(data, at + 5, 2)
        elif marker == 0xDA:  # the picture's data begins without a frame
            return None
        else:
            at += 2 + _big(data, at + 2, 2)
    return None


def _webp(data: bytes) -> tuple[int, int] | None:
    """https://developers.google.com/speed/webp/docs/riff_container"""
    kind = data[12:16]
    if kind == b"VP8X" and len(data) >= 30:
        return _little(data, 24, 3) + 1, _little(data, 27, 3) + 1
    if kind == b"VP8L" and len(data) >= 25 and data[20] == 0x2F:
        bits = _little(data, 21, 4)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 " and len(data) >= 30 and data[23:26] == b"\x9d\x01\x2a":
        return _little(data, 26, 2) & 0x3FFF, _little(data, 28, 2) & 0x3FFF
    return None


def _svg(data: bytes) -> tuple[int, int] | None:
    decoded = text_of(data[:20_000])
    start = decoded.text.find("<svg") if decoded else -1
    if decoded is None or start < 0:
        return None
    tag = decoded.text[start : decoded.text.find(">", start) + 1]
    attributes = dict(re.findall(r"([A-Za-z]+)\s*=\s*[\"']([^\"']*)[\"']", tag))
    sides = [_LENGTH.fullmatch(attributes.get(name, "")) for name in ("width", "height")]
    if sides[0] and sides[1]:
        return _pixels(sides[0][1]), _pixels(sides[1][1])
    box = re.split(r"[\s,]+", attributes.get("viewBox", "").strip())
    return (_pixels(box[2]), _pixels(box[3])) if len(box) == 4 else None


def _pixels(text: str) -> int:
    try:
        return round(float(text))
    except (ValueError, OverflowError):
        return 0


def _big(data: bytes, at: int, length: int) -> int:
    return int.from_bytes(data[at : at + length], "big")


def _little(data: bytes, at: int, length: int) -> int:
    return int.from_bytes(data[at : at + length], "little")


_READERS = {
    "image/png": _png,
    "image/gif": _gif,
    "image/bmp": _bmp,
    "image/jpeg": _jpeg,
    "image/webp": _webp,
    "image/svg+xml": _svg,
}
