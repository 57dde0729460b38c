"""The real type of a file, whatever it is called."""

from __future__ import annotations

import gzip
import io
import random
import time
import wave
import zipfile
import zlib

import openpyxl
import pytest

from tasks.files.sniff import BINARY, DOCX, XLSX, sniff, text_of


def png() -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")

    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", bytes.fromhex("0000000200000001 08 06 000000"))
        + chunk(b"IDAT", zlib.compress(bytes(9)))
        + chunk(b"IEND", b"")
    )


def xlsx() -> bytes:
    out = io.BytesIO()
    openpyxl.Workbook().save(out)
    return out.getvalue()


def archive(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for name in names:
            made.writestr(name, "x")
    return out.getvalue()


def wav() -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as made:
        made.setnchannels(1)
        made.setsampwidth(2)
        made.setframerate(8000)
        made.writeframes(bytes(16))
    return out.getvalue()


JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00\xff\xd9"
WEBP = b"RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00\x2f\x00\x00\x00\x10\x07\x10\x11\x11\x88\x88\xfe\x07\x00"
BMP = b"BM\x3a\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0" + bytes(40)


@pytest.mark.parametrize(
    ("data", "name", "media_type"),
    [
        (png(), "a.png", "image/png"),
        (JPEG, "sample.png", "image/jpeg"),
        (WEBP, "sample.png", "image/webp"),
        (b"GIF89a\x01\x00\x01\x00\x00\x00\x00;", "a.gif", "image/gif"),
        (BMP, "a.bmp", "image/bmp"),
        (b"\0\0\1\0\1\0\x10\x10" + bytes(20), "favicon.ico", "image/x-icon"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "a.pdf", "application/pdf"),
        (archive("a.txt"), "a.zip", "application/zip"),
        (archive(), "empty.zip", "application/zip"),
        (b"PK\x03\x04 cut off", "data.xlsx", "application/zip"),
        (xlsx(), "data.xlsx", XLSX),
        (xlsx(), "data.zip", XLSX),
        (archive("[Content_Types].xml", "word/document.xml"), "a.docx", DOCX),
        (gzip.compress(b"a,b\n", mtime=0), "a.csv", "application/gzip"),
        (b"wOFF\0\1\0\0", "a.woff", "font/woff"),
        (b"\0asm\1\0\0\0", "a.wasm", "application/wasm"),
        (b"ID3\x03\0\0\0\0\0\0", "a.mp3", "audio/mpeg"),
        (b"\xff\xfb\x90\x64" + random.Random(1).randbytes(400), "a.mp3", "audio/mpeg"),
        (b"\0\0\0\x18ftypmp42" + bytes(12), "a.mp4", "video/mp4"),
        (wav(), "a.wav", "audio/wav"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "a.svg", "image/svg+xml"),
        (b'\xef\xbb\xbf<?xml version="1.0"?>\n<!-- made by hand -->\n<!DOCTYPE svg>\n<svg width="1"></svg>', "a.txt", "image/svg+xml"),
        (b"<html><svg></svg></html>", "a.svg", "text/html"),
        (b"\xef\xbb\xbfa,b\r\n1,2\r\n", "data.CSV", "text/csv"),
        (b"a\tb\n1\t2\n", "data.tsv", "text/tab-separated-values"),
        (b'{"a": 1}', "rates.json", "application/json"),
        (b"# Title\n", "input.md", "text/markdown"),
        (b"<!doctype html><title>x</title>", "page", "text/html"),
        (b"<note>kept</note>", "a.xml", "application/xml"),
        (b"on: push\n", ".github/workflows/ci.yml", "application/yaml"),
        (b"import json\n", "execute.py", "text/x-python"),
        (b"let a = 1\n", "script.js", "text/javascript"),
        (b"body { margin: 0 }\n", "style.css", "text/css"),
        (b"BMW makes cars.\n", "a.txt", "text/plain"),
        ("plain é".encode(), "note.txt", "text/plain"),
        ("name,city\nJosé,São Paulo\n".encode("latin-1"), "data.csv", "text/csv"),
        ("a,b\n1,2\n".encode("utf-16"), "data.csv", "text/csv"),
        (b"not a picture at all", "photo.png", "text/plain"),
        (b"", "data.csv", "text/csv"),
        (b"", "empty", "text/plain"),
        (random.Random(7).randbytes(300), "data.csv", BINARY),
        (b"\x01\x02\x03\x04\x05", "data.txt", BINARY),
    ],
)
def test_the_type_comes_from_the_bytes(data: bytes, name: str, media_type: str) -> None:
    assert sniff(data, name) == media_type


@pytest.mark.parametrize(
    ("data", "text", "encoding"),
    [
        (b"\xef\xbb\xbfa,b", "a,b", "utf-8-sig"),
        ("é".encode("utf-16"), "é", "utf-16"),
        (b"caf\xe9 au lait \x80 5", "café au lait € 5", "cp1252"),
        (b"a fine day \x81 out", "a fine day \x81 out", "latin-1"),
    ],
)
def test_text_is_read_in_the_encoding_it_was_written_in(data: bytes, text: str, encoding: str) -> None:
    assert text_of(data) == (text, encoding)


@pytest.mark.parametrize("unit", [b"<!-- ", b"<!-- -->", b"<?xml ", b"<!DOCTYPE svg [", b"<"])
def test_a_head_made_to_confuse_is_sniffed_at_once(unit: bytes) -> None:
    start = time.process_time()
    assert sniff(unit * 200_000, "a.html") == "text/html"
    assert time.process_time() - start < 5
