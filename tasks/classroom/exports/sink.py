"""What an export writes to, and through which every free text goes on its way."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Protocol

from tasks.redaction import redact

Clean = Callable[[str], str]


class Sink(Protocol):
    """A file, a response, an entry of a zip."""

    def write(self, content: bytes, /) -> object: ...


def cleaner() -> Clean:
    """`redact` with a memory, for one export: the pages of a class say much the same."""
    return lru_cache(maxsize=5_000)(redact)
