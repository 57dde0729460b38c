"""One transaction for what all threads want to store at the same moment.

A commit waits for the disk; while one does, the other threads queue up, and the first of them then writes for all. On a disk that takes 10 ms for a
commit, 16 connections get 16 answers in that time instead of one. On SQLite it is also what makes the waiting fair: SQLite's own is not (some wait
for seconds). Nobody is told that its item is stored before the transaction is committed.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from django.db import DatabaseError, InterfaceError, OperationalError, transaction

Item = TypeVar("Item")
Result = TypeVar("Result")


class _Ticket(Generic[Item, Result]):
    """One thread's item, and what came of it."""

    def __init__(self, item: Item) -> None:
        self.item = item
        self.taken = False
        self.results: list[Result] = []
        self.error: Exception | None = None


class GroupCommit(Generic[Item, Result]):
    """One for each process and table, shared by the threads.

    `store` writes a list of items, inside a transaction, and gives a result for each of them. It must do nothing but ask and change the database,
    since it is called again for each item alone when the database refuses them together."""

    def __init__(self, store: Callable[[list[Item]], list[Result]]) -> None:
        self._store = store
        self._waiting: deque[_Ticket[Item, Result]] = deque()
        self._turn = threading.Lock()

    def run(self, item: Item) -> Result:
        """Store the item, perhaps together with other threads' ones; its result, once that is committed."""
        ticket: _Ticket[Item, Result] = _Ticket(item)
        self._waiting.append(ticket)
        with self._turn:
            if not ticket.taken:
                self._write([self._waiting.popleft() for _ in range(len(self._waiting))])
            if not ticket.results and not ticket.error:  # refused together: alone, so that only whoever is at fault fails
                self._write([ticket])
        if ticket.error:
            raise ticket.error
        return ticket.results[0]

    def _write(self, tickets: list[_Ticket[Item, Result]]) -> None:
        for ticket in tickets:
            ticket.taken = True
        try:
            with transaction.atomic():
                results = self._store([ticket.item for ticket in tickets])
        except DatabaseError as error:
            # Without a database it would be no better for one alone.
            if len(tickets) == 1 or isinstance(error, OperationalError):
                for ticket in tickets:
                    ticket.error = error
        except InterfaceError as error:
            for ticket in tickets:
                ticket.error = error
        else:
            for ticket, result in zip(tickets, results, strict=True):
                ticket.results = [result]
