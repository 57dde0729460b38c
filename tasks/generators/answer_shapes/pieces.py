"""What a reader hands over: one file, copy, deletion or change, still as the model wrote it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Piece:
    """`kind` is file, copy, delete, edit (SEARCH/REPLACE blocks), diff, or dropped (`reason` says why it is not used).

    `name` is not yet a safe path. `cut` means that its end was not marked. `exact` content is taken as it stands, without any mending."""

    name: str
    body: str = ""
    kind: str = "file"
    source: str = ""
    encoding: str = ""
    reason: str = ""
    cut: bool = False
    exact: bool = False
