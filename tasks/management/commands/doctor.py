"""Asks everything that this installation needs, and names the cure for what is missing."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from tasks import doctor


class Command(BaseCommand):
    help = "Keys, rights, Chromium, sandbox, clock, disk, reachability: what is there, and the cure for what is not. Exit code 4: something is wrong."
    requires_system_checks: list[str] = []  # they are among the findings

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the findings as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        findings = doctor.examine()
        if options["json"]:
            self.stdout.write(json.dumps([asdict(finding) for finding in findings], indent=2))
        else:
            self.stdout.write(doctor.as_text(findings))
        if any(finding.state == "error" for finding in findings):
            sys.exit(4)
