"""`manage.py gradebook`: what it prints, writes and changes, and with which exit code it ends."""

from __future__ import annotations

import csv
import json
import re
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from zipfile import ZipFile

import pytest
from django.core.management import CommandError, call_command

from tasks.classroom.gradebook import books
from tasks.classroom.gradebook.sheet import sheet
from tasks.classroom.gradebook.summary import summary
from tasks.management import gradebook
from tasks.models import CheckResult, GradeBook, IssuedTask, RepoReport
from tests.classroom.graded import Graded, make_class

pytestmark = pytest.mark.django_db


def run(*args: str) -> tuple[str, int]:
    """(standard output, exit code); a refusal with its message."""
    out = StringIO()
    try:
        call_command("gradebook", *args, stdout=out, stderr=out)
    except CommandError as error:
        return str(error), error.returncode
    return out.getvalue(), 0


@pytest.fixture
def made() -> Graded:
    """Student 0 to 5: fine, late, not reported, not accepted, could not be evaluated, to be evaluated; only student 0 has round 2."""
    made = make_class(
        6,
        common=1,
        checks=1,
        rounds=2,
        late=lambda student, *_: student == 1,
        reported=lambda student, *_: student not in (2, 3),
        issued=lambda student, brief, round: student == 0 or round == 1,
    )
    IssuedTask.objects.filter(pk=made.issued[3, "sales-total", 1].pk).update(status="given_up")
    for student, state in ((4, "error"), (5, "queued")):
        report = made.reports[student, "sales-total", 1]
        RepoReport.objects.filter(pk=report.pk).update(state=state)
        CheckResult.objects.filter(report=report).delete()
    CheckResult.objects.filter(pk=made.result(0, "license:mit-license").pk).update(status="error")
    return made


def test_it_prints_the_class_in_short_with_counts_that_add_up(made: Graded) -> None:
    out, code = run()
    lines = out.splitlines()
    assert (code, len(lines)) == (0, 4)
    assert re.fullmatch(r"Course: 6 students, 4 with a score: mean \d+\.\d, median \d+\.\d of 100; all briefs count, late × 1, .*", lines[0])
    assert lines[1].startswith(
        "  sales-total round 1: 6 issued = 4 reported (2 evaluated, 1 to be evaluated, 1 could not be evaluated, 1 of them late), "
        "1 not reported, 1 not accepted, 4 with a score: mean "
    )
    assert lines[2].startswith("  sales-total round 2: 1 issued = 1 reported (1 evaluated), 3 with a score")
    assert lines[3].startswith("1 check and 1 report have an error of ours")
    assert "`manage.py evaluate --errors`" in lines[3]
    for one in summary(sheet(books.default_book())).rounds:
        assert one.issued + one.not_issued == 6
        assert one.issued == one.reported + one.not_reported + one.not_accepted
        assert one.reported == one.evaluated + one.to_be_evaluated + one.could_not_be_evaluated


def test_a_course_without_anything_is_said_to_be_empty() -> None:
    out, code = run()
    assert (code, out.splitlines()) == (
        0,
        [
            "Course: 0 students; all briefs count, late × 1, not locked, not published",
            "Nothing was issued to the class yet: `manage.py issue_round`.",
        ],
    )


def test_json_has_the_same_figures_and_every_check(made: Graded) -> None:
    data = json.loads(run("--json")[0])
    found = summary(sheet(books.default_book()))
    assert (data["name"], data["students"], data["briefs"]) == ("Course", 6, ["sales-total"])
    assert data["scores"]["mean"] == pytest.approx(found.scores.mean)
    assert (data["checks_with_errors_of_ours"], data["reports_with_errors_of_ours"]) == (1, 1)
    names = [column["name"] for column in data["columns"]]
    assert names == [f"sales-total/{round}/{key}" for round in (1, 2) for key in ("v0-check-1", "license:mit-license")]
    assert data["columns"][1]["counts"] == {"error": 1, "pass": 1, "absent": 2, "undecided": 2}
    listed = run("--columns")[0]
    assert [name for name in names if name not in listed] == []


def test_weights_drops_and_rules_are_set_and_the_new_scores_printed(made: Graded) -> None:
    args = ["--weight", "sales-total/1/v0-check-1=3", "--weight", "sales-total/2/v0-check-1=0", "--drop", "sales-total/1/license:mit-license"]
    out, code = run(*args, "--best-of", "2", "--late-factor", "0.5")
    assert (code, "best 2 of the briefs, late × 0.5" in out) == (0, True)
    columns = {(column.round, column.key): (column.weight, column.is_dropped) for column in GradeBook.objects.get().columns.all()}
    assert columns[1, "v0-check-1"] == (3.0, False)
    assert columns[2, "v0-check-1"] == (0.0, False)
    assert columns[1, "license:mit-license"] == (1.0, True)
    out, code = run("--undrop", "sales-total/1/license:mit-license", "--best-of", "0")
    assert (code, "all briefs count" in out, GradeBook.objects.get().columns.filter(is_dropped=True).exists()) == (0, True, False)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-12-01", datetime(2026, 12, 1, tzinfo=UTC)),
        ("2026-12-01T18:30", datetime(2026, 12, 1, 18, 30, tzinfo=UTC)),
        ("2026-12-01 18:30+02:00", datetime(2026, 12, 1, 16, 30, tzinfo=UTC)),
        ("never", None),
    ],
)
def test_the_moment_of_publishing_is_taken_as_utc(text: str, moment: datetime | None) -> None:
    assert run("--publish", text)[1] == 0
    assert GradeBook.objects.get().publish_at == moment


def test_publishing_now_shows_the_reports() -> None:
    assert "published since" in run("--publish", "now")[0]
    assert GradeBook.objects.get().is_published


def test_a_locked_book_refuses_with_exit_code_1_and_nothing_is_half_done(made: Graded) -> None:
    assert "locked " in run("--lock")[0]
    out, code = run("--late-factor", "0.1", "--publish", "now")
    assert (code, "unlock it first" in out) == (1, True)
    assert (GradeBook.objects.get().publish_at, GradeBook.objects.get().late_factor) == (None, 1.0)
    assert run("--unlock", "--late-factor", "0.1", "--lock")[1] == 0
    assert (GradeBook.objects.get().late_factor, GradeBook.objects.get().locked_at is None) == (0.1, False)
    assert run("--lock")[1] == 1
    assert run("--unlock", "--weight", "sales-total/1/v0-check-1=5000")[1] == 1
    assert GradeBook.objects.get().locked_at is not None


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["Nobody"], "There is no grade-book 'Nobody'"),
        (["--weight", "sales-total/1/none=2"], "manage.py gradebook --columns"),
        (["--weight", "sales-total/1/v0-check-1"], "has no number"),
        (["--weight", "sales-total/1/v0-check-1=two"], "has no number"),
        (["--drop", "x"], "There is no check 'x'"),
        (["--publish", "soon"], "is no moment"),
        (["--publish", "2026-13-40"], "is no moment"),
        (["--export", "csv"], "go together"),
        (["--output", "x"], "go together"),
    ],
)
def test_wrong_usage_ends_with_exit_code_2(args: list[str], words: str, made: Graded) -> None:
    sheet(books.default_book())
    out, code = run(*args)
    assert (code, words in out) == (2, True)


def test_several_books_need_a_name_unless_one_is_the_course() -> None:
    for name in ("Autumn", "Spring"):
        GradeBook.objects.create(name=name)
    out, code = run()
    assert (code, "name one: Spring, Autumn" in out) == (2, True)
    assert run("autumn")[0].startswith("Autumn: 0 students")
    GradeBook.objects.create(name="Course")
    assert run()[0].startswith("Course:")


# -- files -------------------------------------------------------------------------------------------------------------------------------


def test_exports_are_written_and_not_over_another_file_without_a_word(made: Graded, tmp_path: Path) -> None:
    file = tmp_path / "grades.csv"
    out, code = run("--export", "csv", "--output", str(file))
    assert (code, out.splitlines()[0]) == (0, f"{file}: {file.stat().st_size:,} bytes.")
    assert len(list(csv.DictReader(StringIO(file.read_text(encoding="utf-8-sig"))))) == 6
    assert file.stat().st_mode & 0o077 == 0
    file.write_text("mine")
    out, code = run("--export", "csv", "--output", str(file))
    assert (code, "--force" in out, file.read_text()) == (2, True, "mine")
    for kind, name in (("results", "r.csv"), ("gradescope", "g.zip"), ("zip", "all.zip"), ("csv", "grades.csv")):
        assert run("--export", kind, "--output", str(tmp_path / name), "--force")[1] == 0
    assert file.read_text() != "mine"
    with ZipFile(tmp_path / "all.zip") as zipped:
        assert "gradebook.csv" in zipped.namelist()
    assert {path.name for path in tmp_path.iterdir()} == {"grades.csv", "r.csv", "g.zip", "all.zip"}


def test_standard_output_gets_the_file_and_nothing_else(made: Graded, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert run("--export", "results", "--output", "-") == ("", 0)
    lines = capfdbinary.readouterr().out.decode("utf-8-sig").splitlines()
    assert (lines[0].startswith('"timestamp","email"'), len(lines)) == (True, 1 + CheckResult.objects.count())


def test_what_cannot_be_written_leaves_nothing_behind(made: Graded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out, code = run("--export", "csv", "--output", str(tmp_path / "no" / "folder.csv"))
    assert (code, "cannot be written" in out) == (1, True)

    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setitem(gradebook.EXPORTS, "csv", full)
    out, code = run("--export", "csv", "--output", str(tmp_path / "x.csv"))
    assert (code, "No space left on device" in out, list(tmp_path.iterdir())) == (1, True, [])


def test_without_tables_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GradeBook._meta, "db_table", "no_such_table")
    out, code = run()
    assert (code, "manage.py migrate" in out) == (4, True)
