"""POST /ready over a socket to the real web server: bodies in chunks, cut off, or announced wrongly."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from http.client import HTTPException, HTTPResponse
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.demo.stack import Stack
from tests.fuzz.budget import Tally, cases

pytestmark = pytest.mark.timeout(900)

SECONDS = 30.0
JSON = b"application/json"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
GOOD_ENDS = [b"0\r\n\r\n", b"0\r\nX: y\r\n\r\n", b"5;a=b\r\n     \r\n0\r\n\r\n"]
BAD_ENDS = [b"0\r\n", b"", b"zz\r\n", b"-1\r\n\r\n", b"ffffffffffffffffff\r\n", b"fff\r\n"]


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The web server alone; nothing takes the rounds up."""
    with Stack(tmp_path_factory.mktemp("web"), workers=0) as running:
        yield running


def order(web: Stack, **fields: Any) -> bytes:
    body = {
        "email": "a@example.org",
        "secret": web.secret,
        "task": "t",
        "round": 1,
        "nonce": "n",
        "brief": "b",
        "evaluation_url": "https://example.org/n",
    }
    return json.dumps(body | fields).encode()


def chunked(body: bytes, sizes: list[int], end: bytes = b"0\r\n\r\n") -> bytes:
    parts, at = [], 0
    while at < len(body):
        size = sizes[len(parts) % len(sizes)]
        piece = body[at : at + size]
        parts.append(b"%x\r\n%s\r\n" % (len(piece), piece))
        at += size
    return b"".join(parts) + end


def ask(web: Stack, head: bytes, body: bytes, *, whole: bool = True) -> tuple[int, str, bytes]:
    """(status, media type, body) of the answer; status 0: the connection was closed. Who sends less than a whole request hangs up."""
    with socket.create_connection(("127.0.0.1", web.port), timeout=SECONDS) as connection:
        try:
            connection.sendall(b"POST /ready HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n" + head + b"\r\n" + body)
            if not whole:
                connection.shutdown(socket.SHUT_WR)
            response = HTTPResponse(connection, method="POST")
            response.begin()
            return response.status, (response.getheader("Content-Type") or "").split(";")[0], response.read()
        except (ConnectionError, HTTPException):
            return 0, "", b""


def test_a_body_in_chunks_is_a_body(web: Stack) -> None:
    whole = order(web, nonce="chunks", brief="é" * 50_000)
    status, kind, answer = ask(web, b"Content-Type: application/json\r\n" + CHUNKED, chunked(whole, [1, 7, 4096, 70_000]))
    assert (status, kind) == (200, "application/json")
    told = ask(web, b"Content-Type: application/json\r\nContent-Length: %d\r\n" % len(whole), whole)
    assert json.loads(told[2])["id"] == json.loads(answer)["id"]


def test_a_body_in_chunks_over_the_limit_is_413(web: Stack) -> None:
    big = order(web, nonce="big", extra="x" * (25 * 1024 * 1024))
    status, kind, _ = ask(web, b"Content-Type: application/json\r\n" + CHUNKED, chunked(big, [1024 * 1024]))
    assert (status, kind) == (413, "application/problem+json")


def test_however_a_body_is_framed_the_answer_is_json_or_the_connection_is_closed(web: Stack, tally: Tally) -> None:
    text = order(web)

    @cases(0.06, quick=20)
    @given(
        length=st.one_of(st.none(), st.just(len(text)), st.integers(-3, 2 * len(text)), st.just(10**30)),
        sizes=st.one_of(st.none(), st.lists(st.integers(1, 200), min_size=1, max_size=3)),
        end=st.one_of(st.sampled_from(GOOD_ENDS), st.sampled_from(BAD_ENDS)),
        cut=st.one_of(st.just(0), st.integers(0, 80)),
        more=st.sampled_from(
            [b"", b"", b"Content-Encoding: gzip\r\n", b"X-Forwarded-For: \xff\r\n", b"Content-Length: 7\r\n", b"A" * 9000 + b": 1\r\n"]
        ),
        kind=st.sampled_from([JSON, JSON, b"application/json; charset=\xff", b"multipart/form-data", b"application/x-www-form-urlencoded", b"a/\tb"]),
    )
    def answers(length: int | None, sizes: list[int] | None, end: bytes, cut: int, more: bytes, kind: bytes) -> None:
        head = b"Content-Type: %s\r\n" % kind + (CHUNKED if sizes else b"") + more
        head += b"Content-Length: %d\r\n" % length if length is not None else b""
        body = chunked(text, sizes, end) if sizes else text
        sent = body[: len(body) - cut]
        whole = end in GOOD_ENDS and not cut if sizes else (length or 0) <= len(sent)
        with tally.case("framing"):
            status, media_type, answer = ask(web, head, sent, whole=whole)
        tally.answer(status)
        assert status < 500, answer
        if media_type:
            assert media_type == ("application/json" if status == 200 else "application/problem+json")
            assert json.loads(answer)
        elif status:  # the server's own refusal of what is no HTTP has no body
            assert (status, answer) == (400, b"")
        else:
            assert not whole

    answers()
