"""`manage.py worker`: runs the rounds. Any number of them, on any number of machines, may share one database."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import connection


def at_least_one(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


class Command(BaseCommand):
    help = "Runs the rounds: takes due ones from the queue, revives those whose worker died, and watches over its processes. Ctrl-C stops it."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--processes",
            type=at_least_one,
            default=settings.WORKERS,
            help="rounds worked on at the same time (default: WORKERS, %(default)s)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        from tasks.worker.supervisor import Supervisor

        supervisor = Supervisor(options["processes"])
        if sys.stdout.isatty():
            self.stdout.write(f"{options['processes']} worker processes on {connection.vendor}. Ctrl-C stops them.")
        supervisor.run()
