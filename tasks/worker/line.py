"""The doorbell between machines, where the database is PostgreSQL: NOTIFY in the transaction that stores a message, LISTEN in every cluster.

Rows stay the truth. A ring that is lost (a cut connection, a pooler that does not pass LISTEN on) costs the poll time, no more.
"""

from __future__ import annotations

import time

from django.db import DatabaseError, InterfaceError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

CHANNEL = "deployer_queue"  # of this database; others on the server do not hear it
AGAIN_SECONDS = 5.0  # between attempts to listen


def ring(connection: BaseDatabaseWrapper) -> None:
    """Wake the clusters of every machine once the connection's transaction commits. A database that is a file has one machine: nothing to do."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"NOTIFY {CHANNEL}")


class Line:
    """A connection that only listens, of the process that waits."""

    def __init__(self, using: str) -> None:
        self._using = using
        self._connection: BaseDatabaseWrapper | None = None
        self._try_at = 0.0

    def fileno(self) -> int:
        """Readable after a ring; -1 while there is no line, which a poll ignores."""
        if self._connection is None and connections[self._using].vendor == "postgresql" and time.monotonic() >= self._try_at:
            self._try_at = time.monotonic() + AGAIN_SECONDS
            self._connection = connections[self._using].copy()
            try:
                with self._connection.cursor() as cursor:
                    cursor.execute(f"LISTEN {CHANNEL}")
            except (DatabaseError, InterfaceError):
                self.close()
        return self._connection.connection.fileno() if self._connection else -1

    def hear(self) -> None:
        """Take the rings that have come; a line that was cut is closed, and made anew by a later `fileno`."""
        if self._connection:
            try:
                with self._connection.wrap_database_errors:
                    list(self._connection.connection.notifies(timeout=0))
            except (DatabaseError, InterfaceError):
                self.close()

    def close(self) -> None:
        if self._connection:
            self._connection.close()
            self._connection = None
