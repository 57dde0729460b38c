"""What was pruned or erased, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from tasks.retention.erasure import Erased
from tasks.retention.pruning import Pruned, named


def pruned_data(pruned: Pruned) -> dict[str, Any]:
    return {
        "removed": pruned.counts,
        "rows": named(pruned.rows),
        "repositories": pruned.repositories,
        "longest_transaction_s": round(pruned.longest, 3),
        "problems": pruned.problems,
    }


def pruned_lines(pruned: Pruned, *, dry_run: bool) -> Iterator[str]:
    word = "would go" if dry_run else "removed"
    found = {what: number for what, number in pruned.counts.items() if number}
    for what, number in found.items():
        yield f"{number:>9,} {what} {word}"
    if not found:
        yield "Nothing is old enough."
    yield from (f"          repository {name}" for name in pruned.repositories)
    yield from pruned.problems


def erased_data(erased: Erased) -> dict[str, Any]:
    return {column.name: getattr(erased, column.name) for column in fields(erased)} | {"rows": named(erased.rows)}


def erased_lines(erased: Erased, *, dry_run: bool) -> Iterator[str]:
    word = "would go" if dry_run else "erased"
    yield f"{erased.tasks} tasks with {erased.rounds} rounds {word}, {erased.ended} of them open."
    for what, number in named(erased.rows).items():
        yield f"{number:>9,} {what}"
    yield f"{erased.log_lines:>9,} log lines"
    yield from (f"          repository and page {name}" for name in erased.repositories)
    if erased.stays:
        yield "Not here, so delete these yourself:"
        yield from (f"          {address}" for address in erased.stays)
    if erased.mentions:
        yield f"The address also stands in rows of others: {', '.join(f'{number} {what}' for what, number in erased.mentions.items())}."
    yield from erased.problems
