"""How much a pack would become, found out before anything unpacks it: some kilobytes can stand for terabytes.

https://git-scm.com/docs/gitformat-pack. Each object is inflated piece by piece and thrown away; of a delta the size of its result is read.
"""

from __future__ import annotations

import zlib

from tasks.connections import TimeLimit
from tasks.errors import RemoteUnavailable, TooLarge

MAX_OBJECTS = 100_000
MAX_OBJECT = 50 * 1024 * 1024  # bytes of one object
MAX_UNPACKED = 400 * 1024 * 1024  # bytes of all
PIECE = 64 * 1024
OFS_DELTA, REF_DELTA = 6, 7
TOO_LARGE = "Unpacked, the repository is larger than what is looked at."
BROKEN = "The repository's host sent a broken pack."


def check(data: bytes, limit: TimeLimit) -> None:
    """`TooLarge` for a pack beyond the limits, `RemoteUnavailable` for what is no pack."""
    try:
        _check(data, limit)
    except (IndexError, zlib.error) as error:
        raise RemoteUnavailable(BROKEN) from error


def _check(data: bytes, limit: TimeLimit) -> None:
    count = int.from_bytes(data[8:12], "big")
    if data[:4] != b"PACK" or len(data) < 32:
        raise RemoteUnavailable(BROKEN)
    if count > MAX_OBJECTS:
        raise TooLarge(TOO_LARGE)
    at, total = 12, 0
    for _ in range(count):
        kind, size, at = _head(data, at)
        if kind == OFS_DELTA:
            while data[at] & 0x80:
                at += 1
            at += 1
        elif kind == REF_DELTA:
            at += 20
        if size > MAX_OBJECT:
            raise TooLarge(TOO_LARGE)
        first, at = _inflate(data, at, size, limit)
        if kind in {OFS_DELTA, REF_DELTA}:
            _, after = _varint(first, 0)
            size, _ = _varint(first, after)
        total += size
        if size > MAX_OBJECT or total > MAX_UNPACKED:
            raise TooLarge(TOO_LARGE)


def _head(data: bytes, at: int) -> tuple[int, int, int]:
    """Kind and size of the object that begins there, and where its content does."""
    byte = data[at]
    kind, size, shift = byte >> 4 & 7, byte & 15, 4
    while byte & 0x80:
        at += 1
        byte = data[at]
        size |= (byte & 0x7F) << shift
        shift += 7
    return kind, size, at + 1


def _inflate(data: bytes, at: int, size: int, limit: TimeLimit) -> tuple[bytes, int]:
    """The beginning of the object's content, and where the next object begins."""
    unpacker, first, length = zlib.decompressobj(), b"", 0
    left = b""
    while not unpacker.eof:
        if limit.over:
            raise RemoteUnavailable(f"The repository could not be read within {limit.seconds:g} s.")
        if not left:
            left = data[at : at + PIECE]
            at += len(left)
            if not left:
                raise IndexError
        out = unpacker.decompress(left, PIECE)
        left = unpacker.unconsumed_tail
        first = first or out
        length += len(out)
        if length > size:
            raise RemoteUnavailable(BROKEN)
    return first, at - len(unpacker.unused_data)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value, shift = 0, 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not byte & 0x80:
            return value, at
