"""What a runner is told to while a program runs: its row."""

from __future__ import annotations

import codecs
import time
from datetime import timedelta
from typing import Any, Literal

from django.db.models import F, TextField, Value
from django.db.models.functions import Concat
from django.utils import timezone

from tasks.lease import LEASE_SECONDS
from tasks.models import ContainerRun
from tasks.worker import stopping

FLUSH_SECONDS = 0.5  # how often output goes to the row and the row is asked whether to go on


class RowWatch:
    """Carries output into the row, keeps the lease, and passes a cancellation on."""

    def __init__(self, run: ContainerRun) -> None:
        self.run = run
        self._texts = {"stdout": _decoder(), "stderr": _decoder()}
        self._held: dict[str, list[str]] = {"stdout": [], "stderr": []}
        self._flushed = time.monotonic()
        self._cancelled = False

    def running(self) -> None:
        self._ours().update(status=ContainerRun.Status.RUNNING, started_at=timezone.now())

    def output(self, stream: Literal["stdout", "stderr"], data: bytes) -> None:
        self._held[stream].append(self._texts[stream].decode(data))

    def cancelled(self) -> bool:
        if time.monotonic() - self._flushed >= FLUSH_SECONDS:
            self.flush()
        return self._cancelled or stopping()

    def flush(self) -> None:
        """Append what has come; ask at the same time whether the run is still ours and wanted."""
        self._flushed = time.monotonic()
        changes: dict[str, Any] = {"lease_until": timezone.now() + timedelta(seconds=LEASE_SECONDS)}
        for stream, parts in self._held.items():
            if parts:
                text = clean("".join(parts))
                changes[stream] = Concat(F(stream), Value(text), output_field=TextField())
                parts.clear()
        held = self._ours().update(**changes)
        self._cancelled = not held or ContainerRun.objects.filter(pk=self.run.pk).exclude(cancel_asked_at=None).exists()

    def _ours(self) -> Any:
        return ContainerRun.objects.filter(pk=self.run.pk, lease_owner=self.run.lease_owner, status__in=["preparing", "running"])


def clean(text: str) -> str:
    """Text that every database takes."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")


def _decoder() -> codecs.IncrementalDecoder:
    return codecs.getincrementaldecoder("utf-8")("replace")
