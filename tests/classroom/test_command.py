"""`manage.py submissions`: what it prints and with which exit code it ends."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tasks.models import Submission
from tests.emulators.base import Emulator, Reply
from tests.factories import make_submission

pytestmark = pytest.mark.django_db

SHEET = (
    "timestamp,email,endpoint,secret\n"
    "2025-10-05,ann@example.org,https://ann.example.org/ready,s3cret-ann\n"
    "2025-10-05,bob@example.org,bob.example.org,s3cret-bob\n"
    "05/06/2025,eve@example.org,https://eve.example.org,s3cret-eve\n"
)


def run(*args: str) -> tuple[str, int]:
    """(standard output and error, exit code); 2 and 4 with their message."""
    out = StringIO()
    try:
        call_command("submissions", *args, stdout=out, stderr=out)
    except SystemExit as end:
        return out.getvalue(), int(end.code or 0)
    except CommandError as error:
        return str(error), error.returncode
    return out.getvalue(), 0


def test_a_sheet_is_imported_whole_or_after_a_word_its_good_rows(tmp_path: Path) -> None:
    file = tmp_path / "form.csv"
    file.write_text(SHEET)
    out, code = run("import", str(file))
    assert (code, Submission.objects.count()) == (1, 0)
    for part in (
        "line 3: bob@example.org: The endpoint does not begin",
        "line 4: eve@example.org: The endpoint does not end",
        "day/month/year",
        "2 new, 0",
    ):
        assert part in out
    dry, code = run("import", str(file), "--good-rows", "--dry-run")
    assert (code, "Would be imported: 2 new" in dry, Submission.objects.count()) == (0, True, 0)
    done, code = run("import", str(file), "--good-rows", "--json")
    found = json.loads(done)
    assert (code, found["stored"], found["new"], [bad["line"] for bad in found["bad"]]) == (0, True, 2, [3])
    listed, code = run("list")
    assert (code, "2 submissions" in listed) == (0, True)
    assert [row["email"] for row in json.loads(run("list", "--json")[0])] == ["ann@example.org", "eve@example.org"]
    assert "s3cret" not in out + dry + done + listed


def test_what_cannot_be_done_has_its_exit_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bad.csv").write_text("a,b\ns3cret,2\n")
    for args, words in (
        (("import", str(tmp_path / "none.csv")), "cannot be read"),
        (("import", str(tmp_path / "bad.csv")), "does not name the columns"),
        (("probe",), "No student takes part"),
        (("probe", "--email", "x@example.org"), "no submission of"),
    ):
        out, code = run(*args)
        assert (code, words in out, "s3cret" in out) == (2, True, False)
    monkeypatch.setattr(Submission._meta, "db_table", "no_such_table")
    out, code = run("list")
    assert (code, "manage.py migrate" in out) == (4, True)


def test_the_services_are_asked_and_the_exit_code_says_whether_all_answer() -> None:
    with Emulator() as service:
        rows = [make_submission("s3cret", endpoint=f"{service.url}/ready", is_active=number > 0) for number in range(3)]
        service.enqueue(Reply(405), Reply(405))
        out, code = run("probe")
        assert (code, out.splitlines()[-1], len(service.requests)) == (0, "2 answers", 2)
        out, code = run("probe", "--email", rows[0].email.upper(), "--json")
        (asked,) = json.loads(out)
    assert (code, asked["email"], asked["probe"], "HTTP 404" in asked["detail"]) == (1, rows[0].email, "wrong_place", True)
    assert set(Submission.objects.values_list("probe", flat=True)) == {"answers", "wrong_place"}
