"""The running service with its peers, and the hand that kills it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
import uuid
from collections.abc import Iterable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tasks.demo.stack import Stack
from tests.crashes.gate import FOLDER, Gate
from tests.crashes.processes import family, named, send
from tests.crashes.rounds import CSV, Posted, story
from tests.emulators.base import Emulator, Reply, Request
from tests.emulators.evaluator import Evaluator
from tests.emulators.gemini import GeminiEmulator
from tests.emulators.github import GitHubEmulator
from tests.test_flow_github import answer
from tests.worker.box import alive, stat, until

rest = pytest.mark.rest

LEASE = 3.0  # seconds: as good as the real 20, which only some cells sit through
PRODUCTION = "20"  # the lease that the product has by itself
PROCESSES = 10  # of a worker, so that many rounds can be held at once
PATIENCE = 60.0  # seconds for what has to come at all, on an idle machine; how soon it comes is measured
BAR = 30.0  # seconds from the kill to the end of the round, on a machine that is not overloaded


class Files(Emulator):
    """Serves the attachment."""

    def answer(self, request: Request) -> Reply:
        return Reply(200, CSV, {"Content-Type": "text/csv"})


def allowed() -> float:
    """BAR, and where more than two processes want each core, as much longer as that takes."""
    return BAR * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1) / 2)


class Service:
    """Web and workers on one data folder. `env` overrides the settings of both."""

    def __init__(self, folder: Path, env: dict[str, str] | None = None) -> None:
        folder.mkdir()
        self._numbers = count(1)
        self.model = GeminiEmulator(reply=self._reply)
        self.github, self.evaluator, self.files = GitHubEmulator(), Evaluator(), Files()
        self.gate = Gate(folder / "gate")
        self.dead: set[int] = set()  # killed by a test; none of them may be alive at its end
        settings = {
            "DJANGO_SETTINGS_MODULE": "tests.crashes.settings",
            FOLDER: str(self.gate.folder),
            "GENERATOR": "gemini",
            "GEMINI_API_KEY": self.model.key,
            "GEMINI_API_ENDPOINT": self.model.url,
            "GITHUB_WRITES_PER_MINUTE": "0",
            "GITHUB_WRITES_PER_HOUR": "0",
            "CHROMIUM_PATH": "no-browser-here",
            "DEPLOYER_LEASE_SECONDS": str(LEASE),
            **(env or {}),
        }
        self.peers = (self.model, self.github, self.evaluator, self.files)
        for peer in self.peers:
            peer.__enter__()
        self.stack = Stack(folder / "data", workers=0, env={**self.github.django_settings(), **settings})
        self.worker: subprocess.Popen[bytes] | None = None
        self.special = False  # the worker has settings of one test's own
        self.lease = 0.0  # seconds, of the worker started last

    def _reply(self, request: dict[str, Any]) -> str:
        """No two answers are the same, so that a second one cannot pass for the first."""
        return answer(f"Answer {next(self._numbers)}")

    def __enter__(self) -> Service:
        self.stack.__enter__()
        self.start_worker()
        self.wait_well()
        return self

    def __exit__(self, *exc: object) -> None:
        self.gate.open()
        self.stack.__exit__(*exc)
        for peer in self.peers:
            peer.__exit__(None, None, None)

    # -- processes ---------------------------------------------------------------------------------------------------------------------

    @property
    def web(self) -> subprocess.Popen[bytes]:
        return self.stack.children[0]

    def start_web(self, **env: str) -> None:
        """In place of a web server that was killed; `env` is for this one alone."""
        child = self.spawn("web", *self.web.args[1:], env=env)  # type: ignore[index]
        self.stack.children.remove(child)
        self.stack.children[0] = child
        self.stack.wait_ready("/status", PATIENCE)

    def restart_web(self, **env: str) -> None:
        self.web.terminate()
        self.web.wait(PATIENCE)
        self.start_web(**env)

    def spawn(self, *args: str, env: dict[str, str]) -> subprocess.Popen[bytes]:
        usual, self.stack.env = self.stack.env, self.stack.env | env
        try:
            return self.stack.spawn(*args)
        finally:
            self.stack.env = usual

    def start_worker(self, **env: str) -> subprocess.Popen[bytes]:
        """One more `manage.py worker`; the tests mean this one from now on. `env` is for it alone."""
        self.special = bool(env)
        self.lease = float((self.stack.env | env)["DEPLOYER_LEASE_SECONDS"])
        self.worker = self.spawn("worker", "manage.py", "worker", "--processes", str(PROCESSES), env=env)
        return self.worker

    def replace_worker(self, **env: str) -> None:
        """End the worker in good order and start one with these settings."""
        assert self.worker
        self.worker.terminate()
        self.reap(self.worker)
        self.start_worker(**env)
        self.wait_whole()

    def wait_whole(self) -> None:
        """Until web answers and the worker has all its processes."""
        self.stack.wait_ready("/health", PATIENCE)
        until(lambda: len(self.pids("queue-worker")) == PROCESSES, PATIENCE, "all processes of the worker")

    def wait_well(self) -> None:
        """Until web and worker are there; what an earlier test left behind is mended first."""
        self.gate.open()
        self.evaluator.script.clear()
        if self.worker is None or self.worker.poll() is not None:
            self.start_worker()
        elif self.special:
            self.replace_worker()
        self.wait_whole()

    def pids(self, name: str = "") -> list[int]:
        """The living processes of the worker, of one kind: queue-cluster, queue-worker, queue-pusher, queue-monitor."""
        assert self.worker
        return named(family(self.worker.pid), name)

    def kill_worker(self) -> None:
        """SIGKILL to the supervisor and all below it, at once."""
        assert self.worker
        self.kill(family(self.worker.pid))
        self.reap(self.worker)

    def kill(self, pids: Iterable[int]) -> None:
        pids = set(pids)
        self.dead |= pids
        send(pids, signal.SIGKILL)

    def reap(self, child: subprocess.Popen[bytes]) -> None:
        """Forget a child that has ended."""
        child.wait(PATIENCE)
        self.stack.children.remove(child)

    def assert_nothing_is_left(self) -> None:
        """Whatever was killed is gone, and every process on our data belongs to web or worker."""
        until(lambda: not any(map(alive, self.dead)), PATIENCE, lambda: f"still alive: {[(pid, stat(pid)) for pid in self.dead if alive(pid)]}")
        self.dead.clear()
        until(lambda: not self.strangers(), PATIENCE, lambda: f"left over: {[(pid, stat(pid)) for pid in self.strangers()]}")

    def strangers(self) -> set[int]:
        mark = f"{FOLDER}={self.gate.folder}\0".encode()
        ours = set()
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and mark in (entry / "environ").read_bytes():
                    ours.add(int(entry.name))
            except OSError:
                continue
        return {pid for pid in ours - family(*(child.pid for child in self.stack.children)) if alive(pid)}

    # -- rounds ------------------------------------------------------------------------------------------------------------------------

    def body(self, **changes: Any) -> dict[str, Any]:
        return {
            "email": "student@example.org", "task": f"killed-{uuid.uuid4().hex[:8]}", "round": 1, "nonce": str(uuid.uuid4()),
            "brief": "Publish a page that shows the total inside #total-sales.", "checks": [], "evaluation_url": self.evaluator.url,
            "attachments": [{"name": "data.csv", "url": f"{self.files.url}/data.csv"}], **changes,
        }  # fmt: skip

    def post(self, name: str = "", **changes: Any) -> Posted:
        """Accepted with 200; `name` is for the table."""
        body = self.body(**changes)
        return Posted(self.stack.post(body)["id"], body, name)

    def status(self, posted: Posted) -> dict[str, Any]:
        return self.stack.get(f"/status/{posted.id}")

    def wait_held(self, point: str) -> int:
        """The process that has come to the armed point."""
        return until(lambda: self.gate.holds(point), PATIENCE, f"somebody who comes to {point!r}")

    def hold(self, *points: str, **changes: Any) -> list[Posted]:
        """A new round for each of these points, with a process that stays there in the middle of it."""
        held = []
        for point in points:
            self.gate.arm(point)
            posted = self.post(point, **changes)
            posted.held_by = self.wait_held(point)
            held.append(posted)
        return held

    def wait_waiting(self, posted: Posted, stage: str) -> None:
        """Until the round waits in that stage, in no worker's hands."""

        def waits() -> bool:
            state = self.status(posted)
            return bool(state["stage"] == stage and state["status"] == "waiting")

        until(waits, PATIENCE, lambda: story(self.status(posted)))

    def wait_ended(self, *rounds: Posted) -> dict[str, float]:
        """The moment at which each round (by its id) was seen to have ended. A web server that cannot tell is asked again."""
        seen: dict[str, Any] = {}
        ended: dict[str, float] = {}

        def all_ended() -> bool:
            time.sleep(0.1)  # each look costs the web server some milliseconds
            for posted in rounds:
                if posted.id in ended:
                    continue
                try:
                    seen[posted.id] = self.status(posted)
                except OSError as error:
                    seen[posted.id] = error
                    return False
                if seen[posted.id]["status"] in {"succeeded", "failed"}:
                    ended[posted.id] = time.monotonic()
            return len(ended) == len(rounds)

        until(all_ended, PATIENCE, lambda: "; ".join(story(state) for id, state in seen.items() if id not in ended))
        return ended
