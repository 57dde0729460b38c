"""`manage.py send_task`: post a brief to any /ready, as an evaluator would, and wait for what comes back."""

from __future__ import annotations

import json
import sys
import uuid
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from tasks import http
from tasks.classroom import practice, rows, trial
from tasks.demo.briefs import SEED, bodies, brief_names
from tasks.demo.evaluator import Evaluator
from tasks.errors import Conflict, TaskError
from tasks.payload import Rejected


class Command(BaseCommand):
    help = "Post a bundled brief, or a JSON file with a request, to a /ready and wait for its notification."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("brief", nargs="?", default="sales-total", help=f"one of {', '.join(brief_names())}, or a .json file")
        parser.add_argument("--brief-file", default="", metavar="NAME", help="a brief of templates/briefs, made for --email and this hour")
        parser.add_argument("--report", action="store_true", help="keep it as practice and evaluate what is reported, as for a class")
        parser.add_argument("--url", default=f"{settings.PUBLIC_URL}/ready")
        parser.add_argument("--secret", default=settings.STUDENT_SECRET, help="default: STUDENT_SECRET")
        parser.add_argument("--email", default="student@example.com")
        parser.add_argument("--task", default="", help="default: the brief's name and a random end")
        parser.add_argument("--round", type=int, default=0, help="default: every round of the brief, one after another")
        parser.add_argument("--evaluation-url", default="", help="default: this command listens on loopback (the service must allow 127.0.0.1)")
        parser.add_argument("--seconds", type=float, default=settings.TASK_DEADLINE_SECONDS, help="how long to wait for each notification")
        parser.add_argument("--json", action="store_true", help="print one JSON document")

    def handle(self, *args: Any, **options: Any) -> None:
        results = []
        with Evaluator() as evaluator:
            for body in self.requests(options, options["evaluation_url"] or evaluator.url):
                results.append(self.practise(body, evaluator, options) if options["report"] else self.send(body, evaluator, options))
                if not results[-1]["ok"]:
                    break
        if options["json"]:
            self.stdout.write(json.dumps(results))
        sys.exit(0 if all(result["ok"] for result in results) else 1)

    def requests(self, options: dict[str, Any], evaluation_url: str) -> list[dict[str, Any]]:
        name = options["brief_file"] or options["brief"]
        seed = practice.seed() if options["brief_file"] else SEED
        if name.endswith(".json"):
            try:
                body = json.loads(Path(name).read_text(encoding="utf-8"))
            except (OSError, ValueError) as error:
                raise CommandError(f"{name} cannot be read as JSON: {error}", returncode=2) from error
            return [body | {"secret": options["secret"], "evaluation_url": options["evaluation_url"] or body.get("evaluation_url") or evaluation_url}]
        if name not in brief_names():
            raise CommandError(f"There is no brief {name!r}: use {', '.join(brief_names())}, or a .json file.", returncode=2)
        task = options["task"] or f"{name}-{uuid.uuid4().hex[:5]}"
        all_rounds = bodies(name, email=options["email"], task=task, evaluation_url=evaluation_url, seed=seed)
        return [body | {"secret": options["secret"]} for body in all_rounds if options["round"] in {0, body["round"]}]

    def practise(self, body: dict[str, Any], evaluator: Evaluator, options: dict[str, Any]) -> dict[str, Any]:
        """Sent, reported and evaluated as for a class. `ok`: every check that could be made passed."""
        say = self.stderr.write if options["json"] else self.stdout.write
        try:
            done = trial.run(
                body, Path(options["brief_file"] or options["brief"]).stem, options["url"], options["secret"], evaluator, options["seconds"]
            )
        except (Conflict, Rejected, rows.Unfit) as error:
            raise CommandError(str(error), returncode=2) from error
        say(f"round {body['round']} of {body['task']}: {done['said']}")
        for check in done["checks"]:
            say(f"  {check['status']:<10} {check['title']}: {check['reason']}" if check["reason"] else f"  {check['status']:<10} {check['title']}")
        return done

    def send(self, body: dict[str, Any], evaluator: Evaluator, options: dict[str, Any]) -> dict[str, Any]:
        say = self.stderr.write if options["json"] else self.stdout.write
        try:
            data, headers = json.dumps(body).encode(), {"Content-Type": "application/json"}
            answer = http.fetch(options["url"], method="POST", body=data, headers=headers, seconds=30, trusted=True)
        except TaskError as error:
            say(f"round {body['round']}: {error.message}")
            return {"ok": False, "error": error.message}
        say(f"round {body['round']} of {body['task']}: {answer.status} {answer.text[:300]}")
        if answer.status != 200:
            return {"ok": False, "status": answer.status, "answer": answer.text[:2000]}
        if body["evaluation_url"] != evaluator.url:
            return {"ok": True, "status": 200, "answer": answer.text[:2000]}
        notified = evaluator.wait(body["nonce"], options["seconds"])
        say(f"  notified: {json.dumps(notified[1])}" if notified else f"  no notification in {options['seconds']:.0f} s")
        return {"ok": notified is not None, "status": 200, "notification": notified[1] if notified else None}
