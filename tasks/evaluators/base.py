"""What an evaluator sees and says.

It gets plain data and gives plain data: reading and writing rows is the evaluate stage's part, so that every evaluator can be run (and tested)
without a database, and in another process.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, ClassVar


@dataclass(frozen=True)
class Subject:
    """One file set to look at, with what was asked."""

    files: dict[str, bytes]
    brief: str
    checks: tuple[Any, ...] = ()
    attachments: dict[str, bytes] = field(default_factory=dict)  # path in the repository to the posted bytes
    revised: frozenset[str] = frozenset()  # attachments that the brief asks to change
    kept: frozenset[str] = frozenset()  # files that stand in the repository already, as they are
    task: str = ""
    repo: str = ""
    url: str = ""  # set: look at this live page instead of the files
    addresses: tuple[str, ...] = ()  # where the live page is, as the address guard judged; none: its address is the operator's own
    refused: str = ""  # why the live page is not to be opened at all
    seconds: float = 90.0  # for all of one evaluator's work
    patience: float = 60.0  # seconds that a free browser is waited for


@dataclass(frozen=True)
class Finding:
    """One check's verdict. `status` is pass, fail, error (our fault), skipped or undecided."""

    title: str
    status: str
    reason: str = ""
    guards: bool = False  # a failure keeps the version from being published
    evidence: dict[str, Any] = field(default_factory=dict)
    expression: str = ""
    source: str = "common"
    score: float | None = None  # 0 to 1, where it is not just 1 for pass and 0 for the rest


class Evaluator(ABC):
    name: ClassVar[str]

    @abstractmethod
    def evaluate(self, subject: Subject) -> Iterable[Finding]:
        """Look at the files and say what is right and wrong. Raising is a bug: a finding with status `error` is the way to say "cannot tell"."""
