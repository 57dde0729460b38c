"""What a person changes in a grade-book: weights, dropped checks, rules, overrides.

`Conflict` says why something cannot be: above all, nothing that scores depend on changes in a locked book. Every change is noted in the admin's
history. No check result is touched, so the next look at the sheet is the new score.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from tasks.classroom.gradebook import books, journal
from tasks.classroom.gradebook.columns import variant_of
from tasks.classroom.gradebook.locking import unlocked
from tasks.errors import Conflict
from tasks.models import GradeBook, GradeColumn, GradeOverride, IssuedTask, Submission

MOST_WEIGHT = 1_000.0
MOST_NOTE = 500  # characters
RULES = ("briefs", "best_of", "late_factor")  # what scores depend on
SHOWN = ("publish_at", "note", "name")  # what may change in a locked book, too


def set_columns(book: GradeBook, changes: Mapping[int, tuple[float, bool]], user: Any = None) -> int:
    """`changes`: column id → (weight, dropped); how many columns are other ones now."""
    with transaction.atomic():
        unlocked(book)
        known = {column.pk: column for column in book.columns.filter(pk__in=list(changes))}
        if missing := sorted(set(changes) - set(known)):
            raise Conflict(f"The grade-book {book.name} has no column {missing[0]}: load the page again.")
        said = []
        for pk, (weight, dropped) in changes.items():
            column = known[pk]
            if not isfinite(weight) or not 0 <= weight <= MOST_WEIGHT:
                raise Conflict(f"The weight of {column} must be 0 to {MOST_WEIGHT:,.0f}.")
            if (column.weight, column.is_dropped) != (weight, dropped):
                said.append(f"{column.brief_id} r{column.round} {column.key}: {_worth(column)} → {_worth(column, weight, dropped)}")
                column.weight, column.is_dropped = weight, dropped
        GradeColumn.objects.bulk_update(known.values(), ["weight", "is_dropped"], batch_size=200)
        if said:
            journal.note(user, book, f"Weights: {'; '.join(said)}.")
    return len(said)


def set_rules(book: GradeBook, user: Any = None, **fields: Any) -> list[str]:
    """Of the book's fields `briefs`, `best_of`, `late_factor`, `publish_at`, `note`, `name`; the names of those that are other ones now."""
    if unknown := sorted(set(fields) - {*RULES, *SHOWN}):
        raise TypeError(f"no rule of a grade-book: {', '.join(unknown)}")
    with transaction.atomic():
        stored = GradeBook.objects.select_for_update().get(pk=book.pk)
        changed = [name for name, value in fields.items() if getattr(stored, name) != value]
        if set(changed) & set(RULES):
            unlocked(book)
        said = [f"{name}: {_told(getattr(stored, name))} → {_told(fields[name])}" for name in changed]
        for name in changed:
            setattr(stored, name, fields[name])
        try:
            stored.full_clean()
        except ValidationError as error:
            raise Conflict(" ".join(f"{name}: {' '.join(texts)}" for name, texts in error.message_dict.items())) from error
        if changed:
            stored.save(update_fields=changed)
            journal.note(user, stored, f"{'; '.join(said)}.")
        book.refresh_from_db()
    return changed


def override(column: GradeColumn, submission: Submission, score: float, note: str, user: Any = None) -> GradeOverride:
    """A person's score (0 to 1) in the place of the check's own, with the reason, which the student reads."""
    note = note.strip()
    if not isfinite(score) or not 0 <= score <= 1:
        raise Conflict("The score must be 0 to 1.")
    if not note or len(note) > MOST_NOTE:
        raise Conflict(f"Give the reason, in at most {MOST_NOTE} characters: the student reads it.")
    with transaction.atomic():
        unlocked(column.book)
        _asked(column, submission)
        by = user if getattr(user, "pk", None) else None
        row, made = GradeOverride.objects.update_or_create(column=column, submission=submission, defaults={"score": score, "note": note, "by": by})
        journal.note(user, submission, f"{column.book.name}: {'new' if made else 'changed'} override for {column}: {score:g}. {note}")
    return row


def clear_override(column: GradeColumn, submission: Submission, user: Any = None) -> bool:
    """Let the check's own score count again; False where there was no override."""
    with transaction.atomic():
        unlocked(column.book)
        gone = GradeOverride.objects.filter(column=column, submission=submission).delete()[0]
        if gone:
            journal.note(user, submission, f"{column.book.name}: override for {column} cleared.")
    return bool(gone)


def _asked(column: GradeColumn, submission: Submission) -> None:
    rows = IssuedTask.objects.filter(submission__in=books.course(), submission=submission, brief_id=column.brief_id, round=column.round)
    variants = set(rows.order_by().values_list("variant", flat=True))
    if not variants:
        raise Conflict(f"{submission.email} was not issued round {column.round} of {column.brief_id}.")
    variant = variant_of(column.key)
    if variant is not None and variant not in variants:
        raise Conflict(f"{submission.email} was issued another variant of round {column.round} of {column.brief_id}, without this check.")


def _worth(column: GradeColumn, weight: float | None = None, dropped: bool | None = None) -> str:
    dropped = column.is_dropped if dropped is None else dropped
    return f"{column.weight if weight is None else weight:g}{' dropped' if dropped else ''}"


def _told(value: Any) -> str:
    if value in (None, "", []):
        return "none"
    return ", ".join(value) if isinstance(value, list) else f"{value:g}" if isinstance(value, float) else str(value)
