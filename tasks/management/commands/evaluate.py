"""`manage.py evaluate`: run a round's checks again, or evaluate what students reported."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tasks.evaluation import evaluate_again
from tasks.management import reports
from tasks.management.rounds import find_rounds


class Command(BaseCommand):
    help = "With rounds: evaluate them again, the chosen version's files, then the live page. Without: evaluate the reports of students that wait."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("round", nargs="*", help="id, public id, or task[/round[/nonce]]")
        parser.add_argument("--files-only", action="store_true", help="of rounds: leave the live page out")
        parser.add_argument("--brief", action="append", default=[], help="only reports on this brief; may be given several times")
        parser.add_argument("--round-number", type=int, help="only reports on this round of a brief")
        parser.add_argument("--email", action="append", default=[], help="only this student's reports; may be given several times")
        parser.add_argument("--errors", action="store_true", help="reports that a fault of ours kept from being evaluated, in whole or in part")
        parser.add_argument("--again", action="store_true", help="also reports that are evaluated already")
        parser.add_argument("--queue", action="store_true", help="leave the reports to the workers and return at once")
        parser.add_argument("--json", action="store_true", help="print one JSON document")

    def handle(self, *args: Any, **options: Any) -> None:
        asked = [option for name, option in reports.OPTIONS.items() if options[name] not in (None, False, [])]
        if options["round"] and asked:
            raise CommandError(f"{asked[0]} is for reports: give it without rounds.", returncode=2)
        if not options["round"] and options["files_only"]:
            raise CommandError("--files-only is for rounds: name one.", returncode=2)
        sys.exit(self.rounds(options) if options["round"] else self.reports(options))

    def reports(self, options: dict[str, Any]) -> int:
        """1 when one of them could not be evaluated."""
        ids = reports.chosen(options)
        reports.start(ids, options)
        if not options["queue"]:
            reports.run(ids, self.stderr)
        found = list(reports.told(ids))
        lines = [reports.line(told) for told in found] if not options["queue"] else [f"{len(ids):,} reports are in the queue."]
        self.stdout.write(json.dumps(found) if options["json"] else "\n".join(lines or ["There is no report to evaluate."]))
        return 1 if not options["queue"] and any(told["state"] == reports.State.ERROR for told in found) else 0

    def rounds(self, options: dict[str, Any]) -> int:
        """1 when a check fails or could not be tried, or there is none."""
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
        return 1 if not statuses or "fail" in statuses or "error" in statuses else 0
