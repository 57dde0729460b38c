"""`manage.py prune`: remove what is old, or everything of one person."""

from __future__ import annotations

import argparse
import json
import sys
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from tasks.retention import database, erasure, nightly, report
from tasks.retention.ages import ANSWERS_DAYS, LOGS_DAYS, ROUNDS_DAYS, Ages
from tasks.retention.batches import Batches, silent
from tasks.retention.pruning import prune

Done = tuple[dict[str, Any], list[str], list[str]]  # for programs, for people, what went wrong


def days(text: str) -> float:
    number = float(text)
    if not 0 <= number < 40_000:
        raise argparse.ArgumentTypeError("must be 0 or more days")
    return number


class Command(BaseCommand):
    help = "Remove what is old: whole tasks that are at rest, raw answers and screenshots, log lines. Open rounds stay. Nothing on GitHub is deleted."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--rounds-days", type=days, default=ROUNDS_DAYS, help="age of tasks with their rounds, default %(default)s")
        parser.add_argument("--answers-days", type=days, default=ANSWERS_DAYS, help="age of prompts, raw answers, screenshots, default %(default)s")
        parser.add_argument("--logs-days", type=days, default=LOGS_DAYS, help="age of log lines, default %(default)s")
        parser.add_argument("--repos", action="store_true", help="also the local host's repositories that no task refers to any more")
        parser.add_argument("--vacuum", action="store_true", help="then give the room back to the file system (SQLite: nobody can write meanwhile)")
        parser.add_argument("--erase", metavar="EMAIL", help="remove everything of this person instead, whatever its age")
        parser.add_argument("--nightly", choices=("on", "off"), help="have the workers do this each night, with the ages given here")
        parser.add_argument("--dry-run", action="store_true", help="only say what would go")
        parser.add_argument("--json", action="store_true", help="print one JSON document")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["nightly"] and (options["dry_run"] or options["vacuum"] or options["erase"] is not None):
            raise CommandError("--nightly goes with the ages and --repos only.", returncode=2)
        self.check_database()
        started = time.monotonic()
        work = self.nightly if options["nightly"] else self.prune if options["erase"] is None else self.erase
        try:
            data, lines, problems = work(options)
            if options["vacuum"] and not options["dry_run"]:
                database.vacuum()
            data |= {"database_bytes": database.size(), "free_bytes": database.free(), "seconds": round(time.monotonic() - started, 2)}
        except DatabaseError as error:
            raise CommandError(f"The database did not let it be done: {error}. What is removed is removed; run it again.", returncode=1) from error
        if not options["nightly"]:
            lines.append(f"The database has {data['database_bytes'] / 1e6:,.1f} MB, {data['free_bytes'] / 1e6:,.1f} MB of it free.")
        self.stdout.write(json.dumps(data) if options["json"] else "\n".join(lines))
        if problems:
            sys.exit(1)

    def check_database(self) -> None:
        """Rows are only removed by the code that knows all tables."""
        try:
            executor = MigrationExecutor(connection)
            missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
        except DatabaseError as error:
            raise CommandError(f"The database cannot be used: {error}. See DATABASE_URL.", returncode=4) from error
        if missing:
            raise CommandError("The database is not up to date: run `manage.py migrate`.", returncode=4)

    def prune(self, options: dict[str, Any]) -> Done:
        ages = Ages.of_days(options["rounds_days"], options["answers_days"], options["logs_days"])
        batches = Batches(progress=self.progress if sys.stderr.isatty() and not options["json"] else silent)
        pruned = prune(ages, batches, by="manage.py prune", repos=options["repos"], dry_run=options["dry_run"])
        data = {"dry_run": options["dry_run"], **report.pruned_data(pruned)}
        return data, list(report.pruned_lines(pruned, dry_run=options["dry_run"])), pruned.problems

    def erase(self, options: dict[str, Any]) -> Done:
        email = options["erase"].strip()
        erased = erasure.look(email) if options["dry_run"] else erasure.erase(email)
        if erased.nothing:
            raise CommandError(f"Nothing is stored under {email!r}.", returncode=2)
        data = {"dry_run": options["dry_run"], "email": email, **report.erased_data(erased)}
        return data, list(report.erased_lines(erased, dry_run=options["dry_run"])), erased.problems

    def nightly(self, options: dict[str, Any]) -> Done:
        if options["nightly"] == "off":
            return {"nightly": False}, ["The nightly prune is off." if nightly.switch_off() else "The nightly prune was not on."], []
        first = nightly.switch_on(nightly.Options(options["rounds_days"], options["answers_days"], options["logs_days"], options["repos"]))
        return {"nightly": True, "first": first.isoformat()}, [f"The workers prune each night, first at {first:%d %b %Y %H:%M} UTC."], []

    def progress(self, what: str, done: int, whole: int) -> None:
        self.stderr.write(f"\r{done:>9,} of {whole:,} {what} ", ending="" if done < whole else "\n")
