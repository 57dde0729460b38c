"""What a stage is given, and the three ways in which it can end.

A stage may be run twice: it looks first for its own finished result, and writes only inside `work.commit()`, which repeats the lease. It raises
`tasks.errors.TaskError` for what went wrong; the pipeline decides whether that means waiting, failing or both.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from tasks.deadline import Deadline
from tasks.lease import Lease
from tasks.models import Message, Round
from tasks.storable import storable


@dataclass(frozen=True)
class Done:
    """Finished: go on with the next stage."""

    summary: str = ""


@dataclass(frozen=True)
class Wait:
    """Nothing to do until then; the worker is free meanwhile."""

    until: datetime
    reason: str


@dataclass(frozen=True)
class Back:
    """Go back to an earlier stage: repair what failed, or watch on."""

    stage: str
    summary: str = ""
    until: datetime | None = None


Outcome = Done | Wait | Back


@dataclass
class Work:
    """One round in the hands of one worker."""

    round: Round
    lease: Lease
    deadline: Deadline

    def commit(self) -> AbstractContextManager[None]:
        """A transaction that only commits while this worker still holds the round (`LeaseLost` otherwise)."""
        return self.lease.fenced()

    def save(self, **fields: Any) -> None:
        """Set columns of the round, in a fenced transaction."""
        with self.commit():
            Round.objects.filter(pk=self.round.pk).update(**fields)
        for name, value in fields.items():
            setattr(self.round, name, value)

    def degrade(self, id: str, reason: str) -> None:
        """Note that less than asked is being delivered; the first reason stays."""
        if not self.round.degraded_id:
            self.save(degraded_id=id, degraded=storable(reason)[:500])
            self.say("event", reason, data={"degraded": id})

    def say(self, kind: str, body: str, *, sender: str = "", recipient: str = "", version: Any = None, data: dict[str, Any] | None = None) -> None:
        """An entry in the task's conversation."""
        with self.commit():
            Message.objects.create(
                task_request_id=self.round.task_request_id,
                round_id=self.round.pk,
                version=version,
                sender=sender or self.round.stage,
                recipient=recipient,
                kind=kind,
                body=storable(body),
                data=data or {},
            )


class Stage(ABC):
    name: ClassVar[str]

    @abstractmethod
    def run(self, work: Work) -> Outcome:
        """Do the stage's work, or as much of it as can be done now."""
