"""What parent and runner say to each other: frames of a JSON object and, where there is one, its bytes. Eight bytes before them give both lengths."""

from __future__ import annotations

import json
import struct
from hashlib import blake2b
from hmac import compare_digest
from typing import Any, BinaryIO

_HEAD = struct.Struct(">II")
SEAL = 16  # bytes
MAX_JSON, MAX_BLOB = 1024 * 1024, 128 * 1024 * 1024  # a run may leave a file of 100 MB


class Broken(Exception):
    """The other side does not keep to the protocol."""


def pack(message: dict[str, Any], blob: bytes = b"") -> bytes:
    text = json.dumps(message).encode()  # ASCII: a page's lone surrogates stay escaped
    return _HEAD.pack(len(text), len(blob)) + text + blob


def read(file: BinaryIO) -> tuple[dict[str, Any], bytes]:
    """One frame from a file that holds it whole."""
    text_size, blob_size = _HEAD.unpack(file.read(_HEAD.size))
    return json.loads(file.read(text_size)), file.read(blob_size)


def seal(key: bytes, number: int, text: bytes, blob: bytes) -> bytes:
    """What shows that a frame is the next one of who has the key. `inside.py` makes it, too."""
    return blake2b(b"%d %d " % (number, len(text)) + text + blob, key=key, digest_size=SEAL).digest()


class Feed:
    """Frames out of a stream that comes in pieces. With a key each has to bear its seal at the end of its bytes."""

    def __init__(self, key: bytes = b"") -> None:
        self._buffer = bytearray()
        self._key, self._count = key, 0

    def push(self, data: bytes) -> list[tuple[dict[str, Any], bytes]]:
        """The frames that are complete now; `Broken` for one that is larger than any of ours or has another's seal."""
        self._buffer += data
        frames = []
        while len(self._buffer) >= _HEAD.size:
            text_size, blob_size = _HEAD.unpack_from(self._buffer)
            if text_size > MAX_JSON or blob_size > MAX_BLOB:
                raise Broken
            middle, end = _HEAD.size + text_size, _HEAD.size + text_size + blob_size
            if len(self._buffer) < end:
                break
            text, blob = bytes(self._buffer[_HEAD.size : middle]), bytes(self._buffer[middle:end])
            if self._key:
                blob, shown = blob[:-SEAL], blob[-SEAL:]
                if not compare_digest(shown, seal(self._key, self._count, text, blob)):
                    raise Broken
                self._count += 1
            frames.append((json.loads(text), blob))
            del self._buffer[:end]
        return frames


def whole(content: bytes) -> list[tuple[dict[str, Any], bytes]] | None:
    """The frames that these bytes are; None while the last one is not complete."""
    feed = Feed()
    found = feed.push(content)
    return None if feed._buffer else found
