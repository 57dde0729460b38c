"""The log's lines, the file that several processes share, and its end."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tasks.logs import MAX_LINE, JsonFormatter, SharedFileHandler, tail
from tasks.storable import storable


def record(message: str = "hello", *args: object, level: int = logging.INFO, exc_info=None, **extra: object) -> logging.LogRecord:
    made = logging.LogRecord("tasks.pipeline", level, __file__, 1, message, args, exc_info)
    made.__dict__.update(extra)
    return made


def line(*args, **kwargs) -> dict:
    text = JsonFormatter().format(record(*args, **kwargs))
    assert text.isascii()
    assert text.isprintable()
    assert len(text) < MAX_LINE
    return json.loads(text)


# -- one line ----------------------------------------------------------------------------------------------------------------------------


def test_a_line_says_when_what_and_who():
    said = line("round %s accepted", 17, created=1_700_000_000.25)

    assert said == {"time": "2023-11-14T22:13:20.250Z", "level": "INFO", "logger": "tasks.pipeline", "message": "round 17 accepted"}


def test_a_line_names_round_and_stage_where_they_are_given():
    said = line(round=17, stage="publish")

    assert (said["round"], said["stage"]) == (17, "publish")
    assert "stage" not in line(round=17)


def test_the_settings_use_these_classes(settings):
    formatter, handler = settings.LOGGING["formatters"]["json"], settings.LOGGING["handlers"]["file"]

    assert formatter["()"] == f"{JsonFormatter.__module__}.{JsonFormatter.__qualname__}"
    assert handler["class"] == f"{SharedFileHandler.__module__}.{SharedFileHandler.__qualname__}"


def test_an_exception_comes_with_its_trace():
    try:
        raise ValueError("bad\nnews")
    except ValueError:
        said = line("failed", exc_info=sys.exc_info())

    assert said["exception"].startswith("Traceback (most recent call last):")
    assert said["exception"].endswith("ValueError: bad\nnews")


@pytest.mark.parametrize(
    "evil", ["a\r\nb", "\x1b[31mred\x1b[0m", "nul\0", "del\x7f", "csi\x9b31m", "sep\u2028x", "turn\u202eed", "lone\ud800", "%s %d {}"]
)
def test_no_text_can_break_out_of_its_line(evil):
    assert line(evil)["message"] == storable(evil)
    assert line("%s", evil, stage=evil)["stage"] == storable(evil)


def test_arguments_that_do_not_fit_are_shown_all_the_same():
    assert line("%d files", "many")["message"] == "%d files ('many',)"
    assert line("%s and %s", "one")["message"] == "%s and %s ('one',)"


def test_no_secret_gets_into_a_line(settings):
    settings.STUDENT_SECRET = "correct-horse-battery"
    try:
        raise ValueError("token ghp_0123456789abcdefghijABCDEFGHIJ012345")
    except ValueError:
        text = JsonFormatter().format(record("got %s", {"secret": "correct-horse-battery"}, stage="correct-horse-battery", exc_info=sys.exc_info()))

    assert "correct-horse" not in text
    assert "0123456789" not in text


@pytest.mark.parametrize("text", ["x" * 1_000_000, "\n" * 1_000_000, "ü" * 300_000, "\U0001f600" * 300_000, "a" * 20_000 + "\0" * 20_000])
def test_a_line_stays_under_its_limit(text):
    try:
        raise ValueError(text + " the end")
    except ValueError:
        said = line(text, stage=text, exc_info=sys.exc_info())

    assert said["message"].endswith("[cut]")
    assert said["message"][:10] == text[:10]
    assert said["exception"].startswith("[cut]")
    assert said["exception"].endswith("the end")


def test_a_secret_at_the_edge_of_a_cut_is_not_shown_in_part(settings):
    settings.STUDENT_SECRET = "correct-horse-battery"

    for lead in range(6 * 1024 - 60, 6 * 1024 + 20):
        assert "correct" not in line("x" * lead + "correct-horse-battery" + "y" * 100)["message"]


# -- the shared file ---------------------------------------------------------------------------------------------------------------------


def handler(path: Path, size: int = 0, backups: int = 0) -> SharedFileHandler:
    made = SharedFileHandler(filename=str(path), maxBytes=size, backupCount=backups)
    made.setFormatter(logging.Formatter("%(message)s"))
    return made


def files(path: Path) -> list[Path]:
    """Oldest first."""
    return sorted(path.parent.glob(f"{path.name}*"), key=lambda one: -int(one.suffix[1:]) if one.suffix[1:].isdigit() else 0)


def test_lines_are_appended_to_what_is_there(tmp_path):
    path = tmp_path / "logs" / "app.log"
    for message in ("one", "two"):
        log = handler(path)
        log.emit(record(message))
        log.close()

    assert path.read_text() == "one\ntwo\n"
    assert path.stat().st_mode & 0o007 == 0  # it holds e-mail addresses


def test_the_file_is_rotated_by_size_and_old_ones_go(tmp_path):
    path = tmp_path / "app.log"
    log = handler(path, size=30, backups=2)

    for number in range(20):
        log.emit(record(f"line {number:04}"))
    log.close()

    assert [one.name for one in files(path)] == ["app.log.2", "app.log.1", "app.log"]
    assert [one.read_text().split("\n")[:-1] for one in files(path)] == [
        ["line 0012", "line 0013", "line 0014"],
        ["line 0015", "line 0016", "line 0017"],
        ["line 0018", "line 0019"],
    ]


def test_a_line_longer_than_the_file_is_still_written(tmp_path):
    path = tmp_path / "app.log"
    log = handler(path, size=10, backups=1)

    for _ in range(3):
        log.emit(record("x" * 50))
    log.close()

    assert path.read_text() == "x" * 50 + "\n"


def test_nothing_is_rotated_without_a_size_or_a_backup(tmp_path):
    for size, backups in ((0, 5), (10, 0)):
        path = tmp_path / f"{size}.log"
        log = handler(path, size, backups)
        for _ in range(5):
            log.emit(record("x" * 20))
        log.close()
        assert path.read_text() == ("x" * 20 + "\n") * 5
        assert files(path) == [path]


@pytest.mark.parametrize("loss", [lambda path: path.rename(path.with_suffix(".old")), lambda path: path.unlink()], ids=["moved", "removed"])
def test_a_file_that_was_taken_away_is_made_anew(tmp_path, loss):
    path = tmp_path / "app.log"
    log = handler(path)
    log.emit(record("before"))
    loss(path)

    log.emit(record("after"))
    log.close()

    assert path.read_text() == "after\n"


def test_a_second_process_follows_a_rotation(tmp_path):
    path = tmp_path / "app.log"
    first, second = handler(path, 30, 3), handler(path, 30, 3)  # two handlers share nothing but the file, as two processes do

    second.emit(record("second 1"))
    for number in range(3):
        first.emit(record(f"first {number}"))
    second.emit(record("second 2"))
    first.close()
    second.close()

    assert path.read_text() == "first 2\nsecond 2\n"


def test_a_file_that_another_process_has_just_turned_is_not_turned_again(tmp_path):
    path = tmp_path / "app.log"
    path.write_text("fresh\n")

    handler(path, 30, 3)._rotate(10)  # what is left to do for the one who waited for the lock

    assert files(path) == [path]


def test_a_log_that_cannot_be_written_does_not_stop_the_work(tmp_path, capsys):
    path = tmp_path / "app.log"
    path.mkdir()

    handler(path).handle(record("lost"))

    assert "IsADirectoryError" in capsys.readouterr().err


def test_processes_that_write_and_rotate_at_once_lose_no_line(tmp_path):
    path = tmp_path / "app.log"
    script = textwrap.dedent(
        """
        import logging, sys
        from tasks.logs import SharedFileHandler
        path, who = sys.argv[1:]
        log = SharedFileHandler(filename=path, maxBytes=4000, backupCount=1000)
        for number in range(500):
            log.handle(logging.LogRecord("x", 20, "", 1, f"{who} {number:04} " + "." * (number % 90), (), None))
        """
    )
    root = Path(__file__).resolve().parent.parent
    writers = [subprocess.Popen([sys.executable, "-c", script, str(path), str(who)], cwd=root, stderr=subprocess.PIPE) for who in range(4)]
    errors = [writer.communicate(timeout=60)[1] for writer in writers]

    lines = [text for one in files(path) for text in one.read_text().splitlines()]
    assert errors == [b""] * 4
    assert sorted(text[:6] for text in lines) == sorted(f"{who} {number:04}" for who in range(4) for number in range(500))
    assert all(text == f"{text[:6]} " + "." * (int(text[2:6]) % 90) for text in lines)
    assert len(files(path)) > 10
    assert min(one.stat().st_size for one in files(path)[:-1]) > 4000 - 100  # each was turned once, when it was full
    assert max(one.stat().st_size for one in files(path)) <= 4000 + 4 * 100  # a line of each may be on its way when it is turned


def test_a_fork_writes_on_without_mixing_lines(tmp_path):
    path = tmp_path / "app.log"
    log = handler(path, 10_000, 5)
    log.emit(record("parent 1"))
    child = os.fork()
    if child == 0:
        log.emit(record("child"))
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    log.emit(record("parent 2"))
    log.close()

    assert path.read_text() == "parent 1\nchild\nparent 2\n"


# -- its end -----------------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def log_file(settings, tmp_path) -> Path:
    settings.LOG_FILE = tmp_path / "app.log"
    return settings.LOG_FILE


def test_the_last_lines_come_oldest_first(log_file):
    log_file.write_text("".join(f"line {number}\n" for number in range(100)))

    assert tail(3) == ["line 97", "line 98", "line 99"]


def test_no_more_than_a_thousand_lines_come(log_file):
    log_file.write_text("x\n" * 5000)

    assert len(tail(10_000)) == 1000


def test_no_more_than_a_mebibyte_is_read(log_file):
    log_file.write_text("".join(f"{number:03} " + "x" * 16_000 + "\n" for number in range(200)))

    lines = tail(1000)

    assert sum(map(len, lines)) <= 1024 * 1024
    assert lines[-1].startswith("199 ")
    assert all(len(one) == 16_004 for one in lines)  # none cut in half
    assert len(lines) == 65


@pytest.mark.parametrize("lines", [0, -1])
def test_no_line_is_asked_for(log_file, lines):
    log_file.write_text("x\n")

    assert tail(lines) == []


def test_a_missing_or_empty_file_has_no_lines(log_file):
    assert tail(10) == []
    log_file.touch()
    assert tail(10) == []


def test_a_line_that_is_still_being_written_is_left_out(log_file):
    log_file.write_text('{"message": "whole"}\n{"mess')

    assert tail(10) == ['{"message": "whole"}']


def test_just_after_a_rotation_the_file_before_fills_up(log_file):
    log_file.with_name("app.log.1").write_text("one\ntwo\nthree\n")
    log_file.write_text("four\n")

    assert tail(3) == ["two", "three", "four"]
    assert tail(1) == ["four"]


def test_bytes_that_are_no_text_do_not_stop_it(log_file):
    log_file.write_bytes(b"\xff\xfe\n")

    assert tail(1) == ["\ufffd\ufffd"]


def test_what_is_logged_can_be_read_back(log_file):
    log = SharedFileHandler(filename=str(log_file), maxBytes=1000, backupCount=1)
    log.setFormatter(JsonFormatter())
    log.emit(record("first\nsecond", round=3))
    log.close()

    (last,) = tail(10)
    assert json.loads(last)["message"] == "first\nsecond"
