"""`manage.py prune`: options, exit codes, what it prints."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command, load_command_class
from django.db.migrations.recorder import MigrationRecorder
from django_q.models import Schedule

from tasks.models import CodeVersion, Round, Screenshot, TaskRequest
from tests.admin.conftest import tell

pytestmark = pytest.mark.django_db


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def run(*args: str, err: StringIO | None = None) -> tuple[str, int]:
    """(standard output, exit code)"""
    out = StringIO()
    try:
        call_command("prune", *args, stdout=out, stderr=err or StringIO())
    except SystemExit as end:
        return out.getvalue(), int(end.code or 0)
    except CommandError as error:
        return str(error), error.returncode
    return out.getvalue(), 0


def test_with_the_defaults_nothing_young_goes() -> None:
    tell()
    out, code = run()
    assert (code, out.splitlines()[0]) == (0, "Nothing is old enough.")
    assert Round.objects.count() == 1


def test_each_age_is_its_own() -> None:
    tell()
    assert run("--answers-days", "0")[1] == 0
    assert Screenshot.objects.count() == 0
    assert CodeVersion.objects.filter(raw_answer__contains=" by manage.py prune: it had 2 characters").count() == 1
    assert Round.objects.count() == 1
    out, code = run("--rounds-days", "0")
    assert (code, TaskRequest.objects.count()) == (0, 0)
    assert "1 tasks removed" in out


def test_a_dry_run_removes_nothing() -> None:
    tell()
    out, code = run("--rounds-days", "0", "--dry-run")
    assert (code, Round.objects.count()) == (0, 1)
    assert "1 rounds would go" in out


def test_for_programs_it_is_one_json_document() -> None:
    tell()
    said = json.loads(run("--rounds-days", "0", "--json")[0])
    assert (said["removed"]["rounds"], said["rows"]["screenshots"], said["problems"], said["dry_run"]) == (1, 5, [], False)
    assert said["database_bytes"] > 0
    assert said["seconds"] >= 0


def test_progress_is_shown_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    tell()
    monkeypatch.setattr("sys.stderr", Terminal())
    shown, hidden = Terminal(), Terminal()
    run("--answers-days", "0", "--json", err=hidden)
    assert hidden.getvalue() == ""
    run("--rounds-days", "0", err=shown)
    assert "1 of 1 tasks" in shown.getvalue()


@pytest.mark.parametrize(
    "args",
    [
        ["--erase", "nobody@example.org"],
        ["--erase", ""],
        ["--nightly", "on", "--dry-run"],
        ["--nightly", "on", "--erase", "a@b.c"],
        ["--nightly", "off", "--vacuum"],
    ],
)
def test_wrong_usage_is_exit_code_2(args: list[str]) -> None:
    assert run(*args)[1] == 2


@pytest.mark.parametrize("args", [["--rounds-days", "-1"], ["--logs-days", "soon"], ["--answers-days", "nan"], ["--nightly", "sometimes"], ["x"]])
def test_an_option_that_cannot_be_read_is_exit_code_2(args: list[str]) -> None:
    command = load_command_class("tasks", "prune")
    command._called_from_command_line = True
    with pytest.raises(SystemExit) as end:
        command.create_parser("manage.py", "prune").parse_args(args)
    assert end.value.code == 2


def test_a_log_that_cannot_be_written_is_exit_code_1_and_the_rest_is_done(folder: Path) -> None:
    tell()
    (folder / "logs" / ".app.log.new").mkdir()
    (folder / "logs" / "app.log").write_text('{"time": "2020-01-01T00:00:00.000Z"}\n')
    out, code = run("--rounds-days", "0")
    assert (code, Round.objects.count()) == (1, 0)
    assert "The log could not be rewritten" in out


def test_a_database_that_is_not_up_to_date_is_exit_code_4() -> None:
    newest = MigrationRecorder.Migration.objects.filter(app="tasks").order_by("name").last()
    assert newest is not None
    newest.delete()
    assert run() == ("The database is not up to date: run `manage.py migrate`.", 4)


def test_erasing_names_what_went_and_what_stays() -> None:
    story = tell()
    email = story.round.task_request.email
    out, code = run("--erase", email, "--dry-run")
    assert (code, Round.objects.count()) == (0, 1)
    assert "1 tasks with 1 rounds would go" in out
    said: dict[str, Any] = json.loads(run("--erase", email, "--json")[0])
    assert (said["tasks"], said["rows"]["screenshots"], said["stays"]) == (1, 5, ["https://example.org/page/"])
    assert Round.objects.count() == 0


def test_the_nightly_prune_is_switched_on_with_its_ages_and_off() -> None:
    out, code = run("--nightly", "on", "--rounds-days", "90", "--repos")
    assert (code, "03:17 UTC" in out) == (0, True)
    assert "'rounds_days': 90.0" in Schedule.objects.get().kwargs
    assert "'repos': True" in Schedule.objects.get().kwargs
    assert json.loads(run("--nightly", "off", "--json")[0])["nightly"] is False
    assert not Schedule.objects.exists()
