"""The process in the foreground: feeds the queue, watches over the cluster, and ends it in time."""

from __future__ import annotations

import logging
import os
import select
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from django.db import DatabaseError, InterfaceError, OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.utils import timezone

from tasks import runs
from tasks.classroom import sending
from tasks.classroom.evaluating import queue as reports
from tasks.models import Worker
from tasks.worker import clock, dispatcher, pulse
from tasks.worker.cluster import Cluster, configure, preload
from tasks.worker.flag import Flag
from tasks.worker.watchdog import Pause, Watchdog

log = logging.getLogger(__name__)

TICK_SECONDS = 1.0
SEEN_SECONDS = 2.0
TIDY_SECONDS = 600.0
ISSUE_SECONDS = 30.0
REPORT_SECONDS = 5.0
ANSWER_SECONDS = 10.0  # what the database gets for one tick's questions
STOP_SECONDS = float(os.environ.get("DEPLOYER_STOP_SECONDS", "20"))  # what running jobs get to end in
GAP_SECONDS = 10.0  # a tick that late means that this process was stopped itself


class Interrupted(BaseException):
    """A signal came while the database was asked: leave that, there is little time."""


def worker_name() -> str:
    """`host:pid:start`, at most 80 characters: leases carry it with a pid and a random part behind it.

    Two containers of one host name start with the same pid in the same second, so the start has a random part too."""
    return f"{socket.gethostname()[:50]}:{os.getpid()}:{int(time.time())}-{os.urandom(3).hex()}"


class Supervisor:
    """One `manage.py worker`. `run` returns when it was told to stop, and leaves no process and no lease behind."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self.name = worker_name()
        self._pid = os.getpid()
        self.restarts = 0
        self._cluster = Cluster()
        self._watchdog = Watchdog(pulse.PROGRESS_SECONDS)
        self._pause = Pause()
        self._signals = 0
        self._signalled = Flag()
        self._asking = False
        self._outage = self._fresh = False
        self._started = self._start_at = self._ticked = time.monotonic()
        self._seen = self._tidied = self._issued = self._reported = -TIDY_SECONDS

    def run(self) -> None:
        os.environ["DEPLOYER_WORKER"] = self.name
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        signal.signal(signal.SIGALRM, self._on_silence)
        connection_created.connect(self._on_connection)
        configure(self.workers)
        preload()
        log.info("Worker %s starts with %s processes.", self.name, self.workers)
        try:
            self._start()
            while not self._signals:
                self._tick()
                self._sleep()
            self._stop()
        finally:
            self._cluster.kill()
        log.info("Worker %s has stopped.", self.name)

    # -- each second ---------------------------------------------------------------------------------------------------------------------

    def _tick(self) -> None:
        now = time.monotonic()
        if now - self._ticked > GAP_SECONDS:
            self._watchdog.reset(now)
        self._ticked = now
        stuck = self._ask_database() and self._cluster.is_running()
        if self._signals:
            return
        if stuck:
            log.error("The cluster made no progress for %s s; it is started again.", self._watchdog.limit)
            self._end_cluster()
        elif self._cluster.pid and not self._cluster.is_running():
            log.error("The cluster died; it is started again.")
            self._end_cluster()
        if not self._cluster.pid and time.monotonic() >= self._start_at:
            self._start()

    def _ask_database(self) -> bool:
        """Show that we are here, feed the queue, and whether the cluster is stuck. A database that is away is left for the next tick."""
        stuck = False
        try:
            with self._patience(ANSWER_SECONDS):
                self._show()
                held = sum(end(self.name, self._cluster.has) for end in (dispatcher.release_leases, runs.end_dead, reports.take_back))
                dispatcher.dispatch(self.workers, 0.0 if self._fresh else dispatcher.OVERLOOKED_SECONDS)
                self._fresh = False
                runs.take_back()
                progress_at = Worker.objects.filter(name=self.name).values_list("progress_at", flat=True).first()
                stuck = self._watchdog.look(time.monotonic(), progress_at, held, self.workers)
                if time.monotonic() - self._issued >= ISSUE_SECONDS:
                    self._issued = time.monotonic()
                    sending.enqueue_when_due()
                if time.monotonic() - self._reported >= REPORT_SECONDS:
                    self._reported = time.monotonic()
                    if dispatcher.backlog() <= self.workers:  # whoever waits there is worth no further messages
                        reports.enqueue_when_due()
                if time.monotonic() - self._tidied >= TIDY_SECONDS:
                    self._tidied = time.monotonic()
                    dispatcher.tidy()
                    clock.compare()
        except Interrupted:
            return False
        except (DatabaseError, InterfaceError) as error:
            if not self._outage:
                log.error("The database does not answer; trying again each second: %s", str(error).strip() or type(error).__name__)
            self._outage = True
            self._watchdog.reset(time.monotonic())
            _hang_up()
            return False
        if self._outage:
            log.warning("The database is back.")
            self._outage = False
            self._watchdog.reset(time.monotonic())
        return stuck

    def _show(self) -> None:
        """Keep this worker's row, the heartbeat that /health looks at."""
        if time.monotonic() - self._seen < SEEN_SECONDS and not self._outage:
            return
        state = {"seen_at": timezone.now(), "processes": self.workers, "restarts": self.restarts}
        if not Worker.objects.filter(name=self.name).update(**state, stopped_at=None):
            Worker.objects.create(name=self.name, host=socket.gethostname()[:100], pid=os.getpid(), **state)
        self._seen = time.monotonic()

    def _sleep(self) -> None:
        """Until the next tick, a signal, or the end of the cluster."""
        poll = select.poll()
        poll.register(self._signalled, select.POLLIN)
        if self._cluster.ended is not None:
            poll.register(self._cluster.ended, select.POLLIN)
        poll.poll(TICK_SECONDS * 1000)

    # -- the cluster ---------------------------------------------------------------------------------------------------------------------

    def _start(self) -> None:
        self._cluster.start()
        self._fresh = True  # messages that the one before had taken may be lost
        self._started = time.monotonic()
        self._watchdog.reset(self._started)

    def _end_cluster(self) -> None:
        """Kill what is left of it. The leases of its processes are given back by the next tick, which finds them dead."""
        self._cluster.kill()
        self.restarts += 1
        self._seen = -TIDY_SECONDS  # the count shows at once
        self._start_at = time.monotonic() + self._pause.after(time.monotonic() - self._started)

    def _stop(self) -> None:
        """Ask, wait, kill; then give back what was still held."""
        log.info("Worker %s stops: running jobs have %s s.", self.name, STOP_SECONDS)
        end = time.monotonic() + STOP_SECONDS
        self._cluster.stop()
        while self._cluster.is_running() and self._signals < 2 and time.monotonic() < end:
            time.sleep(0.05)
        self._cluster.kill()
        _hang_up()
        with suppress(Interrupted, DatabaseError, InterfaceError), self._patience(1.0):
            dispatcher.release_leases(self.name, lambda pid: False)
            runs.end_dead(self.name, lambda pid: False)
            reports.take_back(self.name, lambda pid: False, counts=False)
            Worker.objects.filter(name=self.name).update(stopped_at=timezone.now())

    # -- signals -------------------------------------------------------------------------------------------------------------------------

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        """The first one stops, the second one at once. A question to the database that is under way is given up."""
        self._signals += 1
        self._signalled.set()
        if self._asking and self._signals == 1:
            raise Interrupted

    def _on_silence(self, number: int, frame: FrameType | None) -> None:
        if self._asking:
            raise OperationalError("no answer in time")

    def _on_connection(self, connection: BaseDatabaseWrapper, **kwargs: object) -> None:
        """SQLite: a worker's commits do not wait for the disk, which would hold everybody's only write lock meanwhile. No kill loses them; a power
        cut may, and then their steps are done again: what was accepted, with the mark of its repository, is on the disk since the answer.
        A signal is not heard while SQLite waits for a lock, so this process (not the cluster forked from it) waits shortly."""
        if connection.vendor == "sqlite":
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA synchronous=NORMAL")
                if os.getpid() == self._pid:
                    cursor.execute("PRAGMA busy_timeout=2000")

    @contextmanager
    def _patience(self, seconds: float) -> Iterator[None]:
        """The block may be left by `Interrupted` or, when it takes longer, `OperationalError`: a host that vanished would hold us for minutes."""
        self._asking = True
        signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            yield
        finally:
            self._asking = False
            signal.setitimer(signal.ITIMER_REAL, 0)


def _hang_up() -> None:
    """Close the connections, whatever state they are in."""
    with suppress(DatabaseError, InterfaceError):
        connections.close_all()
