"""INSERT statements that are written once and then only filled in: the ORM's own take several times as long, and the accept path makes four.

The columns come from the model, so a new field with a default needs nothing here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

from django.db import connection, models
from django.db.backends.utils import CursorWrapper


class Insert:
    """`Insert(Model, "a", "b")` adds rows with these two fields given and every other one at its model's default. No signals are sent.

    With `returning` it gives these fields of the new rows, as the database has them, and leaves out what is there already."""

    def __init__(self, model: type[models.Model], *given: str, returning: Sequence[str] = ()) -> None:
        self._model, self._given, self._returning = model, given, returning

    def rows(self, cursor: CursorWrapper, rows: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
        """Add these rows with one statement."""
        if not rows:
            return []
        places = f"({', '.join('%s' for _ in self._fields)})"
        start, end = self._statement
        cursor.execute(f"{start} {', '.join([places] * len(rows))} {end}", [value for row in rows for value in self._row(row)])
        return cursor.fetchall() if self._returning else []

    def _row(self, values: Sequence[Any]) -> list[Any]:
        given = [prepare(value, connection) for prepare, value in zip(self._prepare, values, strict=True)]
        return given + [default() if callable(default) else default for default in self._defaults]

    @cached_property
    def _fields(self) -> list[models.Field[Any, Any]]:
        """Those given, then the others."""
        fields = {field.name: field for field in self._model._meta.concrete_fields if not field.primary_key}
        return [fields.pop(name) for name in self._given] + list(fields.values())

    @cached_property
    def _statement(self) -> tuple[str, str]:
        """What stands before and behind the values."""
        quote, table = connection.ops.quote_name, self._model._meta.db_table
        columns = {field.name: quote(str(field.column)) for field in self._model._meta.concrete_fields}
        wanted = ", ".join(columns[name] for name in self._returning)
        end = f"ON CONFLICT DO NOTHING RETURNING {wanted}" if wanted else ""
        return f"INSERT INTO {quote(table)} ({', '.join(columns[field.name] for field in self._fields)}) VALUES", end

    @cached_property
    def _prepare(self) -> list[Callable[[Any, Any], Any]]:
        return [field.get_db_prep_save for field in self._fields[: len(self._given)]]

    @cached_property
    def _defaults(self) -> list[Any]:
        """For each of the other fields its default as the database takes it, or what makes one for each row."""
        return [_default(field) for field in self._fields[len(self._given) :]]


def _default(field: models.Field[Any, Any]) -> Any:
    def make() -> Any:
        return field.get_db_prep_save(field.get_default(), connection)

    varies = field.has_default() and callable(field.default) and field.default not in (list, dict)
    return make if varies else make()
