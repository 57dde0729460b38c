"""Lock a grade-book: the sheet as it is now is kept in `Grade` rows, and holds whatever happens to check results, reports and weights."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from tasks.classroom.gradebook import columns, journal, kept
from tasks.classroom.gradebook.sheet import sheet
from tasks.errors import Conflict
from tasks.models import Grade, GradeBook


def lock(book: GradeBook, user: Any = None) -> int:
    """Keep the sheet; how many students it has. `Conflict` where the book is locked already. `book` itself is brought up to date."""
    with transaction.atomic():
        unlocked(book)
        columns.sync(book)
        now, rows = timezone.now(), sheet(book).rows
        Grade.objects.filter(book=book).delete()
        grades = (Grade(book=book, submission_id=row.submission_id, score=row.total, detail=kept.pack(row), made_at=now) for row in rows)
        Grade.objects.bulk_create(grades, batch_size=100)
        book.locked_at, book.locked_by = now, user if getattr(user, "pk", None) else None
        book.save(update_fields=["locked_at", "locked_by"])
        journal.note(user, book, f"Locked with {len(rows):,} students.")
    return len(rows)


def unlock(book: GradeBook, user: Any = None) -> int:
    """Compute again from now on; how many kept grades went. `Conflict` where the book is not locked."""
    with transaction.atomic():
        book.refresh_from_db(from_queryset=GradeBook.objects.select_for_update())
        if book.locked_at is None:
            raise Conflict(f"The grade-book {book.name} is not locked.")
        gone = Grade.objects.filter(book=book).delete()[0]
        book.locked_at = book.locked_by = None
        book.save(update_fields=["locked_at", "locked_by"])
        journal.note(user, book, f"Unlocked: {gone:,} kept grades removed.")
    return gone


def unlocked(book: GradeBook) -> None:
    """`book` as it is stored now, held until the end of the caller's transaction; `Conflict` where it is locked."""
    book.refresh_from_db(from_queryset=GradeBook.objects.select_for_update())
    if book.locked_at is not None:
        raise Conflict(f"The grade-book {book.name} was locked on {book.locked_at:%d %b %Y}: unlock it first.")
