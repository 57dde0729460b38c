"""Programs run for a task: asked for, carried out in their order, cancelled, and taken back from a worker that died.

As with rounds, the row is the state machine and a message in the queue only says that there is something to do: it takes the oldest run that
waits. At most half of the workers run programs at a time, so that a queue of runs never holds up a round. What runs a program is `tasks/runners/`.
"""

from __future__ import annotations

import base64
import codecs
import hashlib
import logging
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any, Literal

from django.conf import settings
from django.db import transaction
from django.db.models import F, TextField, Value
from django.db.models.functions import Concat
from django.utils import timezone

from tasks.errors import Misconfigured, RunRefused
from tasks.jobs import enqueue_run
from tasks.lease import LEASE_SECONDS, owner_name
from tasks.models import Artefact, CodeVersion, ContainerRun, TaskRequest
from tasks.redaction import redact
from tasks.runners import Job, Limits, Report, get_runner
from tasks.runners.base import MOST
from tasks.worker import stopping

log = logging.getLogger(__name__)

FLUSH_SECONDS = 0.5  # how often output goes to the row and the row is asked whether to go on
PROGRAMS = ("main.py", "execute.py", "app.py", "run.py", "train.py", "script.py")
_PATH = re.compile(r"[\w.-][\w. -]*(?:/[\w.-][\w. -]*){0,5}")
DIED = "The worker that ran it stopped. Start it again."


def submit(
    *,
    task: TaskRequest | None = None,
    version: CodeVersion | None = None,
    command: Sequence[str] = (),
    files: Mapping[str, bytes] | None = None,
    stdin: str = "",
    limits: Mapping[str, Any] | None = None,
    agent: str = "",
) -> ContainerRun:
    """Store a run and put it into the queue. Without a command the version's Python program is run; `RunRefused` says what does not fit."""
    for path in files or {}:
        if not _PATH.fullmatch(path) or ".." in path.split("/"):
            raise RunRefused(f"{path!r} is no path below the working folder: use names such as data/input.csv.")
    paths = [*(files or {}), *(version.files.values_list("path", flat=True) if version else ())]
    run = ContainerRun(
        task_request=task or (version.task_request if version else None),
        round=version.round if version else None,
        version=version,
        agent=agent,
        runner=settings.RUNNER,
        command=list(command) or default_command(paths),
        files={path: base64.b64encode(content).decode() for path, content in (files or {}).items()},
        stdin=stdin,
        limits=asdict(limits_of(limits or {})),
    )
    with transaction.atomic():
        run.enqueued_at = timezone.now()
        run.save()
        enqueue_run(run.pk)
    return run


def default_command(paths: Sequence[str]) -> list[str]:
    """`python <program>` for the one program that the files hold."""
    programs = [path for path in paths if path.endswith(".py") and "/" not in path]
    chosen = next((name for name in PROGRAMS if name in programs), programs[0] if len(programs) == 1 else "")
    if not chosen:
        raise RunRefused(f"Say what to run: `command` is missing, and none of the files is called {', '.join(PROGRAMS)}.")
    return ["python3", chosen]


def limits_of(asked: Mapping[str, Any]) -> Limits:
    """The asked limits over the usual ones; `RunRefused` for one that is unknown, not a positive number, or beyond what is allowed."""
    chosen: dict[str, float | int] = {}
    for name, value in asked.items():
        most = getattr(MOST, name, None)
        if most is None:
            raise RunRefused(f"There is no limit called {name!r}: use {', '.join(asdict(MOST))}.")
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= most:
            raise RunRefused(f"The limit {name} must be above 0 and at most {most:g}.")
        chosen[name] = type(most)(value)
        if not chosen[name]:
            raise RunRefused(f"The limit {name} must be at least 1.")
    return replace(Limits(), **chosen)  # type: ignore[arg-type]


def cancel(run: ContainerRun) -> None:
    """Ask for its end. One that still waits is over at once; one that runs is ended by the worker that watches it."""
    now = timezone.now()
    waiting = ContainerRun.objects.filter(pk=run.pk, status=ContainerRun.Status.QUEUED)
    if not waiting.update(status=ContainerRun.Status.CANCELLED, reason="It was cancelled before it started.", finished_at=now, cancel_asked_at=now):
        ContainerRun.objects.filter(pk=run.pk, status__in=ContainerRun.OPEN, cancel_asked_at=None).update(cancel_asked_at=now)


def remove(run: ContainerRun) -> None:
    """Delete the row. A worker that runs it finds it gone within half a second and ends the program."""
    run.delete()


def run_next() -> None:
    """Carry out the oldest run that waits, if there is one and not enough of them run already; then see that the next one gets its turn."""
    run = claim()
    if run is None:
        return
    try:
        carry_out(run)
    finally:
        waiting = ContainerRun.objects.filter(status=ContainerRun.Status.QUEUED).order_by("id").first()
        if waiting:
            enqueue_run(waiting.pk)


def claim() -> ContainerRun | None:
    """The oldest waiting run, now ours; None when none waits or half of the workers have one.

    Whoever claims locks the oldest row first (SQLite: everything), so that claims come one after another and the count of those that run is true."""
    waiting = ContainerRun.objects.filter(status=ContainerRun.Status.QUEUED)
    while waiting.exists():
        with transaction.atomic():
            run = waiting.select_for_update(of=("self",)).select_related("version").order_by("id").first()
            if run is None:  # another took it while we waited for the lock
                continue
            now = timezone.now()
            active = ContainerRun.objects.filter(status__in=["preparing", "running"], lease_until__gte=now).count()
            if active >= max(1, settings.WORKERS // 2):
                return None
            run.status, run.taken_at = ContainerRun.Status.PREPARING, now
            run.lease_owner, run.lease_until = f"{owner_name()}:run", now + timedelta(seconds=LEASE_SECONDS)
            run.save(update_fields=["status", "taken_at", "lease_owner", "lease_until"])
            return run
    return None


def carry_out(run: ContainerRun) -> None:
    """Run it to its end and write down how it ended. Never raises."""
    watch = RowWatch(run)
    try:
        runner = get_runner(run.runner)
        reason = runner.unavailable()
        report = Report("internal_error", reason) if reason else runner.run(job_of(run), watch)
    except Misconfigured as error:
        report = Report("internal_error", error.message)
    except Exception as error:
        log.exception("run %s failed", run.pk, extra={"run": run.pk})
        report = Report("internal_error", f"A fault of ours, it is in the log: {type(error).__name__}.")
    watch.flush()
    if report.status == "cancelled" and stopping():
        report = replace(report, status="internal_error", reason=DIED)
    finish(run, report)


def job_of(run: ContainerRun) -> Job:
    """What the runner needs of the row: the version's files, and over them those that were posted with the run."""
    files = run.version.tree() if run.version else {}
    files |= {path: base64.b64decode(content) for path, content in run.files.items()}
    limits = limits_of(run.limits)
    return Job(tuple(run.command), files, run.stdin.encode(), limits=limits, name=name_of(run))


def name_of(run: ContainerRun) -> str:
    """What a runner outside calls it."""
    return f"deployer-{run.uuid.hex}"


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


def finish(run: ContainerRun, report: Report) -> None:
    """The run's last state and its artefacts, in one transaction, unless it was taken from us meanwhile."""
    with transaction.atomic():
        mine = ContainerRun.objects.filter(pk=run.pk, lease_owner=run.lease_owner, status__in=["preparing", "running"])
        if not mine.update(
            status=report.status,
            reason=redact(report.reason)[:500],
            exit_code=report.exit_code,
            signal=report.signal,
            wall_ms=report.wall_ms,
            cpu_ms=report.cpu_ms,
            memory_peak_kb=report.memory_peak_kb,
            stdout_truncated=report.stdout_truncated,
            stderr_truncated=report.stderr_truncated,
            applied=report.applied,
            left_out={clean(path): why for path, why in report.left_out.items()},
            finished_at=timezone.now(),
            lease_owner="",
            lease_until=None,
        ):
            return
        Artefact.objects.bulk_create(
            Artefact(run=run, path=path, content=content, size=len(content), sha256=hashlib.sha256(content).hexdigest())
            for path, content in sorted(report.artefacts.items())
        )


def clean(text: str) -> str:
    """Text that every database takes."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")


def _decoder() -> codecs.IncrementalDecoder:
    return codecs.getincrementaldecoder("utf-8")("replace")


def end_dead(worker: str, is_alive: Callable[[int], bool]) -> int:
    """End the runs of this worker's processes that died; how many are still held by living ones. For the supervisor, each second."""
    held = 0
    for run in ContainerRun.objects.filter(status__in=ContainerRun.OPEN, lease_owner__startswith=f"{worker}:"):
        pid = run.lease_owner.removeprefix(f"{worker}:").partition(":")[0]
        if pid.isdecimal() and is_alive(int(pid)):
            held += 1
        else:
            _died(run)
    return held


def _died(run: ContainerRun) -> None:
    """The program ended with its worker; what runs outside of this machine is ended now."""
    mine = ContainerRun.objects.filter(pk=run.pk, status__in=ContainerRun.OPEN, lease_owner=run.lease_owner, lease_until=run.lease_until)
    if mine.update(status=ContainerRun.Status.INTERNAL_ERROR, reason=DIED, finished_at=timezone.now(), lease_owner="", lease_until=None):
        get_runner(run.runner).discard(name_of(run))


def take_back() -> None:
    """What a vanished worker ran has ended with it; what waits without a message gets one.

    The dispatcher's part: called every second by every supervisor."""
    now = timezone.now()
    open_runs = ContainerRun.objects.filter(status__in=ContainerRun.OPEN)
    for run in open_runs.filter(lease_until__lt=now):
        _died(run)
    waits = open_runs.filter(status=ContainerRun.Status.QUEUED, enqueued_at__lt=now - timedelta(seconds=15)).order_by("id")
    oldest = waits.first()
    if oldest is None or not waits.filter(pk=oldest.pk, enqueued_at=oldest.enqueued_at).update(enqueued_at=now):
        return
    enqueue_run(oldest.pk)
