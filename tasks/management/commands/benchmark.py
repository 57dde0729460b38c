"""`manage.py benchmark`: what this machine does with the service, in figures that anybody can repeat."""

from __future__ import annotations

import importlib
import json
import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from tasks.benchmarks import Missing, Options

NAMES = ("accept", "notify", "github", "growth", "runs", "burst")
USUAL = NAMES[:-1]  # the burst takes ten minutes


class Command(BaseCommand):
    help = f"Measure {', '.join(NAMES)}: without keys, on a folder of its own."

    def add_arguments(self, parser: CommandParser) -> None:
        usual = Options()
        parser.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(NAMES)} (default: {' '.join(USUAL)})")
        parser.add_argument("--seconds", type=float, default=usual.seconds, help="accept: length of each measurement")
        parser.add_argument("--connections", type=int, default=usual.connections, help="accept, burst: how many post at once")
        parser.add_argument("--rounds", type=int, default=0, help="how many, where it is not accept (default: each one's own number)")
        parser.add_argument("--workers", type=int, default=usual.workers, help="burst: WORKERS")
        parser.add_argument("--model-latency", type=float, default=usual.model_latency, help="burst: seconds that a model takes")
        parser.add_argument("--pages-latency", type=float, default=usual.pages_latency, help="burst: seconds from a push to its page")
        parser.add_argument("--json", action="store_true", help="print one JSON document")

    def handle(self, *args: Any, **options: Any) -> None:
        names = options["names"] or list(USUAL)
        if unknown := set(names) - set(NAMES):
            self.stderr.write(f"There is no benchmark {', '.join(sorted(unknown))}: use {', '.join(NAMES)}.")
            sys.exit(2)
        wanted = Options(**{name: options[name] for name in Options.__dataclass_fields__})
        figures: dict[str, Any] = {"machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"}
        for name in names:
            with tempfile.TemporaryDirectory(prefix="deployer-benchmark-") as folder:
                try:
                    figures[name] = importlib.import_module(f"tasks.benchmarks.{name}").measure(Path(folder), wanted)
                except Missing as missing:
                    figures[name] = {"not measured": str(missing)}
            if not options["json"]:
                self.stdout.write("\n".join(f"{name:<8} {key:<44} {value}" for key, value in flat(figures[name])))
        if options["json"]:
            self.stdout.write(json.dumps(figures))


def flat(figures: dict[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Nested figures line by line: `ours.p50_ms`."""
    for key, value in figures.items():
        yield from flat(value, f"{before}{key}.") if isinstance(value, dict) else [(f"{before}{key}", value)]
