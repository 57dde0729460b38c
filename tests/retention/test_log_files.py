"""Lines go from files that are being written, and no other line is lost."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings

from tasks.logs import JsonFormatter
from tasks.retention import log_files
from tasks.retention.erasure import about_others

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def line(message: str, days_ago: float = 0, **extra: object) -> str:
    record = logging.LogRecord("tasks.test", logging.INFO, __file__, 1, message, (), None)
    record.created = (NOW - timedelta(days=days_ago)).timestamp()
    record.__dict__.update(extra)
    return JsonFormatter().format(record) + "\n"


def write(name: str, *lines: str) -> Path:
    path = settings.LOG_FILE.with_name(name)
    path.write_text("".join(lines))
    return path


def messages(name: str = "app.log") -> list[str]:
    return [json.loads(text)["message"] for text in settings.LOG_FILE.with_name(name).read_text().splitlines()]


def remove_older(days: float) -> int:
    return log_files.remove(lambda: log_files.newer_than(NOW - timedelta(days=days)))


def test_old_lines_go_from_every_file_and_an_empty_one_with_them() -> None:
    write("app.log", line("b", 31), line("c", 29))
    write("app.log.1", line("a", 40), line("b", 30.1))
    assert log_files.remove(lambda: log_files.newer_than(NOW - timedelta(days=30)), dry_run=True) == 3
    assert remove_older(30) == 3
    assert messages() == ["c"]
    assert not settings.LOG_FILE.with_name("app.log.1").exists()


def test_the_log_itself_stays_even_when_nothing_stays_in_it() -> None:
    write("app.log", line("a", 31))
    remove_older(30)
    assert settings.LOG_FILE.read_bytes() == b""


def test_a_line_that_is_not_ours_is_as_old_as_the_one_before_it() -> None:
    write("app.log", "start\n", line("a", 31), "  trace of a\n", line("b", 1), "  trace of b\n")
    remove_older(30)
    assert settings.LOG_FILE.read_text() == "start\n" + line("b", 1) + "  trace of b\n"


def test_a_log_without_old_lines_is_not_touched() -> None:
    path = write("app.log", line("a", 1))
    before = path.stat()
    assert remove_older(30) == 0
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_there_need_not_be_a_log() -> None:
    assert remove_older(30) == 0
    settings.LOG_FILE.parent.rmdir()
    assert remove_older(30) == 0


def test_the_rewritten_file_has_the_rights_and_the_owner_of_the_old_one() -> None:
    path = write("app.log", line("a", 31), line("b", 1))
    path.chmod(0o604)
    if os.geteuid() == 0:
        os.chown(path, 1234, 1235)
    before = path.stat()
    remove_older(30)
    assert (path.stat().st_mode, path.stat().st_uid, path.stat().st_gid) == (before.st_mode, before.st_uid, before.st_gid)


def test_the_lines_about_a_person_go_in_every_spelling() -> None:
    email = "Ann+x@example.org"
    gone = ["to ann+x@example.org", "GET /?q=Ann%2Bx%40example.org", "GET /?q=ann%2bx%40EXAMPLE.org", 'key "ann+x@example.org" already exists']
    kept = ["to bob@example.org", "GET /?q=Bob%40example.org"]
    write("app.log", *map(line, gone + kept), line("failed", round=17), line("failed", round=171), '{"round" broken\n')
    assert log_files.remove(lambda: about_others(email, {17})) == len(gone) + 1
    left = settings.LOG_FILE.read_text()
    assert left == "".join(map(line, kept)) + line("failed", round=171) + '{"round" broken\n'


WRITER = """
import logging, sys
from tasks.logs import SharedFileHandler
handler = SharedFileHandler(sys.argv[1], maxBytes=10_000_000, backupCount=3)
for number in range(int(sys.argv[3])):
    handler.emit(logging.LogRecord("t", 20, "", 1, f"{sys.argv[2]} {number}", (), None))
"""


def test_no_line_is_lost_while_others_write() -> None:
    count, root = 3000, Path(__file__).resolve().parent.parent.parent
    command = [sys.executable, "-c", WRITER, str(settings.LOG_FILE)]
    writers = [subprocess.Popen([*command, name, str(count)], cwd=root) for name in "ab"]
    rewritten = 0
    while any(writer.poll() is None for writer in writers):
        with settings.LOG_FILE.open("a") as log:
            log.write("old\n")
        rewritten += log_files.remove(lambda: lambda text: text != b"old\n")
    assert [writer.wait() for writer in writers] == [0, 0]
    assert rewritten
    said = [text for text in settings.LOG_FILE.read_text().splitlines() if text != "old"]
    assert sorted(said) == sorted(f"{name} {number}" for name in "ab" for number in range(count))


def test_a_line_of_which_only_a_part_is_there_yet_is_carried_over_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a reader may see it while another process writes."""
    write("app.log", "old\n", "kept\n", "half a li")
    before = settings.LOG_FILE.open("ab", buffering=0)
    replace = Path.replace

    def writes_on(fresh: Path, path: Path) -> Path:
        moved = replace(fresh, path)
        with path.open("ab") as log:
            log.write(b"another\n")
        before.write(b"ne\n")
        return moved

    monkeypatch.setattr(Path, "replace", writes_on)
    assert log_files.remove(lambda: lambda text: text != b"old\n") == 1
    before.close()
    assert sorted(settings.LOG_FILE.read_text().splitlines()) == ["another", "half a line", "kept"]
