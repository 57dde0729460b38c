"""What `manage.py gradebook` does: finds the book, changes what was asked for, writes an export, prints the sheet in short."""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime, time
from pathlib import Path
from typing import IO, Any

from django.core.management.base import CommandError
from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from tasks.classroom.exports import archive, grades, gradescope, results
from tasks.classroom.gradebook import books, changes, columns, locking
from tasks.classroom.gradebook.cells import Sheet
from tasks.classroom.gradebook.summary import Middle, RoundSummary, summary
from tasks.models import GradeBook, GradeColumn

Export = Callable[[GradeBook, IO[bytes]], None]
EXPORTS: dict[str, Export] = {"results": results.write, "csv": grades.write, "gradescope": gradescope.write, "zip": archive.write}


def wrong(message: str) -> CommandError:
    return CommandError(message, returncode=2)


# -- the book and what is to be changed in it ------------------------------------------------------------------------------------------------


def find(name: str) -> GradeBook:
    """The book of that name; without one the only book, or the default one."""
    names = list(GradeBook.objects.values_list("name", flat=True))
    if name:
        if book := GradeBook.objects.filter(name__iexact=name).first():
            return book
        raise wrong(f"There is no grade-book {name!r}: use {', '.join(names) or 'no name, and one is made'}.")
    if len(names) > 1 and books.DEFAULT not in names:
        raise wrong(f"There are several grade-books, name one: {', '.join(names)}.")
    return books.default_book()


def change(book: GradeBook, options: dict[str, Any]) -> None:
    """Everything that was asked for, or nothing of it and `Conflict`."""
    rules = {name: options[name] for name in ("best_of", "late_factor") if options[name] is not None}
    if rules.get("best_of") == 0:
        rules["best_of"] = None
    if options["publish"] is not None:
        rules["publish_at"] = moment(options["publish"])
    wanted = _columns(book, options)
    with transaction.atomic():
        if options["unlock"]:
            locking.unlock(book)
        if rules:
            changes.set_rules(book, **rules)
        if wanted:
            changes.set_columns(book, wanted)
        if options["lock"]:
            locking.lock(book)


def moment(text: str) -> datetime | None:
    if text == "never":
        return None
    if text == "now":
        return timezone.now()
    try:
        day = parse_date(text)
        found = datetime.combine(day, time()) if day else parse_datetime(text)
    except ValueError:
        found = None
    if found is None:
        raise wrong(f"--publish {text!r} is no moment: give 2026-12-01, 2026-12-01T18:00 (UTC), now or never.")
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _columns(book: GradeBook, options: dict[str, Any]) -> dict[int, tuple[float, bool]]:
    asked: list[tuple[str, float | None, bool | None]] = []
    for text in options["weight"]:
        name, _, weight = text.rpartition("=")
        try:
            asked.append((name, float(weight), None))
        except ValueError:
            raise wrong(f"--weight {text!r} has no number: write BRIEF/ROUND/KEY=2.") from None
    asked += [(name, None, dropped) for dropped in (True, False) for name in options["drop" if dropped else "undrop"]]
    if not asked:
        return {}
    columns.sync(book)
    known = {f"{column.brief_id}/{column.round}/{column.key}": column for column in columns.of(book)}
    wanted: dict[int, tuple[float, bool]] = {}
    for name, new_weight, new_dropped in asked:
        column = known.get(name)
        if column is None:
            raise wrong(f"There is no check {name!r} in {book.name}: `manage.py gradebook --columns` names them all as BRIEF/ROUND/KEY.")
        weight, dropped = wanted.get(column.pk, (column.weight, column.is_dropped))
        wanted[column.pk] = (weight if new_weight is None else new_weight, dropped if new_dropped is None else new_dropped)
    return wanted


# -- what it writes and prints -----------------------------------------------------------------------------------------------------------------


def export(book: GradeBook, kind: str, output: str, *, force: bool) -> int:
    """Write it whole or not at all; how many bytes. A file is readable for its owner only."""
    if output == "-":
        with archive.spooled(EXPORTS[kind], book) as held:
            return sum(sys.stdout.buffer.write(piece) for piece in iter(lambda: held.read(1 << 20), b""))
    path = Path(output)
    if path.exists() and not force:
        raise wrong(f"{output} is there already: give --force to replace it, or another name.")
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            try:
                EXPORTS[kind](book, file)
                file.flush()
                size = file.tell()
                Path(file.name).replace(path)
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        raise CommandError(f"{output} cannot be written: {error.strerror or error}.", returncode=1) from error
    return size


def data(found: Sheet) -> dict[str, Any]:
    book, told = found.book, summary(found)
    return {
        "name": book.name,
        "briefs": book.briefs or sorted({place.brief_id for place in told.rounds}),
        "best_of": book.best_of,
        "late_factor": book.late_factor,
        "locked_at": book.locked_at.isoformat() if book.locked_at else None,
        "publish_at": book.publish_at.isoformat() if book.publish_at else None,
        **asdict(told),
        "checks_with_errors_of_ours": told.open_checks,
        "reports_with_errors_of_ours": told.open_reports,
        "columns": [_column_data(found, column) for column in found.columns],
    }


def lines(found: Sheet, *, with_columns: bool) -> Iterator[str]:
    book, told = found.book, summary(found)
    yield f"{book.name}: {told.students:,} students{_scores(told.scores)}; {_rules(book)}"
    for one in told.rounds:
        yield _round(one)
        if with_columns:
            of_round = [column for column in found.columns if (column.brief_id, column.round) == (one.brief_id, one.round)]
            yield from (_column(found, column) for column in of_round)
    if not told.rounds:
        yield "Nothing was issued to the class yet: `manage.py issue_round`."
    parts = [
        f"{number:,} {word}{'' if number == 1 else 's'}" for number, word in ((told.open_checks, "check"), (told.open_reports, "report")) if number
    ]
    if parts:
        verb = "has" if told.open_checks + told.open_reports == 1 else "have"
        yield f"{' and '.join(parts)} {verb} an error of ours, which is nobody's failure: `manage.py evaluate --errors` runs them again."


def _rules(book: GradeBook) -> str:
    said = [f"best {book.best_of} of the briefs" if book.best_of else "all briefs count", f"late × {book.late_factor:g}"]
    said.append(f"locked {book.locked_at:%d %b %Y %H:%M} UTC" if book.locked_at else "not locked")
    said.append(f"published {'since' if book.is_published else 'from'} {book.publish_at:%d %b %Y %H:%M} UTC" if book.publish_at else "not published")
    return ", ".join(said)


def _scores(scores: Middle) -> str:
    return "" if scores.mean is None else f", {scores.of:,} with a score: mean {scores.mean:.1f}, median {scores.median:.1f} of 100"


def _round(one: RoundSummary) -> str:
    words = {
        "evaluated": one.evaluated,
        "to be evaluated": one.to_be_evaluated,
        "could not be evaluated": one.could_not_be_evaluated,
    }
    reported = ", ".join(f"{number:,} {word}" for word, number in words.items() if number)
    rest = {"not reported": one.not_reported, "not accepted": one.not_accepted}
    missing = "".join(f", {number:,} {word}" for word, number in rest.items() if number)
    late = f", {one.late:,} of them late" if one.late else ""
    issued = f"{one.issued:,} issued = {one.reported:,} reported ({reported or 'none'}{late}){missing}"
    return f"  {one.brief_id} round {one.round}: {issued}{_scores(one.scores)}"


def _column_data(found: Sheet, column: GradeColumn) -> dict[str, Any]:
    counts = Counter(row.cells[column.pk].status for row in found.rows)
    name = f"{column.brief_id}/{column.round}/{column.key}"
    return {"name": name, "title": column.title, "weight": column.weight, "dropped": column.is_dropped, "counts": dict(counts)}


def _column(found: Sheet, column: GradeColumn) -> str:
    told = _column_data(found, column)
    counts = ", ".join(f"{number:,} {status}" for status, number in sorted(told["counts"].items()) if status)
    weight = "dropped" if column.is_dropped else f"× {column.weight:g}"
    return f"    {weight:>8}  {told['name']}  {column.title[:80]}: {counts}"
