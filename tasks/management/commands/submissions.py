"""`manage.py submissions`: who takes part in the class; the form's sheet in, the services asked, the list out. Secrets are shown by none of them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from tasks.classroom import sheet
from tasks.classroom.submissions import import_csv
from tasks.errors import SheetRefused
from tasks.management import submissions


class Command(BaseCommand):
    help = "Import the form's sheet (timestamp,email,endpoint,secret), ask the students' services whether they answer, list them."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        taking = verbs.add_parser("import", help="take a CSV file over; nothing of it while a row is bad")
        taking.add_argument("file", help="a path, or - for standard input")
        taking.add_argument("--good-rows", action="store_true", help="import the good rows although others are bad")
        taking.add_argument("--dry-run", action="store_true", help="only say what would happen")
        taking.add_argument("--timezone", default="UTC", help="of timestamps that name none, default %(default)s")
        asking = verbs.add_parser("probe", help="GET the endpoints of all who take part, ten at a time; exit code 1 if one does not answer")
        asking.add_argument("--email", action="append", default=[], help="only this student, whether or not they take part; may be given again")
        listing = verbs.add_parser("list", help="who takes part, where, and whether it answered")
        for verb in (taking, asking, listing):
            verb.add_argument("--json", action="store_true", help="print one JSON document")

    def handle(self, *args: Any, **options: Any) -> None:
        work = {"import": self.take, "probe": self.probe, "list": self.show}[options["verb"]]
        try:
            text, fine = work(options)
        except DatabaseError as error:
            raise CommandError(f"The database cannot be used: {error}. Run `manage.py migrate`, or see DATABASE_URL.", returncode=4) from error
        self.stdout.write(text)
        if not fine:
            sys.exit(1)

    def take(self, options: dict[str, Any]) -> tuple[str, bool]:
        name = options["file"]
        try:
            content = sys.stdin.buffer.read(sheet.MAX_BYTES + 1) if name == "-" else Path(name).read_bytes()
            found = import_csv(sheet.decode(content), good_rows=options["good_rows"], dry_run=options["dry_run"], zone=options["timezone"])
        except OSError as error:
            raise CommandError(f"{name} cannot be read: {error.strerror}.", returncode=2) from error
        except SheetRefused as error:
            raise CommandError(error.message, returncode=2) from None
        return submissions.import_text(found, options), not found.bad or options["good_rows"]

    def probe(self, options: dict[str, Any]) -> tuple[str, bool]:
        chosen = submissions.find(options["email"])
        return submissions.probe_text(submissions.probed(chosen, self.stderr), options)

    def show(self, options: dict[str, Any]) -> tuple[str, bool]:
        return submissions.list_text(options), True
