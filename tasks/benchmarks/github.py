"""The requests that a round makes of GitHub's API, polling apart, counted by the emulator: round 1 of the demo's brief and its revision."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

from tasks.benchmarks import Figures, Missing, Options
from tasks.benchmarks.emulated import peers
from tasks.demo.briefs import bodies
from tasks.demo.evaluator import Evaluator
from tasks.demo.stack import Stack

SECONDS = 60.0


def measure(folder: Path, options: Options) -> Figures:
    figures: Figures = {}
    at_once, own = replace(options, model_latency=0.0, pages_latency=0.0), {"GENERATOR": "offline", "EVALUATE": "off"}
    with peers(at_once) as (github, env), Evaluator() as evaluator, Stack(folder, env=env | own) as stack:
        for body in bodies("sales-total", email="load@example.com", task="sales-total", evaluation_url=evaluator.url):
            before = len(github.requests)
            stack.post(body)
            if evaluator.wait(body["nonce"], SECONDS) is None:
                raise Missing(f"round {body['round']} was not notified in {SECONDS:.0f} s")
            calls = [named(request) for request in github.requests[before:] if not request.path.startswith("/pages/")]
            figures[f"round_{body['round']}"] = {"requests": len(calls), **Counter(calls)}
    return figures


def named(request: Any) -> str:
    """The call without the names in it."""
    path = re.sub(r"^/repos/[^/]+/[^/?]+", "/repos/…", request.path)
    return f"{request.method} {re.sub(r'(?<=/refs/heads).*|(?<=/commits/).*|(?<=/trees/).*', '/…', path)}"
