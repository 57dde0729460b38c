"""The whole flow, and how one round is carried through it.

In: the id of a round, from the queue. Out: rows. `run_round` claims the round with one conditional UPDATE, runs stages until one has to wait, and
commits each stage's outcome on its own together with the round's next state. This is the only place with a broad `except`: whatever a stage
raises becomes a row. What each stage does is in `stages/`; when to try again is in `retry.py`.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.db.models import F
from django.utils import timezone

from tasks import retry
from tasks.deadline import Deadline, place
from tasks.errors import Internal, LeaseLost, TaskError, WorkerDied
from tasks.lease import Lease
from tasks.models import Round, StageRun
from tasks.redaction import redact
from tasks.stages.base import Back, Done, Outcome, Stage, Wait, Work
from tasks.worker import stopping

log = logging.getLogger(__name__)

STAGES = ("attachments", "generate", "evaluate", "publish", "verify", "notify")

BLOCKED = "the round before it"  # a round's `waiting_for` while an earlier round of the task still changes the repository
BLOCKED_LOOK_SECONDS = 30.0
DETAIL_CHARACTERS = 8000  # of an error, kept with each of its stage runs
JOB_SECONDS = 120.0  # a job that has worked this long gives the round back between two stages: no stage takes the 180 s that are left


@dataclass(frozen=True)
class Fail:
    """The round ends here; the pipeline's own fourth outcome, made from an error."""

    error: TaskError


def get_stage(name: str) -> Stage:
    from tasks.backends import load

    stage: Stage = load("stages", "Stage", name)
    return stage


def run_round(round_id: int) -> None:
    """Carry the round as far as it goes now. Returns at once when it is not due or another worker has it."""
    lease = Lease.claim(round_id)
    if lease is None:
        return
    started = time.monotonic()
    try:
        with lease.heartbeat():
            going = True
            while going and not stopping() and time.monotonic() - started < JOB_SECONDS:
                going = run_stage(lease)
            if going:
                lease.release()
    except (LeaseLost, Round.DoesNotExist):
        log.warning("round %s was taken over by another worker, or is gone", round_id, extra={"round": round_id})
    except (OperationalError, InterfaceError) as error:
        log.error("the database failed; round %s is taken up again: %s", round_id, str(error).strip() or type(error).__name__)
        lease.release()


def run_stage(lease: Lease) -> bool:
    """Run the round's present stage once. True: the next one can start right away."""
    round_ = Round.objects.select_related("task_request").get(pk=lease.round_id)
    now = timezone.now()
    if round_.stage in {"generate", "publish"} and Round.objects.before(round_).exists():
        settle(lease, round_, None, Wait(now + timedelta(seconds=BLOCKED_LOOK_SECONDS), BLOCKED))
        return False
    run = begin(lease, round_)
    if round_.attempt >= retry.LOST_STARTS and was_interrupted(round_):
        return settle(lease, round_, run, Fail(WorkerDied()))
    deadline = Deadline(round_.received_at, (round_.deadline_at - round_.received_at).total_seconds(), resumed_at=run.started_at)
    outcome: Outcome | Fail
    try:
        outcome = get_stage(round_.stage).run(Work(round_, lease, deadline))
    except (LeaseLost, OperationalError, InterfaceError):  # there is nothing to write this down in
        raise
    except TaskError as error:
        outcome = after_error(round_, run, error)
    except Exception as error:
        log.exception("stage %s of round %s failed", round_.stage, round_.pk, extra={"round": round_.pk, "stage": round_.stage})
        outcome = after_error(round_, run, Internal(detail=f"{type(error).__name__}: {error}"))
    return settle(lease, round_, run, outcome)


def begin(lease: Lease, round_: Round) -> StageRun:
    """Write down that the stage starts, before it does anything: a start without an outcome is how a dead worker shows."""
    now = timezone.now()
    with lease.fenced():
        runs = StageRun.objects.filter(round_id=round_.pk)
        last = runs.order_by("-id").first()
        runs.filter(outcome=StageRun.Outcome.RUNNING).update(
            outcome=StageRun.Outcome.INTERRUPTED, finished_at=now, summary="The worker stopped before the end; the stage starts again."
        )
        Round.objects.filter(pk=round_.pk).update(attempt=F("attempt") + 1)
        round_.attempt += 1
        if last and last.stage == round_.stage and last.outcome == StageRun.Outcome.WAITING and not last.error_id:
            last.polls, last.outcome, last.finished_at, last.worker = last.polls + 1, StageRun.Outcome.RUNNING, None, lease.owner
            last.save(update_fields=["polls", "outcome", "finished_at", "worker"])
            return last
        attempt = runs.filter(stage=round_.stage).count() + 1
        return StageRun.objects.create(round_id=round_.pk, stage=round_.stage, attempt=attempt, worker=lease.owner, started_at=now)


def was_interrupted(round_: Round) -> bool:
    """Did the stage's last finished run end with its worker?"""
    last = StageRun.objects.filter(round_id=round_.pk, stage=round_.stage).exclude(outcome=StageRun.Outcome.RUNNING).order_by("-id").first()
    return last is not None and last.outcome == StageRun.Outcome.INTERRUPTED


def after_error(round_: Round, run: StageRun, error: TaskError) -> Outcome | Fail:
    """Waiting or failing, by the error and how often it has been tried."""
    run.error_id, run.detail = error.id, redact(f"{error.message}\n{error.detail}".strip())[:DETAIL_CHARACTERS]
    if not error.retry:
        return Fail(error)
    now = timezone.now()
    since = list(
        StageRun.objects.filter(round_id=round_.pk, stage=round_.stage).order_by("-id").values_list("started_at", flat=True)[: round_.attempt]
    )
    age = (now - since[-1]).total_seconds()
    pause = retry.internal_delay(round_.attempt) if error.family == "internal" else retry.delay(round_.attempt, age)
    if pause is None:
        return Fail(error)
    until = max(error.retry_at or now, now + timedelta(seconds=pause))
    return Wait(until, error.message)


def settle(lease: Lease, round_: Round, run: StageRun | None, outcome: Outcome | Fail) -> bool:
    """Commit the outcome and the round's next state in one transaction; True when the round goes on at once."""
    now = timezone.now()
    state: dict[str, object]
    free: dict[str, object] = {"lease_owner": "", "lease_until": None, "enqueued_at": None}
    match outcome:
        case Done(summary):
            kind, clean = StageRun.Outcome.DONE, True
            state = advance(round_, now)
            if state["status"] != Round.Status.RUNNING:
                state |= free
        case Back(stage, summary, until):
            kind, clean = StageRun.Outcome.BACK, True
            state = {"stage": stage, "attempt": 0, "status": Round.Status.RUNNING}
            if until:
                state |= {"status": Round.Status.WAITING, "next_run_at": until, "waiting_for": redact(summary)[:300], **free}
        case Wait(until, summary):
            kind, clean = StageRun.Outcome.WAITING, run is None or not run.error_id
            state = {"status": Round.Status.WAITING, "next_run_at": until, "waiting_for": redact(summary)[:300], **free}
            if clean:
                state["attempt"] = 0
            elif run is not None:
                kind = StageRun.Outcome.ERROR
                state |= {"error_id": run.error_id, "error": redact(summary)[:500]}
        case Fail(error):
            kind, clean, summary = StageRun.Outcome.ERROR, False, error.message
            state = {
                "status": Round.Status.FAILED,
                "finished_at": now,
                "error_id": error.id,
                "error": redact(summary)[:500],
                "waiting_for": "",
                **free,
            }
            log.error("round %s failed in %s: %s", round_.pk, round_.stage, summary, extra={"round": round_.pk, "stage": round_.stage})
    if clean:
        state |= {"error_id": "", "error": ""}
    with lease.fenced():
        Round.objects.filter(pk=round_.pk).update(**state)
        if run is not None:
            StageRun.objects.filter(pk=run.pk).update(
                outcome=kind, summary=redact(summary)[:500], error_id=run.error_id, detail=run.detail, finished_at=timezone.now()
            )
        if state.get("stage") == "notify" or state["status"] == Round.Status.FAILED:
            wake_blocked(round_)
    return state["status"] == Round.Status.RUNNING


def advance(round_: Round, now: datetime) -> dict[str, object]:
    """The round's state after its present stage is done."""
    position = STAGES.index(round_.stage)
    if position + 1 < len(STAGES):
        return {"stage": STAGES[position + 1], "attempt": 0, "status": Round.Status.RUNNING}
    return {"status": Round.Status.SUCCEEDED, "finished_at": now, "attempt": 0, "waiting_for": ""}


def wake_blocked(round_: Round) -> None:
    """The repository is settled: the task's next round need not wait any longer."""
    from tasks.jobs import enqueue

    now = timezone.now()
    blocked = Round.objects.open().filter(task_request_id=round_.task_request_id, waiting_for=BLOCKED)
    for pk, received_at, deadline_at in list(blocked.values_list("pk", "received_at", "deadline_at")):
        blocked.filter(pk=pk).update(next_run_at=now, enqueued_at=now)
        enqueue(pk, since=place(received_at, deadline_at, now))


def new_deadline(received_at: datetime) -> datetime:
    """The course's ten minutes (TASK_DEADLINE_SECONDS)."""
    return received_at + timedelta(seconds=settings.TASK_DEADLINE_SECONDS)
