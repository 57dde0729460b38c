"""What can be said of a JSON file: its fields, their types, how their values compare."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from tasks.prose.json_paths import TYPES, a_json_path, get, is_number, is_type, joined, type_of
from tasks.prose.language import (
    Look,
    Op,
    Predicate,
    Verdict,
    a_constant,
    a_count,
    a_flag,
    a_path,
    a_text,
    failed,
    one_of,
    passed,
    shown,
    some,
    undecided,
)

ORDER: dict[str, Callable[[Any, Any], bool]] = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
EQUAL: dict[str, Callable[[Any, Any], bool]] = {"==": operator.eq, "!=": operator.ne}
MAX_PAIRS = 100_000
TESTS = (*ORDER, *EQUAL, "contains")


def json_keys(predicate: Predicate, look: Look) -> Verdict:
    path, at, wanted = predicate["path"], predicate.get("at", ""), predicate["keys"]
    for value in get(look, path, at):
        if not isinstance(value, dict):
            return failed(f"{_place(path, at)} is {type_of(value)}, not an object.")
        if missing := [key for key in wanted if key not in value]:
            return failed(f"{_place(path, at)} has no {joined(missing)}.", missing=missing, keys=[shown(key) for key in list(value)[:30]])
    return passed(keys=wanted)


def json_type(predicate: Predicate, look: Look) -> Verdict:
    path, at, wanted = predicate["path"], predicate.get("at", ""), predicate["type"]
    for value in get(look, path, at):
        if not is_type(value, wanted):
            return failed(f"{_place(path, at)} is {type_of(value)} ({shown(value)}), not {_article(wanted)}.", found=shown(value))
    return passed(type=wanted)


def json_compare(predicate: Predicate, look: Look) -> Verdict:
    """Numbers with numbers, texts with texts (in the order of their characters), as JavaScript and Python do within one type."""
    path, at, test = predicate["path"], predicate.get("at", ""), predicate["test"]
    if "to" in predicate:
        source = str(predicate.get("to_path", path))
        others = get(look, source, predicate["to"])
        name = f"{_place(source, predicate['to'])} "
    else:
        others, name = [predicate["value"]], ""
    found = get(look, path, at)
    if len(found) * len(others) > MAX_PAIRS:
        return undecided(f"{_place(path, at)} and what it is compared with are too many values.")
    evidence: list[str] = []
    for left in found:
        for right in others:
            problem = compare(left, test, right, ignore_case=predicate.get("ignore_case", False))
            if problem:
                return failed(f"{_place(path, at)} is {shown(left)}, {problem} {name}{shown(right)}.", found=shown(left), other=shown(right))
            evidence = evidence or [shown(left), shown(right)]
    return passed(f"{evidence[0]} {test} {evidence[1]}" if evidence else "")


def json_length(predicate: Predicate, look: Look) -> Verdict:
    path, at = predicate["path"], predicate.get("at", "")
    least, most = predicate.get("min", 0), predicate.get("max")
    for value in get(look, path, at):
        if not isinstance(value, list | dict | str):
            return failed(f"{_place(path, at)} is {type_of(value)} and has no length.")
        if len(value) < least or (most is not None and len(value) > most):
            return failed(f"{_place(path, at)} has a length of {len(value)}, not {span(least, most)}.", found=len(value))
    return passed()


def compare(left: Any, test: str, right: Any, *, ignore_case: bool = False) -> str:
    """Empty when it holds, else why not, to be followed by the other value."""
    if ignore_case and isinstance(left, str) and isinstance(right, str):
        left, right = left.casefold(), right.casefold()
    if test == "contains":
        if isinstance(left, str) and isinstance(right, str):
            return "" if right in left else "which does not contain"
        if isinstance(left, list):
            return "" if any(_equal(item, right) for item in left) else "which does not contain"
        return f"{type_of(left)} that cannot contain"
    if test in EQUAL:
        return "" if _equal(left, right) is (test == "==") else f"not {'equal to' if test == '==' else 'different from'}"
    if not ((is_number(left) and is_number(right)) or (isinstance(left, str) and isinstance(right, str))):
        return f"{type_of(left)} that cannot be compared by order with {type_of(right)},"
    return "" if ORDER[test](left, right) else f"not {test}"


def span(least: int, most: int | None) -> str:
    if most is None:
        return f"at least {least}"
    return str(least) if least == most else f"{least} to {most}"


def _equal(left: Any, right: Any) -> bool:
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict | list) or isinstance(right, dict | list):
        return False  # only single values are compared: equality of whole trees can be made to take for ever
    return bool(left == right)


def _place(path: str, at: str) -> str:
    return f"{at} in {path}" if at else path


def _article(name: str) -> str:
    return f"an {name}" if name[0] in "aeiou" else f"a {name}" if name != "null" else name


JSON_OPS: dict[str, Op] = {
    "json_keys": Op(json_keys, {"path": a_path, "keys": some(a_text)}, {"at": a_json_path}),
    "json_type": Op(json_type, {"path": a_path, "type": one_of(*TYPES)}, {"at": a_json_path}),
    "json_compare": Op(
        json_compare,
        {"path": a_path, "test": one_of(*TESTS)},
        {"at": a_json_path, "value": a_constant, "to": a_json_path, "to_path": a_path, "ignore_case": a_flag},
        either=(("value", "to"),),
    ),
    "json_length": Op(json_length, {"path": a_path}, {"at": a_json_path, "min": a_count, "max": a_count}, at_least=("min", "max")),
}
