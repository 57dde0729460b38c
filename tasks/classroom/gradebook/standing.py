"""What each student was issued and reported: of every round the one task and the one report that count. Three queries, whatever the size."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from tasks.classroom.gradebook import books
from tasks.models import GradeBook, IssuedTask, RepoReport

MOST_IDS = 500  # that are named in a query; more are sorted out here
Place = tuple[str, int]  # brief, round

NOT_ISSUED, NOT_ACCEPTED, NOT_REPORTED = "not issued", "not accepted", "not reported"
STATES = {
    RepoReport.State.QUEUED.value: "to be evaluated",
    RepoReport.State.RUNNING.value: "to be evaluated",
    RepoReport.State.DONE.value: "evaluated",
    RepoReport.State.ERROR.value: "could not be evaluated",
}
NOT_ARRIVED = (*IssuedTask.OPEN, IssuedTask.Status.GIVEN_UP)


@dataclass(frozen=True, slots=True)
class Standing:
    """One student in one round. `is_settled` is False while a report may still come in time: nothing is decided then."""

    variant: int
    state: str
    is_settled: bool = True
    report_id: int | None = None
    late: bool = False


@dataclass
class Standings:
    """`people`: e-mail by submission, in the order of the addresses. `places`: every round that anybody in the course was issued."""

    people: dict[int, str] = field(default_factory=dict)
    places: list[Place] = field(default_factory=list)
    of: dict[int, dict[Place, Standing]] = field(default_factory=dict)
    issued: QuerySet[IssuedTask] = field(default_factory=IssuedTask.objects.none)


def load(book: GradeBook, chosen: Collection[int] | None = None) -> Standings:
    """`chosen` are submissions; None: everybody who was issued one of the briefs."""
    chosen = None if chosen is None else set(chosen)
    everything = books.issued_tasks(book)
    places = sorted(everything.values_list("brief_id", "round").distinct())
    if chosen is not None and len(chosen) <= MOST_IDS:
        everything = everything.filter(submission__in=chosen)
    rows: dict[tuple[int, Place], list[tuple[Any, ...]]] = {}
    for owner, brief, round, *rest in everything.order_by("pk").values_list(
        "submission_id", "brief_id", "round", "pk", "variant", "status", "deadline_at"
    ):
        if chosen is None or owner in chosen:
            rows.setdefault((owner, (brief, round)), []).append(tuple(rest))
    reports = {issued: rest for issued, *rest in books.counted_reports(everything).values_list("issued_id", "pk", "is_late", "state")}
    wanted = {owner for owner, _ in rows} if chosen is None else chosen
    found = Standings(
        {pk: email for pk, email in books.course().order_by("email").values_list("pk", "email") if pk in wanted}, places, issued=everything
    )
    now = timezone.now()
    for (owner, place), tasks in rows.items():
        found.of.setdefault(owner, {})[place] = _standing(tasks, reports, now)
    return found


def _standing(tasks: Iterable[tuple[Any, ...]], reports: dict[int, list[Any]], now: datetime) -> Standing:
    """Of several issued tasks, oldest first, the newest that was reported; of none that was, the newest."""
    newest_first = list(tasks)[::-1]
    for pk, variant, _, _ in newest_first:
        if pk in reports:
            report, late, state = reports[pk]
            return Standing(variant, STATES[state], report_id=report, late=late)
    _, variant, status, deadline = newest_first[0]
    waiting = status in IssuedTask.OPEN or (status != IssuedTask.Status.GIVEN_UP and deadline is not None and now <= deadline)
    return Standing(variant, NOT_ACCEPTED if status in NOT_ARRIVED else NOT_REPORTED, is_settled=not waiting)
