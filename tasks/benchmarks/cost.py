"""What a piece of code asks of the database, in a measure that no busy machine can spoil: how many queries, and what they go through.

SQLite counts the instructions of its virtual machine (a few for each row), PostgreSQL the rows that its plan's nodes went through.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

STEP = 100  # instructions of SQLite that are counted at once


@dataclass
class Cost:
    queries: list[str] = field(default_factory=list)
    work: int = 0
    seconds: float = 0.0


def of(code: Callable[[], object]) -> Cost:
    """The cost of a call."""
    cost = Cost()
    started = time.perf_counter()
    with connection.execute_wrapper(_Counter(cost)), _instructions(cost):
        code()
    cost.seconds = time.perf_counter() - started
    return cost


class _Counter:
    def __init__(self, cost: Cost) -> None:
        self._cost = cost

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        self._cost.queries.append(sql)
        if connection.vendor == "postgresql" and sql.startswith("SELECT"):
            with context["connection"].connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql.replace(' FOR UPDATE', '')}", params)
                plan = cursor.fetchone()[0]
                self._cost.work += _rows((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"])
        return execute(sql, params, many, context)


def _rows(node: dict[str, Any]) -> int:
    """Rows that the nodes of a plan gave or threw away: https://www.postgresql.org/docs/current/using-explain.html"""
    own = (node.get("Actual Rows", 0) + node.get("Rows Removed by Filter", 0)) * node.get("Actual Loops", 1)
    return int(own) + sum(_rows(child) for child in node.get("Plans", ()))


@contextmanager
def _instructions(cost: Cost) -> Iterator[None]:
    if connection.vendor != "sqlite":
        yield
        return

    def count() -> int:
        cost.work += STEP
        return 0

    connection.ensure_connection()
    connection.connection.set_progress_handler(count, STEP)
    try:
        yield
    finally:
        connection.connection.set_progress_handler(None, 0)
