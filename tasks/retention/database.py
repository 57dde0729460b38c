"""The size of the database, and giving freed room back to the file system."""

from __future__ import annotations

from django.db import connection
from django.db.backends.utils import CursorWrapper


def size() -> int:
    """Bytes on the disk, without the write-ahead log."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            return int(_pragma(cursor, "page_count") * _pragma(cursor, "page_size"))
        cursor.execute("SELECT pg_database_size(current_database())")
        return int(cursor.fetchone()[0])


def free() -> int:
    """Bytes of the file that hold nothing and are used again by what comes. Only SQLite tells."""
    if connection.vendor != "sqlite":
        return 0
    with connection.cursor() as cursor:
        return int(_pragma(cursor, "freelist_count") * _pragma(cursor, "page_size"))


def vacuum() -> None:
    """SQLite: write the file anew without its free pages; nobody else can write meanwhile, and there must be room for two more copies of what is left
    (beside the file, and where temporary files go). PostgreSQL: mark the room as free, beside everything else that goes on."""
    with connection.cursor() as cursor:
        if connection.vendor != "sqlite":
            cursor.execute("VACUUM")
            return
        before = _pragma(cursor, "temp_store")
        cursor.execute("PRAGMA temp_store = FILE")  # or the copy would be made in memory
        try:
            cursor.execute("VACUUM")
        finally:
            cursor.execute(f"PRAGMA temp_store = {before}")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _pragma(cursor: CursorWrapper, name: str) -> int:
    return int(cursor.execute(f"PRAGMA {name}").fetchone()[0])
