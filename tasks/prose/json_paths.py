"""Values inside a JSON file: `max.val`, `items[0].name`, `items[*].price`, `["a key"]`; empty is the whole file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from tasks.prose.language import Look, PredicateInvalid, Settled, a_text, failed, undecided

MAX_FOUND = 20_000  # values that [*] may lead to
EVERY = "*"
TYPES = ("string", "number", "integer", "bool", "list", "object", "null", "scalar")
_STEP = re.compile(r"\.?(?P<name>[A-Za-z_$\u0080-\U0010ffff][\w$\u0080-\U0010ffff-]*)|\[(?P<index>\d{1,6}|\*)\]|\[(?P<key>\"[^\"\\]*\"|'[^'\\]*')\]")
_PLAIN = re.compile(r"[A-Za-z_$][\w$-]*")

Step = str | int


class Missing(LookupError):
    """Nothing is there; the message says how far the path leads."""


@lru_cache(maxsize=256)
def steps(path: str) -> tuple[Step | None, ...]:
    """The keys and indexes of a path, None for `[*]`. `PredicateInvalid` for what is none."""
    text = path.removeprefix("$")
    found: list[Step | None] = []
    position = 0
    while position < len(text):
        match = _STEP.match(text, position)
        if not match or (match[0].startswith(".") and position == 0 and text != path and len(text) == 1):
            raise PredicateInvalid(f"{path!r} is not a path into JSON")
        if match["name"]:
            found.append(match["name"])
        elif match["key"]:
            found.append(match["key"][1:-1])
        else:
            found.append(None if match["index"] == EVERY else int(match["index"]))
        position = match.end()
    return tuple(found)


def joined_path(path: str, step: Step | None) -> str:
    """The path one step further."""
    if not isinstance(step, str):
        return f"{path}[{EVERY if step is None else step}]"
    if not _PLAIN.fullmatch(step):
        return f'{path}["{step}"]'
    return f"{path}.{step}" if path else step


def a_json_path(name: str, value: Any) -> None:
    """The kind of a field that holds such a path; the empty one counts."""
    if value != "":
        a_text(name, value, 200)
        steps(value)


def load(look: Look, path: str) -> Any:
    """The file's value; settled when there is none."""
    text = look.text(path)
    try:
        return _loaded(text)
    except RecursionError:
        raise Settled(failed(f"{path} is nested too deeply to be read.")) from None
    except ValueError as error:
        raise Settled(failed(f"{path} is not valid JSON: {error}.")) from None


@lru_cache(maxsize=4)
def _loaded(text: str) -> Any:
    return json.loads(text, parse_constant=_refuse)


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no JSON value")


def values(document: Any, path: str) -> list[Any]:
    """The values that the path leads to: one without `[*]`. `Missing` when one of the ways ends early or a list is empty."""
    present = [document]
    walked = ""
    for step in steps(path):
        following: list[Any] = []
        for value in present:
            following += _next(value, step, walked or "the file")
            if len(following) > MAX_FOUND:
                raise Settled(undecided(f"{path} leads to more than {MAX_FOUND:,} values."))
        walked += f"[{EVERY if step is None else step}]" if not isinstance(step, str) else f".{step}" if walked else step
        present = following
    return present


def _next(value: Any, step: Step | None, where: str) -> list[Any]:
    if isinstance(step, str):
        if not isinstance(value, dict):
            raise Missing(f"{where} is {type_of(value)}, not an object with {step!r}")
        if step not in value:
            near = next((key for key in value if key.lower() == step.lower()), "")
            raise Missing(f"{where} has no {step!r}" + (f" (there is {near!r})" if near else ""))
        return [value[step]]
    if not isinstance(value, list):
        raise Missing(f"{where} is {type_of(value)}, not a list")
    if step is None:
        if not value:
            raise Missing(f"{where} is an empty list")
        return value
    if step >= len(value):
        raise Missing(f"{where} has {len(value)} entries, none at {step}")
    return [value[step]]


def get(look: Look, path: str, at: str) -> list[Any]:
    """The values at a path of a file; settled as failed when they are not there."""
    try:
        return values(load(look, path), at)
    except Missing as error:
        raise Settled(failed(f"{path}: {error}.")) from None


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_type(value: Any, wanted: str) -> bool:
    match wanted:
        case "number":
            return is_number(value)
        case "integer":
            return is_number(value) and (isinstance(value, int) or value.is_integer())
        case "scalar":
            return not isinstance(value, dict | list) and value is not None
    return type_of(value, bare=True) == wanted


def type_of(value: Any, *, bare: bool = False) -> str:
    """The type's name in this language, with its article."""
    for kinds, name, article in (
        ((bool,), "bool", "a "),
        ((int, float), "number", "a "),
        ((str,), "string", "a "),
        ((list,), "list", "a "),
        ((dict,), "object", "an "),
    ):
        if isinstance(value, kinds):
            return name if bare else article + name
    return "null"


def joined(names: Iterable[str]) -> str:
    return ", ".join(map(repr, names))
