"""A worker that is stopped and goes on later: a laptop that was closed, a virtual machine that was paused."""

from __future__ import annotations

import signal
import time

from tests.crashes.processes import family, send
from tests.crashes.service import PATIENCE, Service
from tests.worker.box import until


class Sleeper:
    """The service's worker, stopped now with all its processes."""

    def __init__(self, service: Service) -> None:
        assert service.worker
        self.service, self.process = service, service.worker
        self.pids = family(self.process.pid)
        self.stopped_at = time.monotonic()
        send(self.pids, signal.SIGSTOP)

    def resume(self) -> None:
        self.service.gate.open()
        send(self.pids, signal.SIGCONT)

    def wake(self, says: str = "was taken over by another worker", times: int = 1) -> None:
        """Let it go on until it has said so in the log; then it ends in good order."""
        log = self.service.stack.folder / "worker.log"
        size = log.stat().st_size
        self.resume()
        until(lambda: log.read_bytes()[size:].count(says.encode()) >= times, PATIENCE, lambda: f"{times} times {says!r} in {log.read_text()[size:]}")
        self.process.terminate()
        self.service.reap(self.process)
        assert self.process.returncode == 0
        self.service.dead |= self.pids
