"""Which grade-book, and which reports count in it."""

from __future__ import annotations

from django.db.models import QuerySet

from tasks.classroom.evaluating import queue
from tasks.models import GradeBook, IssuedTask, RepoReport, Submission

DEFAULT = "Course"


def default_book() -> GradeBook:
    """The book called "Course", else the newest one; made when there is none."""
    book = GradeBook.objects.filter(name=DEFAULT).first() or GradeBook.objects.order_by("-pk").first()
    return book or GradeBook.objects.get_or_create(name=DEFAULT)[0]


def course() -> QuerySet[Submission]:
    return Submission.objects.order_by()


def issued_tasks(book: GradeBook) -> QuerySet[IssuedTask]:
    """All that was issued to the course of the briefs that the book is about."""
    rows = IssuedTask.objects.filter(submission__is_practice=False).order_by()
    return rows.filter(brief_id__in=book.briefs) if book.briefs else rows


def counted_reports(issued: QuerySet[IssuedTask]) -> QuerySet[RepoReport]:
    """Of each issued task the last report that came in time, else the last one; in no order."""
    return queue.counted_reports(issued).order_by()
