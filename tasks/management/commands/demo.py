"""`manage.py demo`: the whole flow without any key, on a data folder of its own."""

from __future__ import annotations

import sys
import time
import uuid
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from tasks.demo import school
from tasks.demo.briefs import bodies, brief_names
from tasks.demo.evaluator import Evaluator
from tasks.demo.show import follow, summary
from tasks.demo.stack import Stack, StackError

CLASS_WORKERS = 8


class Command(BaseCommand):
    help = "Post a brief and its revision to a service of its own, show what happens, and keep serving. With --students a whole class."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="stop after the two rounds: exit code 0 when both were notified, else 1")
        parser.add_argument("--port", type=int, default=0, help="default: the first free one from 8000")
        parser.add_argument("--seconds", type=float, default=120.0, help="how long a round may take here")
        parser.add_argument("--students", type=int, default=0, help="a class of so many instead, run whole: both rounds, evaluation, grade-book")
        parser.add_argument("--brief", default="sales-total", choices=brief_names(), help="what the class is sent, default %(default)s")
        parser.add_argument("--trouble", action="store_true", help="three of them misbehave: a dead host, a wrong report, a page that never loads")

    def handle(self, *args: Any, **options: Any) -> None:
        folder = Path(settings.BASE_DIR) / "data" / "demo"
        self.stdout.write("Starting web and worker …")
        try:
            with Stack(folder, port=options["port"], workers=CLASS_WORKERS if options["students"] else 2) as stack:
                password = stack.keep("admin-password")
                stack.manage("ensure_admin", "--username", "admin", ADMIN_PASSWORD=password)
                if options["students"]:
                    ok = school.run(stack, options["brief"], options["students"], trouble=options["trouble"])
                else:
                    ok = self.rounds(stack, options["brief"], options["seconds"])
                self.stdout.write(f"\nAdmin       {stack.url}/admin/   user admin, password {password}\n")
                if not ok:
                    self.stderr.write(f"The demo failed; the log is {folder}/logs/app.log.")
                if options["once"]:
                    sys.exit(0 if ok else 1)
                self.stdout.write("Serving until Ctrl-C.")
                while True:
                    for line in stack.renew():
                        self.stdout.write(line)
                    time.sleep(0.5)
        except StackError as error:
            self.stderr.write(str(error))
            sys.exit(1)
        except KeyboardInterrupt:
            self.stdout.write("\nStopped.")

    def rounds(self, stack: Stack, brief: str, seconds: float) -> bool:
        task = f"{brief}-{uuid.uuid4().hex[:5]}"
        ok = True
        with Evaluator() as evaluator:
            for body in bodies(brief, email="student@example.com", task=task, evaluation_url=evaluator.url):
                self.stdout.write(f"\nRound {body['round']} of {task}: {body['brief'][:90]}…")
                accepted = stack.post(body)
                status = follow(stack, accepted["id"], self.stdout, seconds)
                notified = evaluator.wait(body["nonce"], 5)
                self.stdout.write(summary(status, notified))
                ok = ok and notified is not None and status["status"] == "succeeded"
        return ok
