"""`manage.py evaluate`: run a round's checks again, on its files and on its live page."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from tasks.evaluation import evaluate_again
from tasks.management.rounds import find_rounds


class Command(BaseCommand):
    help = "Evaluate rounds again: the chosen version's files, then the live page. Nothing is published or sent."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("round", nargs="+", help="id, public id, or task[/round[/nonce]]")
        parser.add_argument("--files-only", action="store_true", help="leave the live page out")
        parser.add_argument("--json", action="store_true", help="print one JSON document")

    def handle(self, *args: Any, **options: Any) -> None:
        found: list[dict[str, Any]] = []
        for round_ in find_rounds(options["round"]):
            results = evaluate_again(round_.pk, live=not options["files_only"])
            lines = [
                {"status": item.status, "title": item.title, "source": item.source, "live": item.deployment_id is not None, "reason": item.reason}
                for item in results
            ]
            found.append({"id": round_.pk, "uuid": str(round_.uuid), "checks": lines})
            if not options["json"]:
                self.stdout.write(f"{round_.pk} {round_}: {sum(item.status == 'pass' for item in results)} of {len(results)} pass")
                for line in lines:
                    self.stdout.write(f"  {line['status']:<10} {'live ' if line['live'] else ''}{line['title']}: {line['reason']}")
        if options["json"]:
            self.stdout.write(json.dumps(found))
        statuses = [line["status"] for item in found for line in item["checks"]]
        sys.exit(1 if not statuses or "fail" in statuses or "error" in statuses else 0)
