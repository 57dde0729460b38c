"""Data URIs, from the book and from the wild."""

from __future__ import annotations

import base64
import random

import pytest

from tasks.errors import AttachmentUnusable
from tasks.files.data_uri import decode, is_data_uri, prefix


@pytest.mark.parametrize(
    ("uri", "declared", "content"),
    [
        ("data:text/csv;base64,YSxiCjEsMgo=", "text/csv", b"a,b\n1,2\n"),
        ("DATA:Text/CSV;BASE64,YSxiCjEsMgo=", "text/csv", b"a,b\n1,2\n"),
        ("  data:text/csv;base64,YSxi", "text/csv", b"a,b"),
        ("data:text/plain;base64,a2VwdCBvaw", "text/plain", b"kept ok"),
        ("data:text/plain;base64,a2Vw\r\n dCBv\taw==\n", "text/plain", b"kept ok"),
        ("data:text/plain;base64,a2VwdCBvaw%3D%3D", "text/plain", b"kept ok"),
        ("data:text/plain; charset=utf-8; base64,a2VwdCBvaw==", "text/plain", b"kept ok"),
        ("data:text/plain;base64;charset=utf-8,a2VwdCBvaw==", "text/plain", b"kept ok"),
        ('data:text/plain;name="a,b.txt";base64,a2VwdCBvaw==', "text/plain", b"kept ok"),
        ("data:@file/zip;base64,UEsDBA==", "@file/zip", b"PK\x03\x04"),
        ("data:@file/x-python;base64,cHJpbnQoKQ==", "@file/x-python", b"print()"),
        ("data:;base64,aGk=", "text/plain", b"hi"),
        ("data:base64,aGk=", "text/plain", b"hi"),
        ("data:,hi", "text/plain", b"hi"),
        ("data:,", "text/plain", b""),
        ("data:text/plain;base64,", "text/plain", b""),
        ("data:text/plain;charset=utf-8,50%25%20kept%2C%20%C3%A9", "text/plain", "50% kept, é".encode()),
        ("data:text/plain,100% of it", "text/plain", b"100% of it"),
        ("data:text/plain;charset=ISO-8859-1,caf\u00e9", "text/plain", b"caf\xe9"),
        ("data:text/plain;charset=ISO-8859-1,%E9", "text/plain", b"\xe9"),
        ("data:text/plain;charset=us-ascii,\u00e9", "text/plain", "é".encode()),
        ("data:text/plain;charset=nonsense,\u00e9", "text/plain", "é".encode()),
        ("data:image/svg+xml;utf8,<svg fill='#fff'/>", "image/svg+xml", b"<svg fill='#fff'/>"),
        ("data:text/csv,a,b%0A1,2", "text/csv", b"a,b\n1,2"),
    ],
)
def test_a_data_uri_gives_its_declared_type_and_its_bytes(uri: str, declared: str, content: bytes) -> None:
    assert decode(uri) == (declared, content)


def test_every_byte_survives_the_url_safe_alphabet() -> None:
    data = bytes(range(256)) * 3
    encoded = base64.urlsafe_b64encode(data).decode()
    assert "-" in encoded
    assert "_" in encoded
    assert decode(f"data:application/octet-stream;base64,{encoded}")[1] == data


@pytest.mark.parametrize("seed", range(12))
def test_a_plus_that_a_form_turned_into_a_space_is_put_back(seed: int) -> None:
    data = b"\x89PNG" + random.Random(seed).randbytes(400 + seed)
    encoded = base64.b64encode(data).decode()
    assert "+" in encoded
    assert decode("data:image/png;base64," + encoded.replace("+", " "))[1] == data


@pytest.mark.parametrize("width", [4, 60, 64, 76])
def test_base64_that_is_wrapped_with_spaces_keeps_no_pluses(width: int) -> None:
    data = random.Random(width).randbytes(500)
    encoded = base64.b64encode(data).decode().replace("+", "A")
    wrapped = " ".join(encoded[start : start + width] for start in range(0, len(encoded), width))
    assert decode("data:image/png;base64," + wrapped)[1] == base64.b64decode(encoded)


@pytest.mark.parametrize(
    ("uri", "says"),
    [
        ("data:text/csv;base64", "no comma"),
        ("data:text/csv;base64,aGk$$$==", "'$' at position 4"),
        ("data:text/csv;base64,aGk=aGk=", "'='"),
        ("data:text/csv;base64,product,sales\nA,1", "','"),
        ("data:text/csv;base64,aGkaa", "cut off"),
        ("data:text/csv;base64,é", "'é'"),
        ("data:text/plain,\ud800", "surrogate"),
        ("https://example.org/data.csv", "not a data URI"),
        ("", "not a data URI"),
    ],
)
def test_junk_is_refused_with_a_sentence_that_says_what_is_wrong(uri: str, says: str) -> None:
    with pytest.raises(AttachmentUnusable) as caught:
        decode(uri)
    assert says in caught.value.message


def test_the_kept_prefix_has_no_content_in_it() -> None:
    assert prefix("data:text/csv;base64,YSxiCjEsMgo=") == "data:text/csv;base64,…"
    assert len(prefix("data:" + "x" * 5000 + ",abc")) < 200


def test_only_a_data_uri_is_taken_for_one() -> None:
    assert is_data_uri(" Data:,x")
    assert not is_data_uri("http://example.org/data:,x")
