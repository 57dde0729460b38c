"""Seconds from sending the POST to the notification's arrival, one round after another: offline generator, local host, evaluation off."""

from __future__ import annotations

import time
import uuid
from pathlib import Path

from tasks.benchmarks import Figures, Options
from tasks.benchmarks.load import percentile
from tasks.demo.briefs import bodies
from tasks.demo.evaluator import Evaluator
from tasks.demo.stack import Stack

ROUNDS = 20


def measure(folder: Path, options: Options) -> Figures:
    taken: list[float] = []
    with Stack(folder, env={"EVALUATE": "off"}) as stack, Evaluator() as evaluator:
        for _ in range(options.rounds or ROUNDS):
            task = f"sales-total-{uuid.uuid4().hex[:5]}"
            body = bodies("sales-total", email="load@example.com", task=task, evaluation_url=evaluator.url)[0]
            started = time.time()
            stack.post(body)
            notified = evaluator.wait(body["nonce"], 30)
            taken.append(notified[0] - started if notified else float("inf"))
    taken.sort()
    return {
        "rounds": len(taken),
        "p50_s": round(percentile(taken, 50), 3),
        "p99_s": round(percentile(taken, 99), 3),
        "max_s": round(taken[-1], 3),
    }
