"""Sentences about values in a JSON file: "menu.json best.price >= 1", "the rate in forecast.json is a number between 0 and 1"."""

from __future__ import annotations

import re

from tasks.prose.grammar import EXISTS, IS, MODAL, NAME, QUOTED, SEPARATOR, Context, file_name, together, unquote, whole
from tasks.prose.json_paths import joined_path, steps
from tasks.prose.json_rules import CONSTANT, FIELD, IDENT, NUMBER, TYPE, constant, type_named
from tasks.prose.language import Predicate, PredicateInvalid

PATH = rf"(?>{QUOTED}|{IDENT}(?:\.{IDENT}|\[(?:\d{{1,4}}|\*)\])*)"
TESTS = (
    (">=", r"(?:greater than or equal to|at least|not (?:less|smaller|lower) than|>=)"),
    ("<=", r"(?:(?:less|smaller|lower) than or equal to|at most|not (?:greater|larger|higher) than|<=)"),
    (">", r"(?:(?:strictly )?(?:greater|larger|higher|more) than|above|later than|after|>)"),
    ("<", r"(?:(?:strictly )?(?:less|smaller|lower|fewer) than|below|earlier than|before|<)"),
    ("!=", r"(?:not equal to|different from|!==?)"),
    ("==", r"(?:equal to|the same as|={1,3})"),
)
# Words before a verb that name the file as a whole and no field of it.
_NOT_FIELDS = frozenset(
    re.findall(
        r"\S+",
        """
        data file content contents structure format schema value values json it page document text syntax file's all both each every
        """,
    )
)


def statement(text: str, context: Context) -> Predicate | None:
    """A whole sentence about values: their file stands before or behind them, or is the only one that was asked for."""
    refs = rf"(?:the )?(?P<paths>(?>{PATH}(?:{SEPARATOR}(?:the )?{PATH})*))(?: (?:{FIELD}|values?))?"
    file = rf"[\"'`]?(?P<file>{NAME})[\"'`]?"
    for pattern in (
        rf"(?:in )?{file}(?:'s)?\s*[:,]? {refs} (?P<rest>\S.*)",
        rf"{refs} (?:in|of|from) {file} (?P<rest>\S.*)",
        rf"{refs} (?P<rest>\S.*?) in {file}",
        rf"{refs} (?P<rest>\S.*)",
    ):
        match = whole(pattern, text)
        if not match:
            continue
        path = file_name(match["file"]) if "file" in match.groupdict() else context.only_json
        if not path.lower().endswith(".json"):
            continue
        places = [_place(part, context) for part in _split(match["paths"])]
        if "file" not in match.groupdict() and not all("." in place for place in places):
            continue
        found = together(_value(path, place, match["rest"], context) for place in places) if all(places) else None
        if found:
            return found
    return None


def value_of(text: str, context: Context) -> Predicate | None:
    """`{"json": file, "at": path}` for "max.val", "max.val from data.json" or "the name in data.json"."""
    match = whole(
        rf"(?:the )?(?:value of )?(?:the )?(?P<path>{PATH})(?: (?:field|value))?(?: (?:from|in|of) (?:the )?[\"'`]?(?P<file>{NAME})[\"'`]?)?",
        text,
    )
    if not match:
        return None
    path = file_name(match["file"]) if match["file"] else context.only_json
    place = _place(match["path"], context)
    if not path.lower().endswith(".json") or not place or (not match["file"] and not re.search(r"[.\[]", place)):
        return None
    return {"json": path, "at": place}


def _value(path: str, at: str, text: str, context: Context) -> Predicate | None:
    place = {"path": path, "at": at}
    rest = re.sub(r"^(is|are|must be|should be) (?:both|all|each) ", r"\1 ", text, flags=re.I)
    rest = re.sub(r" (?:each|both|respectively)$", "", rest, flags=re.I)
    if whole(EXISTS, rest):
        return _present(path, at)
    if match := whole(rf"{IS} (?:an? )?(?:valid )?(?P<type>{TYPE})", rest):
        return {"op": "json_type", **place, "type": type_named(match["type"])}
    between = whole(
        rf"{IS} (?:an? )?(?:(?P<type>{TYPE}) )?(?:between|from) (?P<low>{NUMBER}) (?:and|to) (?P<high>{NUMBER})(?:\s*\(?inclusive\)?)?",
        rest,
    )
    if between:
        kind = type_named(between["type"]) if between["type"] else "number"
        sides = ((">=", between["low"]), ("<=", between["high"]))
        limits = [{"op": "json_compare", **place, "test": test, "value": constant(number)} for test, number in sides]
        return together([{"op": "json_type", **place, "type": kind}, *limits])
    for test, words in TESTS:
        if match := whole(rf"(?:(?:{IS}) )?{words}\s*(?P<operand>{CONSTANT}|(?:the )?{PATH})", rest):
            return _compared(place, test, match["operand"], context)
    if match := whole(rf"(?:{IS}|{MODAL}equals?) (?:exactly )?(?P<operand>{CONSTANT})", rest):
        return _compared(place, "==", match["operand"], context)
    if match := whole(rf"{MODAL}equals? (?P<operand>{PATH})", rest):
        return _compared(place, "==", match["operand"], context)
    match = whole(rf"{MODAL}(?:contains?|includes?) (?:the text )?(?P<operand>{QUOTED})", rest)
    return {"op": "json_compare", **place, "test": "contains", "value": unquote(match["operand"])} if match else None


def _present(path: str, at: str) -> Predicate | None:
    """That a value is there, whatever it is: its last step is a key of what is above it."""
    found = steps(at)
    if not isinstance(found[-1], str):
        return None
    above = ""
    for step in found[:-1]:
        above = joined_path(above, step)
    return {"op": "json_keys", "path": path, **({"at": above} if above else {}), "keys": [found[-1]]}


def _compared(place: dict[str, str], test: str, operand: str, context: Context) -> Predicate | None:
    operand = re.sub(r"^the ", "", operand, flags=re.I)
    if whole(CONSTANT, operand):
        return {"op": "json_compare", **place, "test": test, "value": constant(operand)}
    other = _place(operand, context)
    return {"op": "json_compare", **place, "test": test, "to": other} if other else None


def _place(text: str, context: Context) -> str:
    """A path; empty for a word that need not be one. A word without a dot has to stand in the brief or in quotes."""
    name = unquote(text)
    if name.lower() in _NOT_FIELDS or whole(NAME, name):
        return ""
    if name == text.strip() and not re.search(r"[.\[]", name) and not context.names(name):
        return ""
    try:
        return name if steps(name) else ""
    except PredicateInvalid:
        return joined_path("", name) if name != text.strip() else ""


def _split(text: str) -> list[str]:
    return [re.sub(r"^the ", "", part.strip(), flags=re.I) for part in re.split(SEPARATOR, text, flags=re.I) if part.strip()]
