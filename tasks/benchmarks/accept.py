"""How fast `/ready` answers: beside an application that stores nothing, and while everything behind it hangs.

The two applications take turns in short slices of one run, so that whatever else the machine does hits both; the ratio is the slices' median.
"""

from __future__ import annotations

import importlib.util
import socket
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tasks.benchmarks import Figures, Missing, Options
from tasks.benchmarks.black_hole import BlackHole
from tasks.benchmarks.bodies import Bodies
from tasks.benchmarks.load import Load, run
from tasks.benchmarks.processes import cpu_seconds
from tasks.demo.stack import Stack, free_port

SLICES = 5
WARM_UP_SECONDS = 0.5
START_SECONDS = 20.0
NEEDED = ("fastapi", "uvicorn", "httptools", "uvloop")


class Target:
    """One application under load."""

    def __init__(self, url: str, pid: int, body: Callable[[], bytes | None], connections: int) -> None:
        self.url, self.pid, self.body, self.connections = f"{url}/ready", pid, body, connections
        self.load, self.rates, self.cpu = Load(), list[float](), 0.0

    def warm_up(self) -> None:
        run(self.url, self.body, connections=self.connections, seconds=WARM_UP_SECONDS)

    def press(self, seconds: float) -> None:
        before = cpu_seconds(self.pid)
        load = run(self.url, self.body, connections=self.connections, seconds=seconds)
        self.cpu += cpu_seconds(self.pid) - before
        self.rates.append(load.per_second)
        self.load.add(load)

    def cpu_ms(self) -> float:
        return self.cpu * 1000 / max(1, len(self.load.latencies))

    def figures(self) -> Figures:
        return self.load.figures() | {"cpu_ms_per_request": round(self.cpu_ms(), 3)}


def measure(folder: Path, options: Options) -> Figures:
    with Stack(folder / "alone", workers=0) as stack:
        bodies = Bodies(stack.secret, "http://127.0.0.1:9/notify")
        ours = Target(stack.url, stack.children[0].pid, bodies.next, options.connections)
        figures: Figures = {"connections": options.connections, "ours": {}}
        try:
            with plain_app(stack) as (url, pid):
                figures |= beside(ours, Target(url, pid, bodies.next, options.connections), options.seconds)
        except Missing as missing:
            ours.press(options.seconds)
            figures["fastapi"] = str(missing)
        figures["ours"] = ours.figures()
    figures["ours_while_peers_hang"] = while_peers_hang(folder / "hanging", options)
    return figures


def beside(ours: Target, plain: Target, seconds: float) -> Figures:
    for target in (ours, plain):
        target.warm_up()
    for _ in range(SLICES):
        ours.press(seconds / SLICES)
        plain.press(seconds / SLICES)
    return {
        "fastapi": plain.figures(),
        "ratio": round(statistics.median(mine / its for mine, its in zip(ours.rates, plain.rates, strict=True)), 3),
        "cpu_ratio": round(plain.cpu_ms() / ours.cpu_ms(), 3),
    }


@contextmanager
def plain_app(stack: Stack) -> Iterator[tuple[str, int]]:
    """The application to compare with: its address and process."""
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise Missing(f"not measured: {', '.join(missing)} not installed (pip install -r requirements-dev.txt)")
    port = free_port(stack.port + 1)
    command = ("-m", "uvicorn", "--port", str(port), "--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning")
    app = stack.spawn("plain", *command, "tasks.benchmarks.plain_app:app")
    try:
        wait_for(port)
        yield f"http://127.0.0.1:{port}", app.pid
    finally:
        stack.children.remove(app)
        app.terminate()
        try:
            app.wait(10)
        except subprocess.TimeoutExpired:
            app.kill()


def wait_for(port: int) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise Missing("not measured: uvicorn does not start; plain.log says why")


def while_peers_hang(folder: Path, options: Options) -> Figures:
    """With workers at work, on rounds whose model, GitHub and evaluator never answer."""
    with BlackHole() as hole:
        env = {
            "GENERATOR": "openai",
            "OPENAI_BASE_URL": f"{hole.url}/v1",
            "OPENAI_API_KEY": "none",
            "OPENAI_MODEL": "none",
            "REPO_HOST": "github",
            "GITHUB_TOKEN": "none",  # no password: nobody is asked # nosec B105
            "GITHUB_API_URL": hole.url,
            "DEPLOYER_STOP_SECONDS": "1",  # there is nothing to wait for
        }
        with Stack(folder, workers=4, env=env) as stack:
            target = Target(stack.url, stack.children[0].pid, Bodies(stack.secret, f"{hole.url}/notify").next, options.connections)
            target.warm_up()
            target.press(options.seconds)
    return target.figures()
