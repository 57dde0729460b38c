"""Every public address with odd paths, queries, methods and headers: no answer from 500 on, and no redirect to another site."""

from __future__ import annotations

import gzip
from base64 import b64encode
from pathlib import Path
from typing import Any
from urllib.parse import quote_from_bytes, urlsplit

import pytest
from django.conf import LazySettings
from django.core.cache import cache
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from tasks.hosts import NewFile, get_host
from tasks.hosts.base import blob_sha
from tests.factories import make_round
from tests.fuzz.budget import Tally, cases
from tests.fuzz.payloads import headers
from tests.fuzz.rows import rolled_back

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(900)]

CLIENT = Client(raise_request_exception=False)
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"]
PLACES = [
    "ready",
    "status",
    "status/{uuid}",
    "health",
    "healthcheck",
    "logs",
    "api/schema/",
    "api/docs/",
    "pages/site",
    "pages/site/",
    "pages/site/index.html",
    "pages/site/a/",
    "pages/other/",
    "repos/site.git",
    "repos/site.git/info/refs",
    "repos/site.git/git-upload-pack",
    "repos/site.git/HEAD",
    "admin",
    "admin/",
    "admin/login/",
    "admin/tasks/round/",
    "admin/tasks/round/1/change/",
    "static/admin/css/base.css",
    "favicon.ico",
    "robots.txt",
]
PIECES = [*b".. . / // % ~ .git ;a=b index.html \\ \xc3\xbc".split(), b"\0", b"\n", b"\r\nX: y", b"\xff", b"a" * 300, b"a" * 5000]
NAMES = ["lines", "format", "lang", "service", "next", "q", "p", "o", "e", "all", "_popup"]
VALUES = [
    *["1", "-1", "%00", "%ff", "nan", "git-upload-pack", "git-receive-pack", "//evil.example", "yaml", "json", "xml", "1&lines=2", "%d9%a3"],
    "9" * 5000,
]
KINDS = ["application/json", "application/x-git-upload-pack-request", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]
pieces = st.one_of(st.sampled_from(PIECES), st.binary(max_size=8))
queries = st.one_of(
    st.just(""),
    st.builds("{}={}".format, st.sampled_from(NAMES), st.one_of(st.sampled_from(VALUES), st.binary(max_size=8).map(quote_from_bytes))),
)

KEY = "the-key-of-the-fuzz-run"
ASKED = [
    *["api/v1/tasks", "api/v1/containers", "api/v1/stats", "get_tasks", "stats", "status", "logs", "api/v1/tasks/{task}", "get_task/{task}"],
    *[f"api/v1/tasks/{{task}}/{rows}" for rows in ("versions", "results", "results/latest", "messages", "feedback", "logs")],
    *[f"get_{rows}/{{task}}" for rows in ("code", "results", "latest_results", "messages", "feedback", "logs")],
]
EDGES = ["0", "00", "9" * 15, str(2**63 - 1), str(2**63), "9" * 40]
TIMES = ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2024-02-30", "2024-02-29T24:00", "9999-99-99"]
FILTERS = ["task_id", "created_after", "created_before", "since", "cursor", "page_size", "lines", "q", "status", "agent", "unread", "version", "path"]
cursors = st.builds("{}p={}".format, st.sampled_from(["", "r=1&", "o=99999&", "o=-5&"]), st.one_of(st.sampled_from(EDGES), st.text(max_size=5)))
edges = st.one_of(
    st.sampled_from([*EDGES, *TIMES, "-1", "0.5", "1e40", "NaN", "sNaN", "Infinity", "true", "\0", ""]),
    cursors.map(lambda text: b64encode(text.encode("utf-8", "replace")).decode()),
    st.text(max_size=8),
)


@pytest.fixture
def site(settings: LazySettings, tmp_path: Path) -> str:
    """A published page, `site`; the sha of its commit."""
    settings.DATA_DIR = tmp_path
    host = get_host("local")
    repo = host.ensure_repo("site", description="a site", marker="0123456789ab", known=False)
    assert repo is not None
    contents = {"index.html": b"<!doctype html>", "a/index.html": b"<p>", "404.html": b"no", "data.csv": b"a,b\n"}
    files = [NewFile(path, blob_sha(data), len(data), lambda data=data: data) for path, data in contents.items()]
    return host.commit(repo, files, message="m\n", when=make_round().received_at, parent=None, known_blobs=frozenset()).sha


def test_no_address_answers_with_a_server_error(site: str, tally: Tally) -> None:
    round_ = make_round()

    @cases(0.08, quick=60)
    @given(
        method=st.one_of(st.just("GET"), st.sampled_from(METHODS)),
        place=st.sampled_from(["", *PLACES]),
        more=st.one_of(st.just([]), st.lists(pieces, max_size=3)),
        slash=st.booleans(),
        query=queries,
        names=headers,
        body=st.binary(max_size=40),
        kind=st.sampled_from(KINDS),
    )
    def answers(method: str, place: str, more: list[bytes], slash: bool, query: str, names: dict[str, str], body: bytes, kind: str) -> None:
        cache.clear()
        path = "/" + place.format(uuid=round_.uuid) + "/" * (slash and bool(more)) + quote_from_bytes(b"/".join(more), safe="/;=.~")
        with rolled_back(), tally.case(f"{method} /{place}"):
            answer: Any = CLIENT.generic(method, path, body, content_type=kind, headers=names, QUERY_STRING=query)
            content = b"".join(answer.streaming_content) if answer.streaming else answer.content
        unwell = place.startswith("health") and answer.status_code == 503
        tally.answer(answer.status_code, unwell)
        assert unwell or answer.status_code < 500, content
        location = urlsplit(answer.headers.get("Location", ""))
        assert location.netloc in {"", "testserver"}, location

    answers()


def test_no_question_of_an_agent_is_answered_with_a_server_error(tally: Tally, settings: LazySettings) -> None:
    settings.DEMO_API_KEY = KEY
    task = make_round().task_request_id

    @cases(0.04, quick=40)
    @given(
        place=st.sampled_from(ASKED),
        number=st.one_of(st.just(str(task)), st.sampled_from(EDGES)),
        query=st.dictionaries(st.sampled_from(FILTERS), edges, max_size=3),
    )
    def answers(place: str, number: str, query: dict[str, str]) -> None:
        with rolled_back(), tally.case(f"GET /{place}"):
            answer = CLIENT.get(f"/{place.format(task=number)}", query, headers={"X-API-KEY": KEY})
        tally.answer(answer.status_code)
        assert answer.status_code < 500, answer.content
        assert "json" in answer["Content-Type"]

    answers()


def test_what_git_would_never_send_is_refused(site: str, tally: Tally) -> None:
    known = site.encode()
    lines = st.one_of(
        st.sampled_from(
            [b"", b"done", b"done\n", b"deepen 1", b"deepen -1", b"deepen x", b"flush", b"want " + known + b" ofs-delta side-band-64k thin-pack"]
        ),
        st.builds(
            b"%s %s %s".__mod__,
            st.tuples(
                st.sampled_from([b"want", b"have", b"shallow", b"deepen", b"command=fetch"]),
                st.one_of(st.just(known), st.sampled_from([b"0" * 40, b"f" * 40, b"x" * 40, b""]), st.binary(max_size=45)),
                st.sampled_from([b"", b"side-band-64k", b"no-such", b"multi_ack_detailed no-done", b"filter=blob:none"]),
            ),
        ),
        st.binary(max_size=20),
    )
    packets = st.one_of(
        lines.map(lambda line: b"%04x%s" % (len(line) + 4, line)),
        st.sampled_from([b"0000", b"0001", b"0002", b"0003", b"0004", b"fff0", b"zzzz", b"0"]),
    )

    @cases(0.06, quick=40)
    @given(parts=st.lists(packets, max_size=5), gzipped=st.booleans(), cut=st.integers(0, 5))
    def answers(parts: list[bytes], gzipped: bool, cut: int) -> None:
        body = b"".join(parts)
        body = gzip.compress(body, mtime=0) if gzipped else body
        with rolled_back(), tally.case("git-upload-pack"):
            answer = CLIENT.generic(
                "POST",
                "/repos/site.git/git-upload-pack",
                body[: len(body) - cut] if cut < 3 else body,
                content_type="application/x-git-upload-pack-request",
                headers={"Content-Encoding": "gzip"} if gzipped else {},
            )
        tally.answer(answer.status_code)
        assert answer.status_code < 500, answer.content

    answers()
