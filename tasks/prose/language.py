"""What every part of the predicate language is made of: the verdict, the kinds of fields, an operation, and the view of the files.

A predicate is a JSON object with an `op` and that operation's fields; nothing in it is ever run by us. `predicates.py` holds the whole language.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Any

from tasks.evaluators.base import Subject
from tasks.files.paths import fold
from tasks.files.sniff import text_of
from tasks.prose.pages import Page, parse
from tasks.prose.selectors import SelectorInvalid, compile_selector

MAX_TEXT = 500  # characters of a text in a predicate
MAX_EXPRESSION = 2_000
MAX_LIST = 60
MAX_FILE = 4 * 1024 * 1024  # bytes of a file that is looked into
SHOWN = 160  # characters of a value that a reason quotes

Predicate = dict[str, Any]


class PredicateInvalid(ValueError):
    """The predicate is not one of the language; the message names the field."""


@dataclass(frozen=True)
class Verdict:
    """`status` is pass, fail or undecided; a fail's `reason` says what to mend."""

    status: str
    reason: str = ""
    evidence: dict[str, Any] = field(default_factory=dict)


class Settled(Exception):
    """Nothing more to look at: ends an operation from wherever the verdict is clear."""

    def __init__(self, verdict: Verdict) -> None:
        self.verdict = verdict
        super().__init__(verdict.reason)


def passed(reason: str = "", **evidence: Any) -> Verdict:
    return Verdict("pass", reason, evidence)


def failed(reason: str, **evidence: Any) -> Verdict:
    return Verdict("fail", reason, evidence)


def undecided(reason: str, **evidence: Any) -> Verdict:
    return Verdict("undecided", reason, evidence)


def shown(value: object) -> str:
    """A value as a reason quotes it: short, in one line, without control characters, whatever the value is."""
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 1_000:
        return "a number of more than 300 digits"
    if isinstance(value, list | dict):
        return f"{'a list' if isinstance(value, list) else 'an object'} of {len(value)}"
    text = repr(value[:SHOWN]) if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


# -- kinds of fields: each returns nothing and raises PredicateInvalid -----------------------------------------------------------------

Kind = Callable[[str, Any], None]


def a_text(name: str, value: Any, most: int = MAX_TEXT) -> None:
    if not isinstance(value, str) or not value.strip() or len(value) > most:
        raise PredicateInvalid(f"{name} has to be a text of at most {most} characters")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise PredicateInvalid(f"{name} holds half a character") from None


def an_expression(name: str, value: Any) -> None:
    a_text(name, value, MAX_EXPRESSION)


def a_path(name: str, value: Any) -> None:
    a_text(name, value, 200)
    if value.startswith("/") or ".." in value.split("/") or re.search(r"[\\\x00-\x1f?*]", value):
        raise PredicateInvalid(f"{name} has to be a path inside the repository")


def a_flag(name: str, value: Any) -> None:
    if not isinstance(value, bool):
        raise PredicateInvalid(f"{name} has to be true or false")


def a_count(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 1_000_000:
        raise PredicateInvalid(f"{name} has to be a whole number from 0 to a million")


def a_number(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or abs(value) > 1e18:
        raise PredicateInvalid(f"{name} has to be a number")


def a_constant(name: str, value: Any) -> None:
    """What a value of JSON can be compared with."""
    if isinstance(value, str):
        if len(value) > MAX_TEXT:
            raise PredicateInvalid(f"{name} is longer than {MAX_TEXT} characters")
    elif value is not None and not isinstance(value, bool):
        a_number(name, value)


def a_selector(name: str, value: Any) -> None:
    a_text(name, value, 200)
    try:
        compile_selector(value)
    except SelectorInvalid as error:
        raise PredicateInvalid(f"{name}: {error}") from error


def an_id(name: str, value: Any) -> None:
    a_text(name, value, 100)
    if re.search(r"\s", value):
        raise PredicateInvalid(f"{name} has to be an id without spaces")


def one_of(*choices: str) -> Kind:
    def check(name: str, value: Any) -> None:
        if value not in choices:
            raise PredicateInvalid(f"{name} has to be one of {', '.join(choices)}")

    return check


def some(kind: Kind) -> Kind:
    """A list of at least one."""

    def check(name: str, value: Any) -> None:
        if not isinstance(value, list) or not 0 < len(value) <= MAX_LIST:
            raise PredicateInvalid(f"{name} has to be a list of 1 to {MAX_LIST}")
        for item in value:
            kind(name, item)

    return check


# -- operations ------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Op:
    """One operation. `either`: groups of optional fields, of each of which exactly one is given."""

    decide: Callable[[Predicate, Look], Verdict]
    needs: Mapping[str, Kind]
    may: Mapping[str, Kind] = field(default_factory=dict)
    either: tuple[tuple[str, ...], ...] = ()
    at_least: tuple[str, ...] = ()  # of these optional fields one or more is given

    def check(self, predicate: Predicate) -> None:
        given = set(predicate) - {"op"}
        known = {**self.needs, **self.may}
        if missing := set(self.needs) - given:
            raise PredicateInvalid(f"{predicate['op']} needs {', '.join(sorted(missing))}")
        if strange := given - set(known):
            raise PredicateInvalid(f"{predicate['op']} has no field {', '.join(sorted(map(str, strange)))}"[:200])
        for name in sorted(given):
            known[name](name, predicate[name])
        for group in self.either:
            if len(given & set(group)) != 1:
                raise PredicateInvalid(f"{predicate['op']} takes exactly one of {', '.join(group)}")
        if self.at_least and not given & set(self.at_least):
            raise PredicateInvalid(f"{predicate['op']} needs {' or '.join(self.at_least)}")
        if isinstance(predicate.get("min"), int) and isinstance(predicate.get("max"), int) and predicate["min"] > predicate["max"]:
            raise PredicateInvalid(f"{predicate['op']} has a min above its max")


Browser = Callable[[str], Verdict | None]


def no_browser(_expression: str) -> None:
    """There is none: what only a page in a browser can tell stays undecided."""


@dataclass(frozen=True)
class Look:
    """What an operation may look at."""

    subject: Subject
    browser: Browser = no_browser

    def data(self, path: str) -> bytes:
        """The file's bytes; settled when there is none, with the name that was probably meant."""
        files = self.subject.files
        if path in files:
            return files[path]
        twin = next((other for other in files if fold(other) == fold(path)), None)
        near = twin or next((other for other in sorted(files) if PurePosixPath(other).name == PurePosixPath(path).name), None)
        hint = f" It is called {near}." if twin else f" There is {near}." if near else ""
        raise Settled(failed(f"There is no {path}.{hint}", files=sorted(files)[:40]))

    def text(self, path: str) -> str:
        data = self.data(path)
        if len(data) > MAX_FILE:
            raise Settled(undecided(f"{path} has more than {MAX_FILE // 1024 // 1024} MB and was not looked into."))
        decoded = text_of(data)
        if decoded is None:
            raise Settled(failed(f"{path} is not text."))
        return decoded.text

    def page(self, path: str) -> Page:
        page = _parsed(self.text(path))
        if page.problem:
            raise Settled(undecided(f"{path} {page.problem}"))
        return page

    def ask(self, expression: str, otherwise: str) -> Verdict:
        """The browser's verdict on an expression; undecided where there is none, or where it could not try it."""
        verdict = self.browser(expression)
        if verdict is None or verdict.status not in {"pass", "fail"}:
            return undecided((verdict and verdict.reason) or otherwise, expression=expression)
        return verdict


@lru_cache(maxsize=8)
def _parsed(text: str) -> Page:
    return parse(text)
