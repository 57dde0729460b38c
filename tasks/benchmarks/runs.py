"""What the sandbox costs beside the bare command, and a queue of a hundred runs: their order, how many at a time, their ends.

`python -m tasks.benchmarks.runs`, in the environment of a service of its own, asks for the runs and prints what became of them as JSON.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings

from tasks.benchmarks import Figures, Missing, Options
from tasks.demo.stack import Stack, StackError
from tasks.runners import Job, get_runner
from tasks.runners.sandbox import PYTHONS

TIMES = 30
RUNS = 100
WORKERS = 8  # half of them run programs at a time
COMMANDS = {"true": ["/bin/true"], "python": [next(filter(os.path.exists, PYTHONS), ""), "-c", "print(sum(range(1000)))"]}
FLOOD, LOOP = "while True: print('x' * 1000)", "while True: pass"


class Silent:
    """Nobody looks."""

    def running(self) -> None: ...

    def output(self, stream: Any, data: bytes) -> None: ...

    def cancelled(self) -> bool:
        return False


def measure(folder: Path, options: Options) -> Figures:
    if reason := get_runner("sandbox").unavailable():
        raise Missing(reason)
    return {"beside the bare command": overhead(), "queue": queue(folder, options.rounds or RUNS)}


def overhead(times: int = TIMES) -> Figures:
    """Bare and in the sandbox by turns, so that both see the same machine."""
    runner = get_runner("sandbox")
    figures: Figures = {}
    for name, command in COMMANDS.items():
        bare, boxed = [], []
        for _ in range(times):
            started = time.perf_counter()
            subprocess.run(command, stdout=subprocess.DEVNULL, check=True)  # noqa: S603 - our own arguments  # nosec B603
            bare.append(time.perf_counter() - started)
            started = time.perf_counter()
            report = runner.run(Job(tuple(command)), Silent())
            boxed.append(time.perf_counter() - started)
            if report.status != "succeeded":
                raise StackError(f"The run ended as {report.status}: {report.reason}")
        differences = [1000 * (second - first) for first, second in zip(bare, boxed, strict=True)]
        figures[name] = {
            "bare_p50_ms": round(1000 * statistics.median(bare), 1),
            "sandbox_p50_ms": round(1000 * statistics.median(boxed), 1),
            "more_p50_ms": round(statistics.median(differences), 1),
            "more_max_ms": round(max(differences), 1),
        }
    return figures


def queue(folder: Path, count: int) -> Figures:
    with Stack(folder, workers=WORKERS) as stack:
        command = [sys.executable, "-m", "tasks.benchmarks.runs", str(count)]
        done = subprocess.run(command, cwd=settings.BASE_DIR, env=stack.env, capture_output=True, text=True, check=False)  # noqa: S603 - our own arguments  # nosec B603
    if done.returncode:
        raise StackError(f"The measurement failed: {done.stderr.strip()[-2000:]}")
    figures: Figures = json.loads(done.stdout.splitlines()[-1])
    return figures


def ask(count: int) -> Figures:
    """Every tenth floods, every tenth loops for ever; the others say their number and leave a file."""
    from tasks import runs
    from tasks.models import ContainerRun

    asked = {}
    started = time.monotonic()
    for number in range(count):
        program, end = {3: (FLOOD, "output_limit"), 7: (LOOP, "timed_out")}.get(
            number % 10, (f"print({number}); open('out/n', 'w').write('{number}')", "succeeded")
        )
        run = runs.submit(files={"main.py": program.encode()}, limits={"cpu_seconds": 1, "wall_seconds": 20})
        asked[run.pk] = (end, f"{number}\n" if end == "succeeded" else None)
    queued = time.monotonic() - started
    while ContainerRun.objects.filter(status__in=ContainerRun.OPEN).exists():
        time.sleep(0.1)
        if time.monotonic() - started > 20 * count:
            raise SystemExit("The queue does not empty.")
    rows = list(ContainerRun.objects.filter(pk__in=asked).order_by("pk").prefetch_related("artefacts"))
    right = [
        row
        for row in rows
        if row.status == asked[row.pk][0] and (asked[row.pk][1] is None or (row.stdout, row.artefacts.count()) == (asked[row.pk][1], 1))
    ]
    spans = [(row.taken_at, row.finished_at) for row in rows if row.taken_at and row.finished_at]
    return {
        "asked": count,
        "asked_in_s": round(queued, 2),
        "ended_as_they_should": len(right),
        "at_a_time": together(spans),
        "at_a_time_allowed": max(1, settings.WORKERS // 2),
        "overtaken": overtaken([row.taken_at for row in rows]),
        "all_ended_after_s": round(time.monotonic() - started, 1),
    }


def ended_right(run: Any, status: str, output: str | None) -> bool:
    return run.status == status and (output is None or (run.stdout, len(run.artefacts.all())) == (output, 1))


def together(spans: Sequence[tuple[Any, Any]]) -> int:
    """How many ran at once, at most."""
    moments = sorted([(start, 1) for start, _ in spans] + [(end, -1) for _, end in spans])
    most = now = 0
    for _, step in moments:
        now += step
        most = max(most, now)
    return most


def overtaken(taken: Sequence[Any]) -> int:
    """How many were taken in hand after one that was asked for later."""
    return sum(any(later < moment for later in taken[index + 1 :]) for index, moment in enumerate(taken))


if __name__ == "__main__":
    import django

    django.setup()
    print(json.dumps(ask(int(sys.argv[1]))))  # noqa: T201
