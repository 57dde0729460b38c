"""`manage.py rerun`: take failed rounds up again."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tasks.management.rounds import find_rounds
from tasks.models import Round
from tasks.pipeline import STAGES
from tasks.rerun import rerun


class Command(BaseCommand):
    help = "Queue a round, or every failed one, again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("round", nargs="*", help="id, public id, or task[/round[/nonce]]")
        parser.add_argument("--failed", action="store_true", help="all failed rounds")
        parser.add_argument("--from-stage", choices=STAGES, default="", help="default: the stage it stopped in")
        parser.add_argument("--json", action="store_true", help="print one JSON document")

    def handle(self, *args: Any, **options: Any) -> None:
        if bool(options["round"]) == options["failed"]:
            raise CommandError("Name the rounds or give --failed.", returncode=2)
        rounds = list(Round.objects.filter(status="failed")) if options["failed"] else find_rounds(options["round"])
        done = [(round_, rerun(round_, options["from_stage"])) for round_ in rounds]
        if options["json"]:
            self.stdout.write(json.dumps([{"id": round_.pk, "uuid": str(round_.uuid), "queued": queued} for round_, queued in done]))
        else:
            for round_, queued in done:
                self.stdout.write(f"{round_.pk} {round_}: {'queued' if queued else 'a worker holds it now; try again when it is done'}")
            self.stdout.write(f"{sum(queued for _, queued in done)} of {len(done)} queued")
        if not all(queued for _, queued in done):
            raise SystemExit(1)
