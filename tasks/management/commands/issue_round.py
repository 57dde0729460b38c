"""`manage.py issue_round`: send a brief to the class."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from tasks.classroom import issue, sending
from tasks.classroom.issue import Order
from tasks.classroom.tries import HOURS
from tasks.errors import Conflict

PLANNED = {
    "new": "made",
    "taken_up": "given up before and taken up again",
    "waiting": "made before and not accepted yet",
    "accepted": "accepted already (--again sends another)",
    "uncertain": "whose answer was lost (--again-uncertain sends them again)",
    "not_reported": "whose round 1 was not reported",
}


class Command(BaseCommand):
    help = "Send a round of a brief to every active submission, or a later round to whoever reported round 1. Run again, it goes on where it stopped."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("brief", help="the brief's name")
        parser.add_argument("--round", type=int, default=1)
        parser.add_argument("--email", action="append", default=[], help="only this student; may be given several times")
        parser.add_argument("--limit", type=int, help="send so many at most")
        parser.add_argument("--concurrency", type=int, default=sending.CONCURRENCY, help="POSTs at once, default %(default)s; to one host two")
        parser.add_argument("--hours", type=float, default=HOURS, help="over which a worker tries again what was not accepted, default %(default)g")
        parser.add_argument("--evaluation-url", default="", help=f"default: {settings.PUBLIC_URL}/notify")
        parser.add_argument("--again", action="store_true", help="another one, with a new nonce, also to those who accepted")
        parser.add_argument("--again-uncertain", action="store_true", help="with the same nonce also to those whose answer was lost")
        parser.add_argument("--dry-run", action="store_true", help="only say what would be sent")
        parser.add_argument("--json", action="store_true", help="print one JSON document")

    def handle(self, *args: Any, **options: Any) -> None:
        names = ("brief", "round", "limit", "again", "again_uncertain", "hours", "evaluation_url")
        order = Order(**{name: options[name] for name in names}, emails=tuple(options["email"]))
        if not 1 <= options["concurrency"] <= 100:
            raise CommandError("--concurrency must be 1 to 100.", returncode=2)
        self.quiet = options["json"] or not sys.stderr.isatty()
        try:
            planned = issue.preview(order) if options["dry_run"] else issue.plan(order, progress=self.making)
        except Conflict as error:
            raise CommandError(str(error), returncode=2) from error
        data: dict[str, Any] = {"brief": order.brief, "round": order.round, "dry_run": options["dry_run"], "planned": asdict(planned)}
        lines = [f"{number:>6,} {PLANNED[name]}" for name, number in asdict(planned).items() if name in PLANNED and number]
        if not options["dry_run"]:
            sent = sending.send(order.rows(), concurrency=options["concurrency"], limit=order.limit, progress=self.sending)
            data |= {"sent": dict(sent.counts), "put_off": sent.put_off, "left": sent.left}
            lines += [f"{number:>6,} {status.replace('_', ' ')}" for status, number in sorted(sent.counts.items())]
            lines += [f"{sent.put_off:>6,} put off: their host asked for a pause"] if sent.put_off else []
            if order.rows().filter(status__in=("waiting", "pending")).exists():
                lines.append("What was not accepted is tried again by the workers (`manage.py worker`); the admin shows why.")
        self.stdout.write(json.dumps(data) if options["json"] else "\n".join(lines or ["There is nothing to send."]))
        failed = 0 if options["dry_run"] else sum(number for status, number in sent.counts.items() if status != "accepted")
        if failed:
            sys.exit(1)

    def making(self, done: int, whole: int) -> None:
        self.bar("made", done, whole)

    def sending(self, done: int, whole: int) -> None:
        self.bar("sent", done, whole)

    def bar(self, what: str, done: int, whole: int) -> None:
        if not self.quiet:
            filled = 30 * done // max(1, whole)
            self.stderr.write(f"\r{'#' * filled:<30} {done:,} of {whole:,} {what} ", ending="" if done < whole else "\n")
