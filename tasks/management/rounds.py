"""How commands name rounds: `17`, a public id, or `task[/round[/nonce]]`."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from django.core.management.base import CommandError

from tasks.models import Round


def find_rounds(names: Iterable[str]) -> list[Round]:
    """The rounds named, in order; a name that fits nothing ends the command with exit code 2."""
    found: list[Round] = []
    for name in names:
        rounds = _find(name)
        if not rounds:
            raise CommandError(f"There is no round {name!r}: give its id, its public id, or task[/round[/nonce]].", returncode=2)
        found += rounds
    return found


def _find(name: str) -> list[Round]:
    rounds = Round.objects.select_related("task_request").order_by("pk")
    if name.isdigit():
        return list(rounds.filter(pk=int(name)))
    try:
        return list(rounds.filter(uuid=uuid.UUID(name)))
    except ValueError:
        pass
    task, _, rest = name.partition("/")
    number, _, nonce = rest.partition("/")
    rounds = rounds.filter(task_request__task=task)
    if number:
        rounds = rounds.filter(number=int(number) if number.isdigit() else 0)
    if nonce:
        rounds = rounds.filter(nonce=nonce)
    return list(rounds)
