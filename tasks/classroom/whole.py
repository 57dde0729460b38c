"""A class run whole: each round of a brief sent, its reports waited for and evaluated, then the next one; what became of everybody is counted.

The workers evaluate and try again what was not accepted; here the class is only watched, so a run that was broken off is taken up by the same call.
Nobody is waited for longer than a report may take, and nobody whose service did not accept at all.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Max, Q, QuerySet
from django.utils import timezone

from tasks.classroom import briefs, issue, sending
from tasks.classroom.issue import Order
from tasks.classroom.tries import REPORT_SECONDS
from tasks.errors import Conflict
from tasks.models import IssuedTask, RepoReport, Worker

LOOK_SECONDS = 0.5
WORKER_SECONDS = 30.0  # after which a worker that was not seen is none
NO_WORKER = "No worker is running, and reports are evaluated by workers: start `manage.py worker`, then run this again; it goes on where it stopped."

Watch = Callable[["Standing"], None]
State = RepoReport.State


@dataclass(frozen=True)
class Standing:
    """How far a round of the class has come, in students. `issued` = `accepted` + `unsettled` + `refused`; `accepted` = `reported` + `silent`;
    `reported` = `evaluated` + `evaluating` + `troubled`, where `troubled` could not be evaluated by a fault of ours."""

    round: int
    issued: int = 0
    accepted: int = 0
    unsettled: int = 0
    refused: int = 0
    reported: int = 0
    late: int = 0
    silent: int = 0
    awaited: int = 0
    evaluated: int = 0
    evaluating: int = 0
    troubled: int = 0

    @property
    def adds_up(self) -> bool:
        return (
            self.issued == self.accepted + self.unsettled + self.refused
            and self.accepted == self.reported + self.silent
            and self.reported == self.evaluated + self.evaluating + self.troubled
        )


@dataclass
class Course:
    """What came of a run; `seconds` by phase, in order."""

    standings: list[Standing] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)


def has_worker() -> bool:
    """Whether anybody is there to evaluate."""
    return Worker.objects.filter(stopped_at=None, seen_at__gte=timezone.now() - timedelta(seconds=WORKER_SECONDS)).exists()


def run(brief: str, *, patience: float = REPORT_SECONDS, watch: Watch = lambda standing: None) -> Course:
    """All rounds of the brief for everybody who takes part. After an acceptance a report is waited for at most `patience` seconds. `Conflict` for a
    brief that is not there, and without a worker."""
    if not has_worker():
        raise Conflict(NO_WORKER)
    Order(brief).check()
    course = Course()
    for number in range(1, len(briefs.variants(brief)) + 1):
        course.standings.append(run_round(course, Order(brief, number), patience, watch))
    return course


def run_round(course: Course, order: Order, patience: float, watch: Watch) -> Standing:
    def look() -> Standing:
        now = standing(order.rows(), order.round, patience)
        watch(now)
        return now

    name = f"round {order.round}"
    with _measured(course, f"{name} sent"):
        issue.plan(order)
        sending.send(order.rows(), progress=_now_and_then(look))
    with _measured(course, f"{name} reported"):
        _wait(look, lambda now: not now.awaited and not _is_being_sent(order.rows()))
    with _measured(course, f"{name} evaluated"):
        return _wait(look, lambda now: not now.evaluating)


def standing(rows: QuerySet[IssuedTask], number: int, patience: float) -> Standing:
    """What has become of these by now; of a student with several rows of the round the newest is looked at."""
    newest = rows.order_by().values("submission").annotate(newest=Max("pk")).values("newest")
    since = timezone.now() - timedelta(seconds=patience)
    found: dict[str, int] = dict.fromkeys(Standing.__dataclass_fields__, 0)
    for status, accepted_at, states, late in _told(rows.filter(pk__in=newest)):
        found["issued"] += 1
        if status != IssuedTask.Status.ACCEPTED:
            found["unsettled" if status in IssuedTask.OPEN else "refused"] += 1
            continue
        found["accepted"] += 1
        if not states:
            found["silent"] += 1
            found["awaited"] += accepted_at is None or accepted_at > since
            continue
        found["reported"] += 1
        found["late"] += late
        open_ = states & {State.QUEUED, State.RUNNING}
        found["evaluating" if open_ else "evaluated" if State.DONE in states else "troubled"] += 1
    return Standing(**found | {"round": number})


def _told(rows: QuerySet[IssuedTask]) -> Iterator[tuple[str, datetime | None, set[str], bool]]:
    """Of each row: its status, when it was accepted, the states of its reports, whether all of these came late."""
    states: dict[int, set[str]] = {}
    in_time: set[int] = set()
    for issued, state, late in RepoReport.objects.filter(issued__in=rows).order_by().values_list("issued", "state", "is_late"):
        states.setdefault(issued, set()).add(state)
        in_time |= set() if late else {issued}
    for pk, status, accepted_at in rows.order_by().values_list("pk", "status", "accepted_at"):
        yield status, accepted_at, states.get(pk, set()), pk not in in_time


def _is_being_sent(rows: QuerySet[IssuedTask]) -> bool:
    """Rows under way or never tried. What was not accepted is tried again over hours, which nobody waits for here."""
    return rows.filter(Q(status=IssuedTask.Status.SENDING) | Q(status=IssuedTask.Status.PENDING)).exists()


def _wait(look: Callable[[], Standing], done: Callable[[Standing], bool]) -> Standing:
    """Look until it is done; `Conflict` when nobody is at work any more."""
    while not done(now := look()):
        if not has_worker():
            raise Conflict(NO_WORKER)
        time.sleep(LOOK_SECONDS)
    return now


def _now_and_then(look: Callable[[], object]) -> sending.Progress:
    """A progress that looks at most as often as everything else here."""
    next_at = 0.0

    def progress(done: int, whole: int) -> None:
        nonlocal next_at
        if time.monotonic() >= next_at:
            look()
            next_at = time.monotonic() + LOOK_SECONDS

    return progress


@contextmanager
def _measured(course: Course, phase: str) -> Iterator[None]:
    began = time.monotonic()
    yield
    course.seconds[phase] = round(time.monotonic() - began, 1)
