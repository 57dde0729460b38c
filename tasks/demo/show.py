"""Progress of a round, line by line, as a person wants to read it."""

from __future__ import annotations

import time
from typing import Any, Protocol

from tasks.demo.stack import Stack


class Out(Protocol):
    def write(self, msg: str) -> Any: ...


def follow(stack: Stack, id: str, out: Out, seconds: float) -> dict[str, Any]:
    """Print each stage as it ends; the round's last status."""
    shown = 0
    end = time.monotonic() + seconds
    while True:
        for line in stack.renew():
            out.write(f"  {line}")
        status = stack.get(f"/status/{id}")
        ended = [run for run in status["stage_runs"] if run["outcome"] != "running"]
        for run in ended[shown:]:
            mark = {"done": "✓", "error": "✗", "waiting": "…"}.get(run["outcome"], "·")
            out.write(f"  {mark} {run['stage']:<12}{run['seconds']:>7.2f} s  {run['summary']}")
        shown = len(ended)
        if status["status"] in {"succeeded", "failed"} or time.monotonic() > end:
            return status
        time.sleep(0.05)


def summary(status: dict[str, Any], notified: tuple[float, dict[str, Any]] | None) -> str:
    lines = [
        f"  Page        {status['pages_url']}",
        f"  Repository  {status['repo_url']}   commit {(status['commit_sha'] or 'none')[:10]}",
    ]
    checks = status["checks"]
    if checks:
        lines.append(f"  Checks      {sum(check['status'] == 'pass' for check in checks)} of {len(checks)} pass")
    if notified:
        lines.append(f"  Notified    {notified[1]}")
    for key in ("degraded", "error"):
        if status[key]:
            lines.append(f"  {key.capitalize():<11} {status[key]['id']}: {status[key]['message']}")
    return "\n".join(lines)
