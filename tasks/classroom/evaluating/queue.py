"""The reports' queue. A row is due; a message says no more than "a report waits"; whoever gets the oldest due one takes it with one UPDATE.

A report that is put off (no free browser, a page that is not there yet) stays QUEUED with a later `due_at` and, in `error`, what is waited for. One
whose worker was killed comes again, but not for ever: who ends a worker three times is ERROR.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Greatest
from django.utils import timezone

from tasks.classroom.evaluating.lease import ReportLease
from tasks.jobs import enqueue_reports
from tasks.models import CheckResult, RepoReport

State = RepoReport.State
LOOKS = 3  # at a report, each time that its evaluation is asked for
CANDIDATES = 8  # rows tried in one go: when others are faster at the first ones, one of these is still free
FREE = {"lease_owner": "", "lease_until": None}
ENDED = "It ended the worker that evaluated it three times: look for out-of-memory kills, then evaluate it again."


def due() -> QuerySet[RepoReport]:
    return RepoReport.objects.filter(state=State.QUEUED, due_at__lte=timezone.now())


def claim(reports: QuerySet[RepoReport] | None = None) -> ReportLease | None:
    """The lease on the due report that has waited longest, of all or of `reports`; None when none is due."""
    rows = due() if reports is None else reports & due()
    for pk in rows.order_by("due_at", "pk").values_list("pk", flat=True)[:CANDIDATES]:
        lease = ReportLease.claim(pk)
        if lease is not None:
            return lease
    return None


def put_off(lease: ReportLease, seconds: float, reason: str, *, counts: bool) -> None:
    """Look again that much later. `counts`: this look was one of the three that a report has."""
    with lease.fenced():
        rows = RepoReport.objects.filter(pk=lease.round_id)
        again = timezone.now() + timedelta(seconds=seconds)
        rows.update(state=State.QUEUED, due_at=again, error=reason[:500], attempt=F("attempt") if counts else _one_less(), **FREE)


def evaluate_again(reports: QuerySet[RepoReport]) -> int:
    """Have these evaluated anew; how many. Former results stay until the new ones take their place."""
    with transaction.atomic():
        ids = list(reports.order_by().values_list("pk", flat=True))
        fresh = {"state": State.QUEUED, "attempt": 0, "due_at": timezone.now(), "error": "", **FREE}
        count = sum(RepoReport.objects.filter(pk__in=ids[start : start + 500]).update(**fresh) for start in range(0, len(ids), 500))
        if count:
            enqueue_reports()
    return count


def with_our_errors(reports: QuerySet[RepoReport] | None = None) -> QuerySet[RepoReport]:
    """Those that could not be evaluated, or not in every part, through a fault of ours: to be evaluated again."""
    ours = CheckResult.objects.filter(report=OuterRef("pk"), status=CheckResult.Status.ERROR)
    reports = RepoReport.objects.all() if reports is None else reports
    return reports.filter(Q(state=State.ERROR) | Q(Exists(ours), state=State.DONE))


def counted_reports(issued: Iterable[int] | QuerySet) -> QuerySet[RepoReport]:
    """Of each of these issued tasks the one report that counts: the last one that came in time, else the last one."""
    best = RepoReport.objects.filter(issued=OuterRef("issued")).order_by("is_late", "-received_at", "-pk").values("pk")[:1]
    ids = issued if isinstance(issued, QuerySet) else list(issued)
    return RepoReport.objects.filter(issued__in=ids, pk=Subquery(best))


# -- the supervisors' part -----------------------------------------------------------------------------------------------------------------


def take_back(worker: str, is_alive: Callable[[int], bool], *, counts: bool = True) -> int:
    """Give back what processes of this worker held when they died, and what vanished workers held; how many are held by living processes.

    With `counts` off the end was no doing of the report: the worker was told to stop."""
    held = 0
    for pk, owner in RepoReport.objects.filter(state=State.RUNNING, lease_owner__startswith=f"{worker}:").values_list("pk", "lease_owner"):
        pid = owner.removeprefix(f"{worker}:").partition(":")[0]
        if pid.isdecimal() and is_alive(int(pid)):
            held += 1
        else:
            _come_again(RepoReport.objects.filter(pk=pk, lease_owner=owner, state=State.RUNNING), counts=counts)
    take_back_lost()
    return held


def take_back_lost() -> None:
    """What vanished workers held: their leases ran out."""
    _come_again(RepoReport.objects.filter(state=State.RUNNING, lease_until__lt=timezone.now()), counts=True)


def _come_again(rows: QuerySet[RepoReport], *, counts: bool) -> None:
    if counts and rows.filter(attempt__gte=LOOKS).update(state=State.ERROR, error=ENDED, evaluated_at=timezone.now(), **FREE):
        rows = rows.exclude(attempt__gte=LOOKS)
    rows.update(state=State.QUEUED, due_at=timezone.now(), attempt=F("attempt") if counts else _one_less(), **FREE)


def _one_less() -> Greatest:
    return Greatest(F("attempt") - 1, 0)


def enqueue_when_due() -> bool:
    """Put "a report waits" into the queue when one does. A message too many is harmless."""
    if not due().exists():
        return False
    enqueue_reports()
    return True
