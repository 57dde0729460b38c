"""What `manage.py submissions` prints: for people a table, for programs one JSON document, for nobody a secret."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError, OutputWrapper
from django.db.models import Count

from tasks.classroom.probing import ask_many, write_down
from tasks.classroom.submissions import Import
from tasks.models import Submission


def find(emails: Iterable[str]) -> list[Submission]:
    """Those named, or all who take part; an address that nobody has ends the command with exit code 2."""
    found = [_one(email) for email in emails] or list(Submission.objects.filter(is_active=True))
    if not found:
        raise CommandError("No student takes part: import the form's sheet first.", returncode=2)
    return found


def _one(email: str) -> Submission:
    row = Submission.objects.filter(email__iexact=email.strip()).first()
    if row is None:
        raise CommandError(f"There is no submission of {email!r}: `manage.py submissions list` names them all.", returncode=2)
    return row


def probed(chosen: list[Submission], err: OutputWrapper) -> list[Submission]:
    """Ask them all now, with a bar on a terminal; the rows as they stand afterwards."""
    endpoints = {row.pk: row.endpoint for row in chosen}
    for done, (pk, answer) in enumerate(ask_many(endpoints), start=1):
        write_down(pk, endpoints[pk], answer)
        if sys.stderr.isatty():
            err.write(f"\r{done:>6,} of {len(endpoints):,} asked ", ending="" if done < len(endpoints) else "\n")
    return list(Submission.objects.filter(pk__in=endpoints))


def probe_text(rows: list[Submission], options: dict[str, Any]) -> tuple[str, bool]:
    fine = all(row.probe == Submission.Probe.ANSWERS for row in rows)
    if options["json"]:
        return json.dumps([_data(row) for row in rows]), fine
    counts = Counter(row.get_probe_display() for row in rows)
    return "\n".join([*map(_line, rows), ", ".join(f"{number} {word}" for word, number in counts.most_common())]), fine


def list_text(options: dict[str, Any]) -> str:
    rows = Submission.objects.annotate(issued_count=Count("issued"))
    if options["json"]:
        return json.dumps([_data(row) | {"issued": row.issued_count} for row in rows])
    return "\n".join([*map(_line, rows), f"{len(rows)} submissions"])


def _data(row: Submission) -> dict[str, Any]:
    return {
        "email": row.email,
        "endpoint": row.endpoint,
        "takes_part": row.is_active,
        "submitted_at": row.submitted_at.isoformat(),
        "probe": row.probe or None,
        "detail": row.probe_detail,
        "ms": row.probe_ms,
        "probed_at": row.probed_at.isoformat() if row.probed_at else None,
    }


def _line(row: Submission) -> str:
    after = f" {row.probe_ms} ms" if row.probe_ms is not None else ""
    state = row.get_probe_display() if row.is_active else f"does not take part, {row.get_probe_display()}"
    return f"{row.email:<36} {state:<14}{after:>9}  {row.endpoint}  {row.probe_detail}".rstrip()


def import_text(found: Import, options: dict[str, Any]) -> str:
    if options["json"]:
        return json.dumps({**asdict(found), "dry_run": options["dry_run"]})
    lines = [f"line {row.line}: {row.email + ': ' if row.email else ''}{row.reason}" for row in (*found.bad, *found.hints)]
    lines += found.notes
    counts = f"{found.new} new, {found.changed} changed, {found.unchanged} unchanged, {found.skipped} skipped, {len(found.bad)} bad"
    if found.stored:
        said = "Imported"
    elif options["dry_run"]:
        said = "Would be imported" if options["good_rows"] or not found.bad else "Nothing would be imported while rows are bad (see --good-rows)"
    else:
        said = "Nothing was imported, since rows are bad: correct them, or give --good-rows for the others"
    return "\n".join([*lines, f"{said}: {counts}."])
