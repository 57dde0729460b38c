"""A program of the page, tried: run in the sandbox beside the page's files, and read by ruff where the brief wants that.

What the machine cannot do is `skipped` with the reason, never a failure of the page.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Literal

from tasks.evaluators import base
from tasks.runners import Job, Limits, get_runner

SECONDS = 20.0  # for one program
SHOWN = 1_500  # characters of output kept as evidence
RUFF = Path(sys.executable).with_name("ruff")
_MISSING = re.compile(rb"^ModuleNotFoundError: No module named '([\w.]+)'", re.M)


class Output:
    """What a program says while it runs."""

    def __init__(self) -> None:
        self.kept = {"stdout": b"", "stderr": b""}

    def running(self) -> None:
        return

    def output(self, stream: Literal["stdout", "stderr"], data: bytes) -> None:
        self.kept[stream] += data

    def cancelled(self) -> bool:
        return False

    def end_of(self, stream: str) -> str:
        return self.kept[stream].decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")[-SHOWN:].strip()


def run(path: str, subject: base.Subject) -> base.Finding:
    """`python <path>` ends with code 0."""
    title = f"{path} runs in the sandbox"
    runner = get_runner()
    if reason := runner.unavailable():
        return base.Finding(title, "skipped", f"It was read but not run: {reason}"[:500])
    seen = Output()
    limits = Limits(wall_seconds=min(SECONDS, max(1.0, subject.seconds / 2)), cpu_seconds=SECONDS)
    report = runner.run(Job(("python3", path), dict(subject.files), limits=limits), seen)
    evidence = {
        "stdout": seen.end_of("stdout"),
        "stderr": seen.end_of("stderr"),
        "exit_code": report.exit_code,
        "wall_ms": report.wall_ms,
        "cpu_ms": report.cpu_ms,
        "memory_peak_kb": report.memory_peak_kb,
    }
    if report.status == "succeeded":
        return base.Finding(title, "pass", evidence=evidence)
    if report.status == "internal_error":
        return base.Finding(title, "error", report.reason, evidence=evidence)
    missing = _MISSING.search(seen.kept["stderr"])
    if missing and not _is_of_the_page(missing[1].decode(), subject):
        return base.Finding(title, "skipped", f"It needs {missing[1].decode()}, which the sandbox does not have.", evidence=evidence)
    said = evidence["stderr"] or evidence["stdout"]
    return base.Finding(title, "fail", f"python {path}: {report.reason} {str(said)[-600:]}".strip(), evidence=evidence)


def lint(path: str, subject: base.Subject) -> base.Finding:
    """`ruff check` with its usual rules finds nothing. Ruff reads the text and executes nothing of it."""
    title = f"{path} passes ruff"
    if not RUFF.exists():
        return base.Finding(title, "skipped", "ruff is not installed: pip install ruff.")
    command = [str(RUFF), "check", "--isolated", "--no-cache", "--output-format", "concise", "--stdin-filename", Path(path).name, "-"]
    try:
        done = subprocess.run(command, input=subject.files[path], capture_output=True, timeout=SECONDS, check=False)  # noqa: S603 - our own arguments  # nosec B603
    except subprocess.TimeoutExpired:
        return base.Finding(title, "error", f"ruff took longer than {SECONDS:g} s.")
    said = done.stdout.decode("utf-8", "replace").strip()
    if done.returncode == 0:
        return base.Finding(title, "pass")
    if done.returncode == 1:
        return base.Finding(title, "fail", f"ruff check {path}: {said[:800]}", evidence={"stdout": said[:SHOWN]})
    return base.Finding(title, "error", f"ruff: {done.stderr.decode('utf-8', 'replace').strip()[:300]}")


def _is_of_the_page(module: str, subject: base.Subject) -> bool:
    """Does the page bring the module itself, or the language? Then its absence is the program's fault."""
    top = module.partition(".")[0]
    return top in sys.stdlib_module_names or any(name in subject.files for name in (f"{top}.py", f"{top}/__init__.py"))
