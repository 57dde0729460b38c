"""The moments in a form's sheet: ISO, or days and months in the order of somebody's country, which the whole column tells better than one cell."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from itertools import pairwise
from zoneinfo import ZoneInfo

from django.utils.dateparse import parse_datetime

from tasks.errors import SheetRefused

_DATE = re.compile(
    r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4})(?:,?\s+(\d{1,2}):(\d{2})(?::(\d{2}))?(?:\.\d+)?\s*([ap])?\.?m?\.?)?(?:\s*(?:gmt|utc|z))?", re.IGNORECASE
)
_ISO = re.compile(r"(\d{4})[/-](\d{1,2})[/-](\d{1,2})(?:[T ]\s*(.+))?")
_FORM_ZONE = re.compile(r"\s*(?:gmt|utc)([+-]\d{1,2})(?::?(\d{2}))?", re.IGNORECASE)  # "2025/10/05 9:12:01 AM GMT+5:30"
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?\s*(?:([ap])\.?m\.?)?", re.IGNORECASE)


@dataclass(frozen=True)
class Reading:
    """`moments` has None where a cell is none; `note` says how dates were read that mean two things, and is empty where none does."""

    moments: tuple[datetime | None, ...]
    note: str = ""


def zone(name: str) -> tzinfo:
    if name.strip().upper() in ("", "UTC"):
        return UTC
    try:
        return ZoneInfo(name.strip())
    except (KeyError, ValueError, OSError):  # an unknown name, a path, a folder of zones
        raise SheetRefused("There is no such time zone: use a name such as UTC or Asia/Kolkata.") from None


def read(cells: Sequence[str], zone: tzinfo) -> Reading:
    """All cells of the column, in the order of the file. `zone` is that of the sheet; a moment that names its own keeps it."""
    texts = [cell.strip() for cell in cells]
    dated = [match for match in map(_DATE.fullmatch, texts) if match]
    day_first = any(int(match[1]) > 12 for match in dated)
    month_first = any(int(match[3]) > 12 for match in dated)
    unclear = [match for match in dated if int(match[1]) <= 12 and int(match[3]) <= 12 and match[1] != match[3]]
    if day_first != month_first:
        days, why = day_first, "as other dates of the column must be"
    elif day_first:
        days, why = True, "since the column has both orders"
    else:
        in_order = {days: _ascending(texts, days, zone) for days in (True, False)}  # a form writes its rows in the order of time
        days = in_order[True] or not in_order[False]
        why = "by default" if in_order[True] == in_order[False] else "since the rows are then in the order of time"
    moments = tuple(_moment(text, days, zone) for text in texts)
    if not unclear:
        return Reading(moments)
    number = "1 date" if len(unclear) == 1 else f"{len(unclear):,} dates"
    order = "day/month/year" if days else "month/day/year"
    return Reading(moments, f"{number} with two meanings, such as {unclear[0][0].split()[0].rstrip(',')}: read as {order}, {why}.")


def _ascending(texts: Sequence[str], day_first: bool, zone: tzinfo) -> bool:
    known = [moment for moment in (_moment(text, day_first, zone) for text in texts) if moment]
    return all(one <= other for one, other in pairwise(known))


def _moment(text: str, day_first: bool, zone: tzinfo) -> datetime | None:
    try:
        if match := _DATE.fullmatch(text):
            return _slashed(match, day_first, zone)
        if match := _ISO.fullmatch(text):
            return _iso(match, zone)
    except (ValueError, OverflowError):  # the 31st of June, 25 o'clock, the year 1 in a zone east of Greenwich
        return None
    return None


def _slashed(match: re.Match[str], day_first: bool, zone: tzinfo) -> datetime:
    one, other = int(match[1]), int(match[3])
    day, month = (one, other) if (day_first and other <= 12) or one > 12 else (other, one)
    own = UTC if match[0].rstrip().lower().endswith(("gmt", "utc", "z")) else zone
    hour = _hour(int(match[5] or 0), match[8] or "")
    return datetime(int(match[4]), month, day, hour, int(match[6] or 0), int(match[7] or 0), tzinfo=own).astimezone(UTC)


def _iso(match: re.Match[str], zone: tzinfo) -> datetime | None:
    date, rest = f"{match[1]}-{int(match[2]):02}-{int(match[3]):02}", (match[4] or "0:00").strip()
    suffix = ""
    if form := _FORM_ZONE.search(rest):
        rest, suffix = rest[: form.start()], f"{form[1][0]}{int(form[1][1:]):02}:{form[2] or '00'}"
    if clock := _CLOCK.fullmatch(rest):
        moment = parse_datetime(f"{date}T{_hour(int(clock[1]), clock[4] or ''):02}:{clock[2]}:{clock[3] or '00'}{suffix}")
    else:
        moment = parse_datetime(f"{date}T{rest}")
    if moment is None:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)


def _hour(hour: int, half: str) -> int:
    if not half:
        return hour
    if not 1 <= hour <= 12:
        raise ValueError("no hour of a clock with two halves")
    return hour % 12 + (12 if half.lower() == "p" else 0)
