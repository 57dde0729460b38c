"""The attachments stage, on real rows and with a real file server on the loopback."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.conf import LazySettings

from tasks.deadline import Deadline
from tasks.errors import LeaseLost
from tasks.lease import Lease
from tasks.models import Attachment, Message, Round
from tasks.stages import attachments as stage_module
from tasks.stages.attachments import Stage
from tasks.stages.base import Done, Work
from tests.factories import data_uri, make_round
from tests.files.test_sniff import JPEG, WEBP, xlsx

pytestmark = pytest.mark.django_db(transaction=True)


class FileServer:
    """Answers each path with the next of its queued answers; the last one stays."""

    def __init__(self) -> None:
        self.answers: dict[str, list[tuple[int, dict[str, str], bytes]]] = {}
        self.asked: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                queue = outer.answers.get(self.path) or [(404, {}, b"not here")]
                status, headers, body = queue.pop(0) if len(queue) > 1 else queue[0]
                if status == 0:
                    return  # the connection ends without an answer
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def answer(self, path: str, *answers: tuple[int, dict[str, str], bytes]) -> str:
        self.answers[path] = list(answers)
        return self.url + path


@pytest.fixture
def server() -> Iterator[FileServer]:
    running = FileServer()
    yield running
    running.server.shutdown()
    running.server.server_close()


def attach(round_: Round, *files: tuple[str, str]) -> None:
    start = round_.attachments.count()
    for position, (name, url) in enumerate(files, start):
        Attachment.objects.create(round=round_, position=position, name=name, url=url)


def work_on(round_: Round) -> Work:
    lease = Lease.claim(round_.pk)
    assert lease is not None
    return Work(Round.objects.get(pk=round_.pk), lease, Deadline(round_.received_at))


def run(round_: Round) -> dict[str, Attachment]:
    Round.objects.filter(pk=round_.pk).update(lease_owner="", lease_until=None)
    assert isinstance(Stage().run(work_on(round_)), Done)
    return {row.name: row for row in round_.attachments.all()}


def test_a_data_uri_becomes_content_and_only_its_prefix_stays() -> None:
    round_ = make_round()
    content = b"product,sales\nPen,2\nInk,3\n"
    attach(round_, ("data.csv", data_uri(content, "application/vnd.ms-excel")))
    row = run(round_)["data.csv"]
    assert bytes(row.content) == content
    assert row.path == "data.csv"
    assert (row.media_type, row.declared_type) == ("text/csv", "application/vnd.ms-excel")
    assert (row.size, row.sha256) == (26, hashlib.sha256(content).hexdigest())
    assert row.url == "data:application/vnd.ms-excel;base64,…"
    assert "sum 5" in row.profile
    assert row.error == ""


@pytest.mark.parametrize(
    ("name", "content", "declared", "media_type"),
    [
        ("sample.png", JPEG, "image/png", "image/jpeg"),
        ("sample.png", WEBP, "image/png", "image/webp"),
        ("data.xlsx", xlsx(), "@file/zip", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ("notes.md", b"# Notes\n", "application/octet-stream", "text/markdown"),
        ("data.csv", b"\xef\xbb\xbfa,b\r\n1,2\r\n", "text/plain", "text/csv"),
    ],
)
def test_the_real_type_is_kept_beside_the_declared_one(name: str, content: bytes, declared: str, media_type: str) -> None:
    round_ = make_round()
    attach(round_, (name, data_uri(content, declared)))
    row = run(round_)[name]
    assert bytes(row.content) == content
    assert (row.media_type, row.declared_type) == (media_type, declared)


def test_an_empty_file_is_a_file() -> None:
    round_ = make_round()
    attach(round_, (".nothing.txt", "data:,"))
    row = run(round_)[".nothing.txt"]
    assert row.content is not None
    assert row.size == 0
    assert row.error == ""


def test_an_address_is_fetched_through_redirects(server: FileServer) -> None:
    round_ = make_round()
    server.answer("/real.csv", (200, {"Content-Type": "text/csv; charset=utf-8"}, b"a,b\n1,2\n"))
    url = server.answer("/go", (302, {"Location": "/real.csv"}, b""))
    attach(round_, ("data.csv", url))
    row = run(round_)["data.csv"]
    assert bytes(row.content) == b"a,b\n1,2\n"
    assert row.declared_type == "text/csv"
    assert row.url == url


def test_passing_trouble_is_tried_again(server: FileServer) -> None:
    round_ = make_round()
    attach(round_, ("a.txt", server.answer("/a", (503, {}, b"busy"), (0, {}, b""), (200, {}, b"here"))))
    assert bytes(run(round_)["a.txt"].content) == b"here"
    assert server.asked == ["/a", "/a", "/a"]


def test_a_missing_file_is_asked_for_once_and_the_others_go_on(server: FileServer) -> None:
    round_ = make_round()
    attach(round_, ("gone.txt", server.url + "/gone"), ("note.txt", data_uri(b"kept")))
    rows = run(round_)
    assert server.asked == ["/gone"]
    assert rows["gone.txt"].error_id == "attachment-unusable"
    assert "404" in rows["gone.txt"].error
    assert rows["gone.txt"].content is None
    assert bytes(rows["note.txt"].content) == b"kept"
    round_.refresh_from_db()
    assert round_.degraded_id == "attachment-missing"
    assert "gone.txt" in round_.degraded
    assert Message.objects.filter(round=round_, kind="event", body__contains="'gone.txt' could not be used").count() == 1


@pytest.mark.parametrize(
    ("url", "error_id", "says"),
    [
        ("data:text/csv;base64,aGk$$$==", "attachment-unusable", "'$'"),
        ("data:text/csv;base64", "attachment-unusable", "no comma"),
        ("ftp://example.org/data.csv", "attachment-unusable", "neither a data URI nor"),
        ("file:///etc/passwd", "attachment-unusable", "neither a data URI nor"),
        ("", "attachment-unusable", "neither a data URI nor"),
        ("http://10.0.0.7/data.csv", "address-refused", ""),
        ("http://169.254.169.254/latest/meta-data", "address-refused", ""),
        ("http://[::1]/x", "address-refused", ""),
    ],
)
def test_what_cannot_be_had_keeps_its_reason(url: str, error_id: str, says: str) -> None:
    round_ = make_round()
    attach(round_, ("data.csv", url))
    row = run(round_)["data.csv"]
    assert row.error_id == error_id
    assert says in row.error
    assert row.content is None


def test_a_refused_redirect_target_is_not_asked(server: FileServer) -> None:
    round_ = make_round()
    attach(round_, ("a.txt", server.answer("/go", (302, {"Location": "http://169.254.169.254/"}, b""))))
    assert run(round_)["a.txt"].error_id == "address-refused"
    assert server.asked == ["/go"]


def test_a_file_over_its_limit_is_refused(server: FileServer, settings: LazySettings) -> None:
    settings.MAX_ATTACHMENT_BYTES = 100
    round_ = make_round()
    attach(round_, ("a.txt", data_uri(b"x" * 101)), ("b.txt", server.answer("/b", (200, {}, b"x" * 101))), ("c.txt", data_uri(b"x" * 100)))
    rows = run(round_)
    assert rows["a.txt"].error_id == rows["b.txt"].error_id == "too-large"
    assert rows["c.txt"].size == 100


def test_all_together_have_a_limit_too(settings: LazySettings) -> None:
    settings.MAX_ATTACHMENTS_BYTES = 150
    round_ = make_round()
    attach(round_, ("a.txt", data_uri(b"x" * 100)), ("b.txt", data_uri(b"x" * 60)), ("c.txt", data_uri(b"x" * 50)))
    rows = run(round_)
    assert [rows[name].size for name in ("a.txt", "b.txt", "c.txt")] == [100, None, 50]
    assert rows["b.txt"].error_id == "too-large"


def test_a_slow_server_does_not_hold_the_stage(server: FileServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage_module, "FETCH_SECONDS", 0.6)
    round_ = make_round()
    url = server.answer("/slow", (200, {"Content-Length": "1000"}, b"only a part"))
    attach(round_, ("a.txt", url), ("b.txt", url), ("c.txt", data_uri(b"here")))
    started = time.monotonic()
    rows = run(round_)
    assert time.monotonic() - started < 15
    assert rows["a.txt"].error_id == "remote-unavailable"
    assert rows["b.txt"].error_id
    assert bytes(rows["c.txt"].content) == b"here"


def test_two_files_of_one_name_get_two_paths() -> None:
    round_ = make_round()
    attach(round_, ("data.csv", data_uri(b"a\n1\n")), ("DATA.csv", data_uri(b"a\n2\n")))
    rows = run(round_)
    assert rows["data.csv"].path == "data.csv"
    assert rows["DATA.csv"].path.lower() != "data.csv"


def test_a_name_cannot_leave_the_repository() -> None:
    round_ = make_round()
    attach(round_, ("../../note.txt", data_uri(b"kept")), ("LICENSE", data_uri(b"none")))
    rows = run(round_)
    assert rows["../../note.txt"].path == "note.txt"
    assert rows["LICENSE"].path not in {"LICENSE", ""}


def test_a_second_run_fetches_nothing_again(server: FileServer) -> None:
    round_ = make_round()
    attach(round_, ("a.txt", server.answer("/a", (200, {}, b"first"), (200, {}, b"second"))))
    run(round_)
    assert bytes(run(round_)["a.txt"].content) == b"first"
    assert server.asked == ["/a"]


def test_a_second_run_gets_what_failed_and_tells_a_failure_once(server: FileServer) -> None:
    round_ = make_round()
    attach(round_, ("a.txt", server.answer("/a", (404, {}, b""), (200, {}, b"now"))), ("b.txt", "gopher://x"))
    run(round_)
    rows = run(round_)
    assert bytes(rows["a.txt"].content) == b"now"
    assert rows["a.txt"].error == rows["a.txt"].error_id == ""
    assert Message.objects.filter(round=round_, body__contains="'b.txt' could not").count() == 1


def test_a_lost_lease_stops_the_stage_before_it_writes() -> None:
    round_ = make_round()
    attach(round_, ("a.txt", data_uri(b"x")))
    work = work_on(round_)
    Round.objects.filter(pk=round_.pk).update(lease_owner="somebody else")
    with pytest.raises(LeaseLost):
        Stage().run(work)
    assert Attachment.objects.get(round=round_).content is None


def test_each_attachment_is_committed_on_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    round_ = make_round()
    attach(round_, ("a.txt", data_uri(b"first")), ("b.txt", data_uri(b"second")))
    keep: Callable[..., None] = Stage.keep

    def dies_at_the_second(self: Stage, work: Work, row: Attachment, *rest: Any) -> None:
        if row.name == "b.txt":
            raise KeyboardInterrupt
        keep(self, work, row, *rest)

    monkeypatch.setattr(Stage, "keep", dies_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        Stage().run(work_on(round_))
    assert bytes(Attachment.objects.get(name="a.txt").content) == b"first"
    monkeypatch.setattr(Stage, "keep", keep)
    assert bytes(run(round_)["b.txt"].content) == b"second"


def test_a_round_without_attachments_is_done_at_once() -> None:
    assert Stage().run(work_on(make_round())) == Done("no attachments")
