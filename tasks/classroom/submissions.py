"""Who takes part: the form's sheet into `Submission` rows, and whether their services answer.

`import_csv` takes the whole sheet in one transaction, or nothing while a row is bad, unless the good ones are asked for. The last word of an address
counts: the later of its rows, and what is stored where that is later still (an edit in the admin is a word as well). A student who is not in the
sheet stays. Reading: `sheet` (columns), `moments` (timestamps), `rows` (values). Nothing here shows a secret.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.db import IntegrityError, transaction
from django.utils import timezone

from tasks.classroom import moments, rows, sheet
from tasks.classroom.probing import NOT_ASKED, probe
from tasks.classroom.rows import BadRow, Entry
from tasks.classroom.sealing import seal, unseal
from tasks.errors import Misconfigured, SheetRefused
from tasks.models import Submission

__all__ = ["BadRow", "Change", "Import", "import_csv", "probe"]

AT_ONCE = 500  # rows of one INSERT or UPDATE
NEVER = datetime.min.replace(tzinfo=UTC)
LOST_SECRET = "secret (it could not be read any more)"  # the words for a change, not a secret  # noqa: S105  # nosec B105


@dataclass(frozen=True)
class Change:
    """What one row of the sheet does. `what` is "new", "changed" or "skipped"; `why` names the changed fields, or the reason."""

    line: int
    email: str
    endpoint: str
    what: str
    why: str = ""


@dataclass(frozen=True)
class Import:
    """`stored` is False after a dry run, and where bad rows kept everything out. `skipped` rows are right, but another one has the last word."""

    rows: int
    stored: bool = False
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    skipped: int = 0
    bad: tuple[BadRow, ...] = ()
    hints: tuple[BadRow, ...] = ()
    notes: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()

    @property
    def good(self) -> int:
        return self.rows - len(self.bad)


@dataclass
class _Plan:
    new: list[Submission] = field(default_factory=list)
    changed: list[Submission] = field(default_factory=list)
    unchanged: int = 0
    changes: list[Change] = field(default_factory=list)


def import_csv(text: str, *, good_rows: bool = False, dry_run: bool = False, zone: str = "UTC") -> Import:
    """The sheet's rows as submissions. `zone` is the time zone of timestamps that name none. `SheetRefused` where no row can be read."""
    found = sheet.read(text)
    read = moments.read([line.cells["timestamp"] for line in found.lines], moments.zone(zone))
    taken = [rows.entry(line, moment) for line, moment in zip(found.lines, read.moments, strict=True)]
    good, bad = [row for row in taken if isinstance(row, Entry)], tuple(row for row in taken if isinstance(row, BadRow))
    last, replaced = _last_words(good)
    store = not dry_run and (good_rows or not bad)
    try:
        with transaction.atomic():
            plan = _plan(last)
            if store:
                _store(plan)
    except IntegrityError:
        raise SheetRefused("Somebody else added one of these students at the same moment: import the sheet again.") from None
    notes = [read.note] if read.note else []
    if "timestamp" not in found.columns:
        notes.append("There is no column timestamp: of several rows of an address the lowest counts.")
    changes = sorted([*plan.changes, *replaced], key=lambda change: change.line)
    return Import(
        rows=len(taken),
        stored=store,
        new=len(plan.new),
        changed=len(plan.changed),
        unchanged=plan.unchanged,
        skipped=sum(change.what == "skipped" for change in changes),
        bad=bad,
        hints=tuple(BadRow(row.line, row.email, " ".join(row.hints)) for row in good if row.hints),
        notes=tuple(notes),
        changes=tuple(changes),
    )


def _last_words(entries: Iterable[Entry]) -> tuple[list[Entry], list[Change]]:
    """The row of each address that counts: the latest, of equal ones the lowest; by the line alone where a timestamp of the address is missing."""
    people: dict[str, list[Entry]] = {}
    for row in entries:
        people.setdefault(row.email.lower(), []).append(row)
    last: list[Entry] = []
    replaced: list[Change] = []
    for group in people.values():
        timed = all(row.moment for row in group)
        best = max(group, key=lambda row: (row.moment if timed and row.moment else NEVER, row.line))
        last.append(best)
        why = f"line {best.line} of the same address is later"
        replaced += [Change(row.line, row.email, row.endpoint, "skipped", why) for row in group if row is not best]
    return last, replaced


def _plan(entries: list[Entry]) -> _Plan:
    """What has to be written, by what is stored now; the rows are locked until the end of the transaction."""
    plan, now = _Plan(), timezone.now()
    known = {row.email.lower(): row for row in Submission.objects.select_for_update().order_by("pk")}
    for row in entries:
        stored = known.get(row.email.lower())
        if stored is None:
            plan.new.append(
                Submission(email=row.email, endpoint=row.endpoint, sealed_secret=seal(row.secret, row.email), submitted_at=row.moment or now)
            )
            plan.changes.append(Change(row.line, row.email, row.endpoint, "new"))
            continue
        fields = _differences(stored, row)
        if fields and LOST_SECRET not in fields and row.moment and row.moment < stored.submitted_at:
            why = f"what is stored is of {stored.submitted_at:%Y-%m-%d %H:%M} UTC, later than this row"
            plan.changes.append(Change(row.line, row.email, row.endpoint, "skipped", why))
        elif fields:
            _take_over(stored, row, now)
            plan.changed.append(stored)
            plan.changes.append(Change(row.line, row.email, row.endpoint, "changed", ", ".join(fields)))
        else:
            plan.unchanged += 1
    return plan


def _differences(stored: Submission, row: Entry) -> list[str]:
    fields = ["endpoint"] if stored.endpoint != row.endpoint else []
    try:
        fields += ["secret"] if unseal(stored.sealed_secret, stored.email) != row.secret else []
    except Misconfigured:  # sealed under another SECRET_KEY: importing anew is the cure that its message names
        fields.append(LOST_SECRET)
    return [*fields, "timestamp"] if row.moment and row.moment > stored.submitted_at else fields


def _take_over(stored: Submission, row: Entry, now: datetime) -> None:
    if stored.endpoint != row.endpoint:
        stored.endpoint = row.endpoint
        for name, value in NOT_ASKED.items():
            setattr(stored, name, value)
    stored.sealed_secret = seal(row.secret, stored.email)
    stored.submitted_at, stored.updated_at = row.moment or now, now


def _store(plan: _Plan) -> None:
    Submission.objects.bulk_create(plan.new, batch_size=AT_ONCE)
    names = ["endpoint", "sealed_secret", "submitted_at", "updated_at", *NOT_ASKED]
    Submission.objects.bulk_update(plan.changed, names, batch_size=AT_ONCE)
