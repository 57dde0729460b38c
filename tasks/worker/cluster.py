"""One django-q2 cluster in a process group of its own, made so that any of its processes may be killed at any time."""

from __future__ import annotations

import contextlib
import gc
import importlib
import logging
import os
import signal
import uuid
from multiprocessing import get_context
from multiprocessing.connection import wait
from multiprocessing.context import ForkProcess
from typing import Any

import django_q.cluster
from django.conf import settings
from django.db import connections
from django_q.conf import Conf

import tasks.worker
from tasks.worker import processes
from tasks.worker.flag import Flag
from tasks.worker.packets import PacketQueue
from tasks.worker.timer import Timer

log = logging.getLogger(__name__)


def configure(workers: int) -> None:
    """Set the number of worker processes, and the retry time that follows from it (see Q_CLUSTER in settings)."""
    if workers != Conf.WORKERS:
        Conf.WORKERS = workers
        Conf.RETRY = Conf.TIMEOUT * (1 + -(-(Conf.QUEUE_LIMIT + 2) // workers)) + 10


def preload() -> None:
    """Import what the jobs need before the fork, once for all workers: a quarter of the memory, and no first job that waits for it."""
    from tasks.pipeline import STAGES

    wanted = [f"tasks.stages.{stage}" for stage in STAGES] + [f"tasks.generators.{settings.GENERATOR}", f"tasks.hosts.{settings.REPO_HOST}"]
    wanted += ["google.generativeai"] if settings.GENERATOR == "gemini" else []
    wanted += ["github"] if settings.REPO_HOST == "github" else []
    for name in wanted:
        try:
            importlib.import_module(name)
        except ImportError:
            log.exception("%s cannot be imported; every job that needs it will fail.", name)


class Cluster:
    """Starts, stops and kills. After `kill` or the end of its processes it can be started again."""

    def __init__(self) -> None:
        self._process: ForkProcess | None = None
        self._flag: Flag | None = None

    @property
    def pid(self) -> int:
        """Of its first process, which is also the number of the group; 0 before the first start."""
        return (self._process.pid or 0) if self._process else 0

    @property
    def ended(self) -> int | None:
        """A file descriptor that is readable once the first process has ended."""
        return self._process.sentinel if self._process else None

    def start(self) -> None:
        """Fork: the group shares the memory of what this process has imported."""
        connections.close_all()  # a connection must not be used on both sides of a fork
        self._flag = Flag()
        self._process = get_context("fork").Process(target=_main, args=(self._flag, os.getpid()), name="cluster")
        self._process.start()

    def is_running(self) -> bool:
        """Does not wait for a process that has ended: its pid stays reserved until `kill`, so that no other group can be hit."""
        return self._process is not None and not wait([self._process.sentinel], 0)

    def has(self, pid: int) -> bool:
        """Whether the process is alive and one of this cluster's."""
        return bool(self.pid) and processes.is_alive(pid, self.pid)

    def stop(self) -> None:
        """Ask it to end: nothing new is begun, and jobs see `tasks.worker.stopping()`."""
        if self._flag:
            self._flag.set()

    def kill(self) -> None:
        """SIGKILL to the whole group; returns when its first process is gone."""
        if self._process is None or self._flag is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.kill()
        self._process.join()
        self._process.close()
        self._flag.close()
        self._process = self._flag = None


def _main(flag: Flag, supervisor: int) -> None:
    """The first process of the group: django-q2's sentinel, which guards workers, pusher and monitor until the flag goes up."""
    os.setsid()
    processes.die_with_parent(supervisor)
    processes.show_name("queue-cluster")
    processes.tie_children()
    for name in (signal.SIGALRM, signal.SIGHUP):
        signal.signal(name, signal.SIG_DFL)
    tasks.worker.stop_flag = flag
    django_q.cluster.Event = Flag
    if processes.LINUX:
        django_q.cluster.Queue = PacketQueue
        django_q.cluster.Value = Timer
    else:
        log.warning("Only on Linux can a killed worker not stop the queue; here the supervisor restarts it after a while.")
    gc.collect()
    gc.freeze()  # the collector would otherwise touch, and so copy, every page that the workers share
    Sentinel(flag, Flag(), uuid.uuid4())


class Sentinel(django_q.cluster.Sentinel):
    """Gives its processes names."""

    def spawn_process(self, target: Any, *args: Any) -> Any:
        processes.name_next(f"queue-{target.__name__}")
        return super().spawn_process(target, *args)
