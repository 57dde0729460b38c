"""A link to one student's own scores that needs no account: the address holds the grade-book and the submission, signed.

Whoever has the address can read the page, as long as the grade-book is published; nobody can make one without SECRET_KEY. It is the same each time
it is made, so that a list can be sent again.
"""

from __future__ import annotations

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.urls import reverse

from tasks.models import GradeBook, Screenshot, Submission

SALT = "tasks.classroom.links"


def token(book: GradeBook, submission: Submission | int) -> str:
    """`submission`: the row, or its id."""
    return _signer().sign_object([book.pk, submission if isinstance(submission, int) else submission.pk])


def report_url(book: GradeBook, submission: Submission | int) -> str:
    """The whole address, for a mail or a list. It answers 404 until the book is published."""
    return f"{settings.PUBLIC_URL}{reverse('student-report', args=[token(book, submission)])}"


def read(text: str) -> tuple[int, int]:
    """The ids of book and submission; BadSignature for what was not made here."""
    try:
        book, submission = _signer().unsign_object(text)
        return int(book), int(submission)
    except (ValueError, TypeError) as error:  # signed by this key, but no such pair
        raise BadSignature("It holds no grade-book and submission.") from error


def published(book: int, submission: int) -> tuple[GradeBook, Submission] | None:
    """Both rows, once the students of that book may read; None before, and for what is gone or was practice."""
    row, student = GradeBook.objects.filter(pk=book).first(), Submission.objects.defer("sealed_secret").filter(pk=submission).first()
    return (row, student) if row is not None and student is not None and row.is_published else None


def picture(book: GradeBook, submission: Submission, pk: int) -> Screenshot | None:
    """A screenshot of what this student reported on a brief of this book."""
    rows = Screenshot.objects.filter(pk=pk, report__issued__submission=submission)
    return (rows.filter(report__issued__brief_id__in=book.briefs) if book.briefs else rows).first()


def _signer() -> Signer:
    return Signer(sep=".", salt=SALT)
