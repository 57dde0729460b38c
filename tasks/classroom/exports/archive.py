"""Everything of a grade-book as one zip. Pictures and tables go through piece by piece, so that memory does not grow with the class."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from django.template.loader import render_to_string
from django.utils import timezone

from tasks.classroom.exports import grades, gradescope, reported, results, student
from tasks.classroom.exports.gradescope import encoded
from tasks.classroom.exports.names import folders, segment
from tasks.classroom.exports.sink import cleaner
from tasks.classroom.gradebook.cells import Sheet
from tasks.classroom.gradebook.sheet import sheet
from tasks.models import GradeBook, Screenshot

IN_MEMORY = 8_000_000  # bytes of a spooled archive; more goes to the disk
SHOT = "desktop"
AT_ONCE = 10  # pictures that are held at a time
ENDINGS = {"image/png": ".png", "image/jpeg": ".jpg", "image/webp": ".webp"}


def spooled(write: Callable[[GradeBook, IO[bytes]], None], book: GradeBook) -> IO[bytes]:
    """A temporary file, at its beginning, with what that export writes."""
    file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # the caller closes it  # noqa: SIM115
    write(book, file)
    file.seek(0)
    return file


def write(book: GradeBook, out: IO[bytes]) -> None:
    found = sheet(book)
    reports, named = reported.load(found), folders(row.email for row in found.rows)
    with ZipFile(out, "w", ZIP_DEFLATED) as zipped:
        entries, clean = _Entries(zipped), cleaner()
        now = timezone.now()
        context = {"book": book, "made_at": now, "students": len(found.rows), "columns": len(found.columns)}
        entries.add("README.txt", render_to_string("exports/README.txt", context).encode())
        with entries.file("results.csv") as file:
            results.write(book, file)
        with entries.file("gradebook.csv") as file:
            grades.write(book, file, found)
        for row in found.rows:
            entries.add(f"gradescope/{named[row.email]}/results.json", encoded(gradescope.document(found, row, reports, clean)))
            entries.add(f"reports/{named[row.email]}.json", encoded(student.document(found, row, reports, clean)))
        for path, content in shots(found, named):
            entries.add(path, content, ZIP_STORED)
        manifest = {"grade_book": book.name, "made_at": now.isoformat(), "students": len(found.rows), "files": entries.told}
        entries.add("manifest.json", encoded(manifest))


class _Entries:
    """Adds files, each with a line for the manifest."""

    def __init__(self, zipped: ZipFile) -> None:
        self.zipped = zipped
        self.told: list[dict[str, Any]] = []

    def add(self, path: str, content: bytes, method: int = ZIP_DEFLATED) -> None:
        self.zipped.writestr(path, content, method)
        self.told.append({"path": path, "bytes": len(content), "sha256": sha256(content).hexdigest()})

    @contextmanager
    def file(self, path: str) -> Iterator[_Counted]:
        info = ZipInfo(path, timezone.now().timetuple()[:6])
        info.compress_type = ZIP_DEFLATED
        with self.zipped.open(info, "w") as file:
            counted = _Counted(file)
            yield counted
        self.told.append({"path": path, "bytes": counted.bytes, "sha256": counted.digest.hexdigest()})


class _Counted:
    def __init__(self, file: IO[bytes]) -> None:
        self.out, self.bytes, self.digest = file, 0, sha256()

    def write(self, content: bytes) -> int:
        self.bytes += len(content)
        self.digest.update(content)
        return self.out.write(content)


def shots(found: Sheet, named: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
    """The newest desktop picture of each counted report."""
    places = [(row.email, scored, scored.report_id) for row in found.rows for scored in row.rounds.values() if scored.report_id is not None]
    for start in range(0, len(places), AT_ONCE):
        chunk = places[start : start + AT_ONCE]
        rows = Screenshot.objects.filter(report__in=[report for *_, report in chunk], name=SHOT, media_type__in=ENDINGS).order_by("pk")
        pictures = {picture.report_id: picture for picture in rows}
        for email, scored, report in chunk:
            if report in pictures:
                name = f"{segment(scored.brief_id)}-r{scored.round}-{SHOT}{ENDINGS[pictures[report].media_type]}"
                yield f"shots/{named[email]}/{name}", bytes(pictures[report].content)
