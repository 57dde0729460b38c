"""The database during a fuzz run: every case starts on the same rows, and whatever it wrote can be searched."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction
from django_q.models import OrmQ
from django_q.signing import SignedPackage


class _Undo(Exception):
    pass


@contextmanager
def rolled_back() -> Iterator[None]:
    """Undo what the block writes."""
    try:
        with transaction.atomic():
            yield
            raise _Undo
    except _Undo:
        pass


def everything() -> str:
    """Every value of every row of every table, as text; messages of the queue also unpacked."""
    parts = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            parts += [_text(value) for row in cursor.fetchall() for value in row]
    return "\n".join([*parts, *(str(SignedPackage.loads(queued.payload)) for queued in OrmQ.objects.all())])


def _text(value: object) -> str:
    return bytes(value).decode("utf-8", "replace") if isinstance(value, bytes | memoryview) else str(value)
