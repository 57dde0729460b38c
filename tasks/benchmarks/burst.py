"""A class posts at once: how many rounds are notified inside their ten minutes, and what that takes.

The model answers after --model-latency seconds, a pushed page is live after --pages-latency; GitHub's write budget is off, since 1,000 repositories
take an hour of one token's. The emulators, the evaluator and the load run on the same machine; what they use is counted apart.
"""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from tasks.benchmarks import Figures, Options
from tasks.benchmarks.bodies import Bodies
from tasks.benchmarks.emulated import peers
from tasks.benchmarks.load import percentile, run
from tasks.benchmarks.processes import cpu_seconds, memory_mib
from tasks.demo.evaluator import Evaluator
from tasks.demo.stack import Stack

ROUNDS = 1000
DEADLINE_SECONDS = 600.0
LOOK_SECONDS = 10.0  # between looks at the memory
BROWSERS = "SELECT 'all', COALESCE(SUM(json_extract(evidence, '$.cpu_seconds')), 0) FROM tasks_checkresult WHERE title = 'The page loads'"
QUESTIONS = {
    "degraded": "SELECT degraded_id, COUNT(*) FROM tasks_round WHERE degraded_id <> '' GROUP BY 1",
    "live_when_notified": "SELECT live_at <= notified_at, COUNT(*) FROM tasks_round GROUP BY 1",
    "versions": "SELECT kind, COUNT(*) FROM tasks_codeversion GROUP BY 1",
    "opened_in_a_browser": """SELECT CASE WHEN deployment_id IS NULL THEN 'before publishing' ELSE 'live' END || ' ' || status, COUNT(*)
        FROM tasks_checkresult WHERE kind = 'page' AND title = 'The page loads' GROUP BY 1""",
}


def measure(folder: Path, options: Options) -> Figures:
    rounds = options.rounds or ROUNDS
    sent: dict[str, float] = {}
    with peers(options) as (_, env), Evaluator() as evaluator, Stack(folder, workers=options.workers, env=env) as stack:
        web, worker = (child.pid for child in stack.children)
        own = cpu_seconds(os.getpid()) - cpu_seconds(web) - cpu_seconds(worker)
        bodies = Bodies(stack.secret, evaluator.url, limit=rounds)
        load = run(f"{stack.url}/ready", bodies.timed(time.time, sent), connections=options.connections, seconds=DEADLINE_SECONDS)
        memory = 0.0
        end = time.time() + DEADLINE_SECONDS
        while time.time() < end and len({body["nonce"] for _, body in evaluator.received}) < rounds:
            memory = max(memory, memory_mib(worker) + memory_mib(web))
            time.sleep(LOOK_SECONDS)
        cpu = {"worker_cpu_s": cpu_seconds(worker), "web_cpu_s": cpu_seconds(web)}
        own = cpu_seconds(os.getpid()) - sum(cpu.values()) - own
        # What runs in a jail of its own is not counted with its parents.
        arrived: dict[str, float] = {}
        for at, body in list(evaluator.received):
            arrived.setdefault(body["nonce"], at)
        cpu["browsers_cpu_s"] = sum(ask(folder, BROWSERS).values())
        answers = {name: ask(folder, question) for name, question in QUESTIONS.items()}
    taken = sorted(at - sent[nonce] for nonce, at in arrived.items())
    return {
        "rounds": rounds,
        "workers": options.workers,
        "stored": load.statuses.get(200, 0),
        "accept": load.figures(),
        "notified_in_600_s": sum(seconds <= DEADLINE_SECONDS for seconds in taken),
        "notified_p50_s": round(percentile(taken, 50), 1),
        "notified_p99_s": round(percentile(taken, 99), 1),
        "notified_last_s": round(taken[-1], 1) if taken else None,
        "cpu_s_per_round": round(sum(cpu.values()) / rounds, 3),
        **{name: round(seconds, 1) for name, seconds in cpu.items()},
        "emulators_cpu_s": round(own, 1),
        "memory_peak_mib": round(memory),
        **answers,
    }


def ask(folder: Path, question: str) -> dict[str, int]:
    with closing(sqlite3.connect(f"file:{folder / 'deployer.sqlite3'}?mode=ro", uri=True)) as database:
        return {str(name): count for name, count in database.execute(question)}
