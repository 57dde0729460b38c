"""A pack is measured before it is unpacked: bombs are seen, and what is no pack is the host's trouble."""

from __future__ import annotations

import hashlib
import tracemalloc
import zlib
from io import BytesIO

import pytest
from dulwich.object_format import DEFAULT_OBJECT_FORMAT
from dulwich.objects import Blob
from dulwich.pack import write_pack_objects

from tasks.classroom.evaluating import pack
from tasks.connections import TimeLimit
from tasks.errors import RemoteUnavailable, TooLarge

MB = 1024 * 1024


def packed(*contents: bytes, deltify: bool = False) -> bytes:
    out = BytesIO()
    write_pack_objects(out.write, [Blob.from_string(data) for data in contents], deltify=deltify, object_format=DEFAULT_OBJECT_FORMAT)
    return out.getvalue()


def head(kind: int, size: int) -> bytes:
    out, size = (
        [
            (kind << 4) | (size & 15),
        ],
        size >> 4,
    )
    while size:
        out[-1] |= 0x80
        out.append(size & 0x7F)
        size >>= 7
    return bytes(out)


def varint(value: int) -> bytes:
    out = []
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def whole(*objects: bytes) -> bytes:
    body = b"PACK" + (2).to_bytes(4, "big") + len(objects).to_bytes(4, "big") + b"".join(objects)
    return body + hashlib.sha1(body, usedforsecurity=False).digest()


def check(data: bytes, seconds: float = 20.0) -> None:
    pack.check(data, TimeLimit(seconds))


def test_ordinary_packs_pass_with_deltas_too() -> None:
    text = b"".join(b"line %d\n" % number for number in range(3000))
    check(packed(b"", b"one", text))
    check(packed(text, text + b"more", text.replace(b"7", b"8"), deltify=True))


def test_an_object_that_says_it_is_huge_is_refused_before_it_is_inflated() -> None:
    tracemalloc.start()
    with pytest.raises(TooLarge):
        check(whole(head(3, 10 * pack.MAX_OBJECT) + zlib.compress(bytes(100))))
    assert tracemalloc.get_traced_memory()[1] < 5 * MB
    tracemalloc.stop()


def test_an_object_that_lies_about_its_size_is_refused_and_takes_no_memory() -> None:
    bomb = whole(head(3, 1000) + zlib.compress(bytes(60 * MB)))
    tracemalloc.start()
    with pytest.raises(RemoteUnavailable):
        check(bomb)
    assert tracemalloc.get_traced_memory()[1] < 5 * MB
    tracemalloc.stop()


def test_a_small_delta_with_a_huge_result_is_refused() -> None:
    delta = varint(10) + varint(60 * MB) + b"\x90\x0a"
    entry = head(pack.REF_DELTA, len(delta)) + bytes(20) + zlib.compress(delta)
    with pytest.raises(TooLarge):
        check(whole(entry))


def test_many_objects_that_are_large_together_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pack, "MAX_UNPACKED", 2500)
    check(packed(b"a" * 1000, b"b" * 1000))
    with pytest.raises(TooLarge):
        check(packed(b"a" * 1000, b"b" * 1000, b"c" * 1000))


@pytest.mark.parametrize("data", [b"", b"PACK", b"<html>" * 20, packed(b"x" * 500)[:20], whole(head(3, 5) + b"not zlib at all"), whole(b"\xff" * 40)])
def test_what_is_no_pack_is_the_hosts_trouble(data: bytes) -> None:
    with pytest.raises((RemoteUnavailable, TooLarge)):
        check(data)


def test_the_time_for_the_clone_holds_here_too() -> None:
    with pytest.raises(RemoteUnavailable):
        check(packed(b"x"), 0.0)
