"""`manage.py gradebook`: the class's grades in short, as files, and with other weights."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from tasks.classroom.gradebook.sheet import sheet
from tasks.errors import Conflict
from tasks.management import gradebook

CHECK = "BRIEF/ROUND/KEY"


class Command(BaseCommand):
    help = "Print a grade-book in short, export it, set weights, rules, lock and publish date. Nothing is evaluated again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", nargs="?", default="", help="of the grade-book; default: the only one, or the one called Course")
        parser.add_argument("--export", choices=gradebook.EXPORTS, help="write the checks' results, the grade-book, Gradescope's files or everything")
        parser.add_argument("--output", metavar="FILE", help="where the export goes; - is standard output")
        parser.add_argument("--force", action="store_true", help="replace the file")
        parser.add_argument("--columns", action="store_true", help="also print every check with its weight and verdicts")
        parser.add_argument("--weight", action="append", default=[], metavar=f"{CHECK}=2", help="of a check; may be given several times")
        parser.add_argument("--drop", action="append", default=[], metavar=CHECK, help="a check that is to count nothing")
        parser.add_argument("--undrop", action="append", default=[], metavar=CHECK, help="a dropped check that is to count again")
        parser.add_argument("--best-of", type=int, metavar="N", help="so many of a student's briefs count; 0: all")
        parser.add_argument("--late-factor", type=float, metavar="F", help="what a late report's score is multiplied by, 0 to 1")
        parser.add_argument("--publish", metavar="WHEN", help="students see their report from then on (UTC): 2026-12-01T18:00, now or never")
        parser.add_argument("--unlock", action="store_true", help="compute the grades again from now on; comes before what else is changed")
        parser.add_argument("--lock", action="store_true", help="keep the grades as they are then; comes last")
        parser.add_argument("--json", action="store_true", help="print one JSON document")

    def handle(self, *args: Any, **options: Any) -> None:
        if bool(options["export"]) != bool(options["output"]):
            raise CommandError("--export and --output go together.", returncode=2)
        try:
            self.work(options)
        except Conflict as error:
            raise CommandError(str(error), returncode=1) from error
        except DatabaseError as error:
            raise CommandError(f"The database cannot be used: {error}. Run `manage.py migrate`, or see DATABASE_URL.", returncode=4) from error

    def work(self, options: dict[str, Any]) -> None:
        book = gradebook.find(options["name"])
        gradebook.change(book, options)
        size = gradebook.export(book, options["export"], options["output"], force=options["force"]) if options["export"] else 0
        if options["output"] == "-":
            return
        found = sheet(book)
        told = [f"{options['output']}: {size:,} bytes."] if options["export"] else []
        text = gradebook.data(found) if options["json"] else [*told, *gradebook.lines(found, with_columns=options["columns"])]
        self.stdout.write(json.dumps(text) if options["json"] else "\n".join(text))
