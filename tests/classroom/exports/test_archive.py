"""Everything as one zip."""

from __future__ import annotations

import io
import json
import tracemalloc
from hashlib import sha256
from pathlib import PurePosixPath
from typing import IO
from zipfile import ZipFile

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tasks.classroom.exports import archive, gradescope
from tasks.classroom.exports.names import folders, segment
from tasks.classroom.gradebook import books
from tasks.models import GradeBook, IssuedTask, Screenshot, Submission
from tests.classroom.exports.conftest import Course
from tests.classroom.graded import WEBP, make_class


def entries(book: GradeBook) -> dict[str, bytes]:
    with archive.spooled(archive.write, book) as file, ZipFile(file) as zipped:
        assert zipped.testzip() is None
        names = zipped.namelist()
        assert len({name.casefold() for name in names}) == len(names)
        return {name: zipped.read(name) for name in names}


def test_it_holds_tables_reports_pictures_and_a_manifest_that_is_right(course: Course) -> None:
    found = entries(course.book)
    emails = [row.email for row in course.sheet.rows]
    assert {name for name in found if "/" not in name} == {"README.txt", "results.csv", "gradebook.csv", "manifest.json"}
    for email in emails:
        assert json.loads(found[f"gradescope/{email}/results.json"])["extra_data"]["email"] == email
    shots = {name: content for name, content in found.items() if name.startswith("shots/")}
    assert (len(shots), set(shots.values())) == (len(course.made.reports), {WEBP})
    assert "shots/student0003@example.org/bar-chart-r1-desktop.webp" in shots
    manifest = json.loads(found.pop("manifest.json"))
    assert {entry["path"]: (entry["bytes"], entry["sha256"]) for entry in manifest["files"]} == {
        name: (len(content), sha256(content).hexdigest()) for name, content in found.items()
    }
    assert (manifest["grade_book"], manifest["students"]) == ("Course", 4)


def test_a_students_report_says_all_that_the_sheet_does(course: Course) -> None:
    found, sheet = entries(course.book), course.sheet
    for row in sheet.rows:
        report = json.loads(found[f"reports/{row.email}.json"])
        assert (report["total"], report["briefs"], report["counted"]) == (row.total, row.briefs, sorted(row.counted))
        assert [(one["brief"], one["round"]) for one in report["rounds"]] == list(row.rounds)
        for one in report["rounds"]:
            scored = row.rounds[one["brief"], one["round"]]
            assert (one["score"], one["state"], one["late"]) == (scored.score, scored.state, scored.late)
            asked = [
                column for column in sheet.columns if (column.brief_id, column.round) == (one["brief"], one["round"]) and row.cells[column.pk].status
            ]
            assert [(check["key"], check["score"]) for check in one["checks"]] == [(column.key, row.cells[column.pk].score) for column in asked]
            assert (one["report"] is None) == (scored.report_id is None)
    late = json.loads(found["reports/student0001@example.org.json"])["rounds"][0]
    assert late["report"]["repo_url"] == course.made.reports[1, "bar-chart", 1].repo_url


def test_the_readme_says_what_book_it_is_of_as_it_is_written(course: Course) -> None:
    GradeBook.objects.update(name='Autumn <&> "26"')
    course.book.refresh_from_db()
    text = entries(course.book)["README.txt"].decode()
    assert text.startswith('The grade-book "Autumn <&> "26"" as of ')
    assert "the mean of the 1 best." in text
    assert "multiplied by 0.5" in text


@pytest.mark.parametrize(
    "email", ["../../etc/x@example.org", '"a/b"@example.org', "..@x", "c:\\x@example.org", "CON", "-rf@x.org", "a\u202eb@x.org", "." * 9]
)
def test_no_path_of_it_leads_out(email: str, course: Course) -> None:
    Submission.every.filter(email="student0003@example.org").update(email=email)
    IssuedTask.objects.filter(brief_id="bar-chart").update(brief_id="../../up")
    for name in entries(course.book):
        path = PurePosixPath(name)
        assert not path.is_absolute()
        assert not {"", ".", ".."} & set(name.split("/"))
        assert all(char.isascii() and char.isprintable() and char not in '\\:*?"<>|' for char in name)
        assert not any(part.startswith((".", "-")) or part.endswith((".", " ")) for part in path.parts)


def test_addresses_that_look_the_same_as_file_names_are_kept_apart() -> None:
    named = folders(["a/b@x.org", "a?b@x.org", "A_b@x.org", "a_b@x.org-2", "plain@x.org"])
    assert len({name.casefold() for name in named.values()}) == 5
    assert (named["plain@x.org"], segment("x" * 300)) == ("plain@x.org", "x" * 100)


def test_no_secret_brief_or_attachment_is_in_it(course: Course) -> None:
    Submission.every.update(sealed_secret="sealed-secret-of-a-student")
    whole = b" ".join(entries(course.book).values())
    for words in (b"sealed-secret", b"Publish the page of", b"data:text/csv", b"example.org/ready", b"nonce"):
        assert words not in whole


class Unseekable(io.RawIOBase):
    """As a response or a pipe: bytes go in, and that is all."""

    def __init__(self) -> None:
        self.held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, content: bytes) -> int:  # type: ignore[override]
        self.held += content
        return len(content)


@pytest.mark.parametrize("export", [archive, gradescope])
def test_it_can_be_written_to_a_pipe(export: type[archive], course: Course) -> None:
    out: IO[bytes] = Unseekable()  # type: ignore[assignment]
    export.write(course.book, out)
    with ZipFile(io.BytesIO(bytes(out.held))) as zipped:  # type: ignore[attr-defined]
        assert zipped.testzip() is None
        assert len(zipped.namelist()) >= 4


def test_memory_does_not_grow_with_the_pictures(db: None) -> None:
    make_class(40, common=1, checks=0, shots=True)
    Screenshot.objects.update(content=b"x" * 1_000_000)
    tracemalloc.start()
    with archive.spooled(archive.write, books.default_book()) as file:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert file.seek(0, io.SEEK_END) > 40_000_000
    assert peak < 36_000_000  # a chunk of them, not all 40 MB


def test_pictures_and_results_are_read_some_at_a_time_with_few_queries(db: None) -> None:
    make_class(20, common=1, checks=1, shots=True)
    with CaptureQueriesContext(connection) as queries:
        entries(books.default_book())
    assert len(queries) < 30
