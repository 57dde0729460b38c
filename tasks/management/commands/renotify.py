"""`manage.py renotify`: tell the evaluator once more what is deployed."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from tasks.management.rounds import find_rounds
from tasks.rerun import renotify


class Command(BaseCommand):
    help = "Queue one more notification for rounds that have a deployment."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("round", nargs="+", help="id, public id, or task[/round[/nonce]]")
        parser.add_argument("--json", action="store_true", help="print one JSON document")

    def handle(self, *args: Any, **options: Any) -> None:
        done = [(round_, renotify(round_)) for round_ in find_rounds(options["round"])]
        if options["json"]:
            self.stdout.write(json.dumps([{"id": round_.pk, "uuid": str(round_.uuid), "queued": queued} for round_, queued in done]))
        else:
            for round_, queued in done:
                self.stdout.write(f"{round_.pk} {round_}: {'queued' if queued else 'nothing is deployed yet, or a worker holds it now'}")
        if not all(queued for _, queued in done):
            raise SystemExit(1)
