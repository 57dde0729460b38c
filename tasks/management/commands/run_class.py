"""`manage.py run_class`: a class run whole, from the first request to the grade-book."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tasks.classroom import whole
from tasks.classroom.exports import archive
from tasks.classroom.gradebook.books import default_book
from tasks.classroom.tries import REPORT_SECONDS
from tasks.errors import Conflict
from tasks.management.whole import line, table


class Command(BaseCommand):
    help = "Send every round of a brief to the class, wait for reports and evaluation, export the grade-book. Run again, it goes on where it stopped."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("brief", help="the brief's name")
        parser.add_argument("--patience", type=float, default=float(REPORT_SECONDS), help="seconds that a report is waited for, default %(default)g")
        parser.add_argument("--output", type=Path, help="a zip file for everything: grade-book, results, reports, pictures")
        parser.add_argument("--json", action="store_true", help="print one JSON document")

    def handle(self, *args: Any, **options: Any) -> None:
        self.said, self.quiet = "", options["json"]
        began = time.monotonic()
        try:
            course = whole.run(options["brief"], patience=options["patience"], watch=self.watch)
        except Conflict as error:
            raise CommandError(str(error), returncode=2) from error
        if options["output"]:
            with options["output"].open("wb") as out:
                archive.write(default_book(), out)
        seconds = round(time.monotonic() - began, 1)
        if options["json"]:
            rounds = [asdict(one) | {"adds_up": one.adds_up} for one in course.standings]
            self.stdout.write(json.dumps({"brief": options["brief"], "rounds": rounds, "phases": course.seconds, "seconds": seconds}))
        else:
            self.stdout.write(table(course, seconds, options["output"]))
        if any(one.troubled or not one.adds_up for one in course.standings):
            sys.exit(1)

    def watch(self, now: whole.Standing) -> None:
        """One line that stays in place on a terminal; elsewhere a line for each change that matters."""
        said = line(now)
        if said == self.said or self.quiet:
            return
        terminal = sys.stderr.isatty()
        self.stderr.write(f"\r{said:<110}" if terminal else said, ending="" if terminal else "\n")
        self.said = said
