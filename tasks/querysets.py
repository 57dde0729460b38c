"""Questions asked of the rounds, by name."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Q
from django.utils import timezone

if TYPE_CHECKING:
    from tasks.models import Round  # noqa: F401


class RoundQuerySet(models.QuerySet["Round"]):
    def open(self) -> RoundQuerySet:
        """Not finished: queued, running or waiting."""
        return self.filter(status__in=["queued", "running", "waiting"])

    def due(self, now: datetime | None = None) -> RoundQuerySet:
        """Open, its time has come, and no worker's lease is on it."""
        now = now or timezone.now()
        return self.open().filter(next_run_at__lte=now).filter(Q(lease_until=None) | Q(lease_until__lt=now))

    def leased(self, owner_prefix: str = "", now: datetime | None = None) -> RoundQuerySet:
        """Held by a worker whose name starts with the prefix."""
        return self.open().filter(lease_owner__startswith=owner_prefix, lease_until__gte=now or timezone.now())

    def overdue(self, now: datetime | None = None) -> RoundQuerySet:
        """Past its deadline and nobody was notified."""
        return self.open().filter(deadline_at__lt=now or timezone.now(), notified_at=None)

    def claim(self, pk: int, owner: str, seconds: float) -> bool:
        """Take the lease on one due round with one conditional UPDATE; True when exactly this call got it."""
        now = timezone.now()
        return bool(
            self.due(now)
            .filter(pk=pk)
            .update(status="running", lease_owner=owner, lease_until=now + timedelta(seconds=seconds), enqueued_at=None, waiting_for="")
        )

    def held(self, pk: int, owner: str) -> RoundQuerySet:
        """The round, only while `owner` still holds it: the fence in front of every write of a worker."""
        return self.filter(pk=pk, lease_owner=owner, lease_until__gte=timezone.now())

    def before(self, round_: Any) -> RoundQuerySet:
        """Earlier rounds of the same task whose page is not settled yet: the later round has to wait for them."""
        return (
            self.open()
            .filter(task_request_id=round_.task_request_id)
            .exclude(pk=round_.pk)
            .exclude(stage="notify")
            .exclude(stage="verify", notified_at__isnull=False)
            .filter(Q(number__lt=round_.number) | Q(number=round_.number, pk__lt=round_.pk))
        )
