"""Send what is due: some letters at once, few to one host, each outcome stored when it comes. By the command, and by the workers in slices.

Ids are held of all that is due, briefs only of what is under way.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone
from django_q.tasks import async_task

import tasks.worker
from tasks.address_guard import parse_url
from tasks.classroom import letters
from tasks.classroom.lanes import Lanes
from tasks.classroom.letters import Answer, Letter
from tasks.errors import AddressRefused
from tasks.models import IssuedTask
from tasks.worker import pulse

CONCURRENCY = 10
HOLD_SECONDS = 30.0  # a host that wants a longer pause is left for later
SLICE_SECONDS = 10.0
BEAT_SECONDS = 5.0  # a slice waits for answers, and the supervisor must not take it for stuck
JOB = "tasks.jobs.send_issued"

Progress = Callable[[int, int], None]  # done, of how many


def silent(done: int, whole: int) -> None:
    """No progress is shown."""


@dataclass
class Sent:
    """What came of a pass. `counts` is by the rows' new status; `put_off`: their host asked for a pause; `left`: due, but time or limit was up."""

    counts: Counter[str] = field(default_factory=Counter)
    put_off: int = 0
    left: int = 0
    uncertain: int = 0  # left behind by a sender that was killed

    @property
    def tried(self) -> int:
        return self.counts.total()


def send(
    rows: QuerySet[IssuedTask],
    *,
    concurrency: int = CONCURRENCY,
    limit: int | None = None,
    seconds: float = float("inf"),
    progress: Progress = silent,
    stop: Callable[[], bool] = lambda: False,
) -> Sent:
    """Send the rows that are due, `limit` at most; begin none after so many `seconds` or when `stop` says so."""
    sent = Sent(uncertain=letters.recover())
    lanes = Lanes()
    for pk, endpoint in (rows & letters.due()).order_by("next_try_at", "pk").values_list("pk", "submission__endpoint").iterator():
        lanes.put(host_of(endpoint), pk)
    whole = len(lanes) if limit is None else min(limit, len(lanes))
    end = time.monotonic() + seconds
    run = _Run(lanes, sent, whole, progress)
    with ThreadPoolExecutor(concurrency, thread_name_prefix="issue") as pool:
        try:
            while True:
                over = stop() or time.monotonic() >= end
                while not over and len(run.running) < concurrency and run.begun < whole and run.begin(pool):
                    pass
                if not run.running and (over or run.begun >= whole or not lanes):
                    break
                run.wait()
        finally:  # an interrupted command stores what it had under way
            while run.running:
                run.wait()
    sent.left = len(lanes)
    return sent


@dataclass
class _Run:
    """A pass under way: which letter each thread has, and for which host."""

    lanes: Lanes
    sent: Sent
    whole: int
    progress: Progress
    begun: int = 0
    running: dict[Future[Answer], tuple[str, Letter]] = field(default_factory=dict)

    def begin(self, pool: ThreadPoolExecutor) -> bool:
        """Start the next one; False when no host is free."""
        turn = self.lanes.take(time.monotonic())
        if turn is None:
            return False
        host, pk = turn
        letter = letters.claim(pk)
        if letter is None:
            self.lanes.done(host)
        else:
            self.running[pool.submit(letters.post, letter)] = (host, letter)
            self.begun += 1
        return True

    def wait(self) -> None:
        """Until something ends, or a host's pause does; then store what has ended."""
        pause = self.lanes.pause_left(time.monotonic())
        pause = None if pause is None else max(pause, 0.005)
        if not self.running:
            time.sleep(min(pause or 0.0, 1.0))
            return
        done, _ = wait(self.running, timeout=1.0 if pause is None else min(pause, 1.0), return_when=FIRST_COMPLETED)
        for future in done:
            host, letter = self.running.pop(future)
            self.lanes.done(host)
            answer = future.result()
            self.sent.counts[letters.settle(letter, answer)] += 1
            self.leave_alone(host, answer.asked)
            self.progress(self.sent.tried, self.whole)

    def leave_alone(self, host: str, seconds: float) -> None:
        """As long as the host asked: a short pause is waited for, at a longer one its letters become due later."""
        if seconds > HOLD_SECONDS:
            ids = self.lanes.empty(host)
            rows = IssuedTask.objects.filter(pk__in=ids, status__in=letters.DUE)
            self.sent.put_off += rows.update(next_try_at=timezone.now() + timedelta(seconds=seconds))
        elif seconds:
            self.lanes.hold(host, time.monotonic() + seconds)


def host_of(endpoint: str) -> str:
    try:
        return parse_url(endpoint).host
    except AddressRefused:
        return ""  # it is refused when it is sent


# -- the workers' part ---------------------------------------------------------------------------------------------------------------------


def enqueue_when_due() -> bool:
    """Put "send what is due" into the queue when anything is, or when a sender died. A message too many is harmless."""
    if not (letters.due().exists() or letters.is_busy()):
        return False
    async_task(JOB)
    return True


def run_slice() -> None:
    """Some seconds of sending; what is left is the next job's. Where somebody else is sending, that one goes on: hosts are counted in one place."""
    letters.recover()
    if letters.is_busy():
        return
    beat_at = 0.0

    def stop() -> bool:
        nonlocal beat_at
        if time.monotonic() >= beat_at:
            beat_at = time.monotonic() + BEAT_SECONDS
            pulse.beat()
        return tasks.worker.stopping()

    if send(IssuedTask.objects.all(), seconds=SLICE_SECONDS, stop=stop).left:
        async_task(JOB)
