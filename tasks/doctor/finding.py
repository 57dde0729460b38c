"""What the doctor says: one finding a question, as a value and as text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warning", "error", "off"]
MARKS: dict[State, str] = {"ok": "ok", "warning": "!!", "error": "XX", "off": "--"}


@dataclass(frozen=True)
class Finding:
    """`cure` is empty where nothing is to be done; `off`: not asked, since it is not used here. `group` is set by whoever asks."""

    name: str
    state: State
    detail: str
    cure: str = ""
    group: str = ""


def as_text(findings: Iterable[Finding]) -> str:
    """One line a finding and one for its cure, under the name of their group: what the command prints and the page copies."""
    rows = list(findings)
    width = max((len(row.name) for row in rows), default=0)
    lines: list[str] = []
    group = None
    for row in rows:
        if row.group != group:
            group = row.group
            lines += ([""] if lines else []) + [group]
        lines.append(f"{MARKS[row.state]}  {row.name:<{width}}  {row.detail}")
        if row.cure:
            lines.append(f"    {'':<{width}}  → {row.cure}")
    return "\n".join(lines)
