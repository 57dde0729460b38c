"""Workers that die or stall: in front of any of their SQL statements, so at every boundary that there is between two effects."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection
from hypothesis import strategies as st

TABLES = ["attachment", "codeversion", "generatedfile", "checkresult", "taskrequest", "deployment", "notificationattempt", "message"]
moments = st.one_of(st.integers(1, 90), st.sampled_from(TABLES))
"""The n-th statement, or the first one that writes to the table: often right after an effect, before the row that tells of it."""


class Killed(BaseException):
    """The worker is gone; nobody handles it."""


@contextmanager
def interrupted(at: int | str, action: Callable[[], None]) -> Iterator[None]:
    """Do something at that moment of the block, once."""
    seen, done = 0, False

    def look(execute: Callable[..., Any], sql: str, *args: Any) -> Any:
        nonlocal seen, done
        seen += 1
        if not done and (seen == at or (isinstance(at, str) and writes(sql, at))):
            done = True
            action()
        return execute(sql, *args)

    with connection.execute_wrapper(look):
        yield


def writes(sql: str, table: str) -> bool:
    return sql.startswith(("INSERT", "UPDATE")) and f'"tasks_{table}"' in sql.split("(")[0]


def die() -> None:
    raise Killed
