"""The size of a picture by its header alone."""

from __future__ import annotations

import struct

import pytest

from tasks.files.images import size
from tests.files.test_sniff import JPEG, WEBP, png


@pytest.mark.parametrize(
    ("data", "media_type", "expected"),
    [
        (png(), "image/png", (2, 1)),
        (b"GIF89a" + struct.pack("<HH", 320, 200), "image/gif", (320, 200)),
        (JPEG[:-2] + b"\xff\xfe\x00\x04hi" + b"\xff\xc2\x00\x11\x08\x00\x2c\x00\x8c\x03" + bytes(9), "image/jpeg", (140, 44)),
        (WEBP, "image/webp", (1, 1)),
        (b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + (139).to_bytes(3, "little") + (43).to_bytes(3, "little"), "image/webp", (140, 44)),
        (b"RIFF\0\0\0\0WEBPVP8 \0\0\0\0\x30\x01\0\x9d\x01\x2a" + struct.pack("<HH", 140, 44), "image/webp", (140, 44)),
        (b'<svg width="160px" height="60" viewBox="0 0 1 1">', "image/svg+xml", (160, 60)),
        (b"<?xml version='1.0'?><svg width='100%' viewBox='0,0 24.4 24'>", "image/svg+xml", (24, 24)),
        (b"<svg>", "image/svg+xml", None),
        (b"<svg width='9.9.9' height='...'>", "image/svg+xml", None),
        (b"\x89PNG\r\n\x1a\n", "image/png", None),
        (JPEG, "image/jpeg", None),
        (b"BM" + bytes(16) + struct.pack("<ii", 8, -4), "image/bmp", (8, 4)),
        (b"", "image/avif", None),
    ],
)
def test_the_size_of_a_picture_is_read_from_its_header(data: bytes, media_type: str, expected: tuple[int, int] | None) -> None:
    assert size(data, media_type) == expected
