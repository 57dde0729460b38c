"""Numbers in English: "three", "300", "1,000", "300–400", "at least 20"."""

from __future__ import annotations

import re

_NAMES = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen"]
_NAMES += ["fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty"]
_TENS = {"thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90, "hundred": 100, "a hundred": 100}
VALUES = {**{name: value for value, name in enumerate(_NAMES)}, **_TENS}
COUNT = rf"(?:\d{{1,3}}(?:,\d{{3}})+|\d{{1,6}}|{'|'.join(sorted(VALUES, key=len, reverse=True))})"  # a whole number
DASH = r"\s?(?:-|–|—|to)\s?"

# How a range is put before its unit. Each has the groups that `bounds` reads; "about" and its like are no range.
RANGE = (
    rf"(?:(?:between|from)\s+(?P<low>{COUNT})\s+(?:and|to)\s+(?P<high>{COUNT})"
    rf"|(?P<from>{COUNT}){DASH}(?P<to>{COUNT})"
    rf"|(?:at least|no fewer than|no less than|not fewer than|a minimum of|minimum)\s+(?P<least>{COUNT})"
    rf"|(?:at most|no more than|not more than|up to|a maximum of|maximum)\s+(?P<most>{COUNT})"
    rf"|(?:more than|over)\s+(?P<over>{COUNT})|(?:fewer than|less than|under)\s+(?P<under>{COUNT})"
    rf"|(?P<plus>{COUNT})\s?(?:\+|or more)"
    rf"|(?:exactly\s+)(?P<exactly>{COUNT})|(?P<plain>{COUNT}))"
)


def count(text: str) -> int:
    key = text.lower().replace(",", "")
    return int(key) if key.isdigit() else VALUES[key]


def bounds(match: re.Match[str]) -> dict[str, int] | None:
    """`min` and `max` of a match of RANGE, both inclusive; None when they contradict one another."""
    groups = {name: count(value) for name, value in match.groupdict().items() if value is not None and name in _READ}
    found: dict[str, int] = {}
    for name, value in groups.items():
        for side, change in _READ[name]:
            found[side] = value + change
    if not found or found.get("min", 0) > found.get("max", 10**9) or found.get("max", 0) < 0:
        return None
    return found


_READ: dict[str, tuple[tuple[str, int], ...]] = {
    "low": (("min", 0),),
    "high": (("max", 0),),
    "from": (("min", 0),),
    "to": (("max", 0),),
    "least": (("min", 0),),
    "most": (("max", 0),),
    "over": (("min", 1),),
    "under": (("max", -1),),
    "plus": (("min", 0),),
    "exactly": (("min", 0), ("max", 0)),
    "plain": (("min", 0), ("max", 0)),
}
