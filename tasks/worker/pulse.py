"""The pulse: a job without a row in the queue, that shows that this cluster works from the pusher to a worker and the database."""

from __future__ import annotations

import os
import uuid

from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone
from django_q.signing import SignedPackage

from tasks.models import Worker

PROGRESS_SECONDS = float(os.environ.get("DEPLOYER_PROGRESS_SECONDS", "45"))  # without a pulse that long the cluster is restarted
PULSE_SECONDS = PROGRESS_SECONDS / 4.5


def message() -> str:
    """What the pusher takes instead of a row's payload."""
    job = {"id": uuid.uuid4().hex, "name": "pulse", "func": "tasks.worker.pulse.beat", "args": (), "kwargs": {}, "started": timezone.now()}
    return str(SignedPackage.dumps(job))


def beat() -> None:
    """Note the progress in this worker's row. A failed beat is a missing beat, so it does not raise (django-q2 would keep a row of each failure)."""
    try:
        Worker.objects.filter(name=os.environ.get("DEPLOYER_WORKER", "")).update(progress_at=timezone.now())
    except (DatabaseError, InterfaceError):
        connection.close()
