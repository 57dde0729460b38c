"""The lease on a report: who evaluates it, and the fence in front of every write."""

from __future__ import annotations

import os
from datetime import timedelta

from django.db.models import F, QuerySet
from django.db.models.functions import Greatest
from django.utils import timezone

from tasks.lease import LEASE_SECONDS, Lease, owner_name, reach_database
from tasks.models import RepoReport


class ReportLease(Lease):
    """`round_id` is the report's."""

    @classmethod
    def claim(cls, report_id: int) -> ReportLease | None:
        """The lease, or None when the report is not due or somebody else has it. One conditional UPDATE; it counts as a look."""
        owner, now = f"{owner_name()}:{os.urandom(3).hex()}", timezone.now()
        taken = RepoReport.objects.filter(pk=report_id, state=RepoReport.State.QUEUED, due_at__lte=now).update(
            state=RepoReport.State.RUNNING, lease_owner=owner, lease_until=now + timedelta(seconds=LEASE_SECONDS), attempt=F("attempt") + 1
        )
        return cls(report_id, owner) if taken else None

    def held(self) -> QuerySet[RepoReport]:  # type: ignore[override]
        return RepoReport.objects.filter(pk=self.round_id, lease_owner=self.owner, lease_until__gte=timezone.now())

    def release(self) -> None:
        """Give the report back as it is, due at once; this look does not count."""
        reach_database()
        fewer = Greatest(F("attempt") - 1, 0)
        rows = RepoReport.objects.filter(pk=self.round_id, lease_owner=self.owner)
        rows.update(state=RepoReport.State.QUEUED, lease_owner="", lease_until=None, attempt=fewer)
