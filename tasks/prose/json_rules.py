"""Phrases about a JSON file and its fields: "… has 'best' object with 'price' (number)", "… is an array of objects"."""

from __future__ import annotations

import re

from tasks.prose.grammar import HAS, IS, QUOTED, Context, together, unquote, whole
from tasks.prose.json_paths import joined_path
from tasks.prose.language import Predicate
from tasks.prose.numbers import RANGE, bounds

TYPES = {
    "number": r"numbers?|numeric|floats?|decimals?|numerical|numeric value",
    "integer": r"integers?|ints?|whole numbers?",
    "string": r"strings?|texts?|str",
    "bool": r"bool(?:ean)?s?",
    "list": r"arrays?|lists?",
    "object": r"objects?|dict(?:ionar(?:y|ies))?s?",
}
TYPE = "(?:" + "|".join(TYPES.values()) + ")"
FIELD = r"(?:(?:top-level )?(?:fields?|keys?|propert(?:y|ies)|attributes?|members?))"
IDENT = r"[A-Za-z_$][\w$]*"
NUMBER = r"-?\d{1,15}(?:,\d{3})*(?:\.\d{1,15})?"
CONSTANT = rf"(?:{QUOTED}|{NUMBER}|true|false|null)"
_ITEM = (  # the 'price' field (number)
    rf"(?:an? |the )?(?:(?P<pre>{TYPE}) )?(?P<name>{{name}})"
    rf"(?: ?\( ?(?:an? )?(?P<type>{TYPE}) ?\)| (?:as|of type) (?:an? )?(?P<as>{TYPE}))?(?: (?P<post>{TYPE}|{FIELD}))?"
)
_ITEMS = rf"(?P<items>.+?)(?: {FIELD})?"
# Words behind "the keys" that say which or how they are, and name none.
_NOT_NAMES = r"an?|the|valid|correct|all|required|requested|specified|described|listed|expected|given|above|below|only|sorted"
_LIST_WORD = r"(?:items|entries|elements|records|objects|rows|values)"


def phrase(path: str, text: str, context: Context) -> Predicate | None:
    """What `text`, which follows the name of a JSON file, says of it."""
    if not path.lower().endswith(".json"):
        return None
    for rule in (_root, _nested, _valued, _fields, _valid_with):
        found = rule(path, text)
        if found:
            return found
    return None


# -- the whole file --------------------------------------------------------------------------------------------------------------------


def _root(path: str, text: str) -> Predicate | None:
    if match := whole(rf"{IS} (?:an? )?(?:valid )?(?:JSON )?(?P<type>array|list|object)(?: of (?P<of>{TYPE}))?", text):
        outer: Predicate = {"op": "json_type", "path": path, "type": type_named(match["type"])}
        return together([outer, {"op": "json_type", "path": path, "at": "[*]", "type": type_named(match["of"])}]) if match["of"] else outer
    match = whole(rf"{HAS} {RANGE} {_LIST_WORD}", text) or whole(rf"{IS} (?:an? )?(?:JSON )?(?:array|list) (?:of|with) {RANGE} {_LIST_WORD}", text)
    limits = bounds(match) if match else None
    return together([{"op": "json_type", "path": path, "type": "list"}, {"op": "json_length", "path": path, **limits}]) if limits else None


def _valid_with(path: str, text: str) -> Predicate | None:
    """As in "is valid JSON with the keys name and price"."""
    match = whole(rf"{IS} (?:an? )?valid JSON(?: (?:file|document|(?P<object>object)))? (?:with|containing|that has) (?P<rest>.+)", text)
    fields = next((found for rule in (_nested, _valued, _fields) if (found := rule(path, f"has {match['rest']}"))), None) if match else None
    outer: list[Predicate] = [{"op": "json_type", "path": path, "type": "object"}] if match and match["object"] else []
    return together([{"op": "valid", "path": path, "format": "json"}, *outer, fields]) if fields else None


def _nested(path: str, text: str) -> Predicate | None:
    names = rf"(?:(?P<before>{QUOTED}) object|object (?:named |called )?(?P<after>{QUOTED}))"
    match = whole(rf"{HAS} (?:an? |the )?{names} (?:with|containing|having|that has) (?:the )?{_ITEMS}", text)
    if not match:
        return None
    at = joined_path("", unquote(match["before"] or match["after"]))
    fields = _items(path, at, match["items"], plain=False)
    return together([{"op": "json_type", "path": path, "at": at, "type": "object"}, fields]) if fields else None


def _valued(path: str, text: str) -> Predicate | None:
    """A field with its value. `matching` leaves open whether more may stand there: what contains the value but is not it stays undecided."""
    match = whole(
        rf"{HAS} (?:an? |the )?(?:{FIELD} (?P<late>{QUOTED})|(?P<early>{QUOTED}) {FIELD}) "
        r"(?P<verb>matching|that matches|containing|that contains|equal to|that equals|set to|with (?:the )?value|of|=+|that is) "
        rf"(?P<value>{CONSTANT})",
        text,
    )
    if not match:
        return None
    place = {"path": path, "at": joined_path("", unquote(match["late"] or match["early"]))}
    value = constant(match["value"])
    if not isinstance(value, str) or not match["verb"].lower().endswith(("matching", "matches", "containing", "contains")):
        return {"op": "json_compare", **place, "test": "==", "value": value}
    holds: Predicate = {"op": "json_compare", **place, "test": "contains", "value": value, "ignore_case": True}
    if "contain" in match["verb"].lower():
        return {**holds, "ignore_case": False}
    equal: Predicate = {"op": "json_compare", **place, "test": "==", "value": value, "ignore_case": True}
    open_: Predicate = {"op": "undecided", "reason": f"It contains {value!r} and is not just that; whether this matches, the check does not say."}
    return {"op": "all", "of": [holds, {"op": "any", "of": [equal, open_]}]}


def _fields(path: str, text: str) -> Predicate | None:
    if match := whole(rf"{HAS} (?:the )?(?:following )?{FIELD}\s*(?:named |called )?:?\s*(?P<items>.+)", text):
        return _items(path, "", match["items"], plain=True)
    match = whole(rf"{HAS} (?:both )?{_ITEMS}", text)
    named = match and (re.search(rf"\b{FIELD}$|\b{TYPE}\b", text, re.I))
    return _items(path, "", match["items"], plain=False) if match and named else None


def _items(path: str, at: str, text: str, *, plain: bool) -> Predicate | None:
    """A list of fields, some with their types. Names without quotes are only taken after the word for field (`plain`)."""
    item = _ITEM.replace("{name}", rf"{QUOTED}|{IDENT}" if plain else QUOTED)
    keys: list[str] = []
    types: list[Predicate] = []
    for part in re.split(r"\s*,\s*(?:and )?| and ", text, flags=re.I):
        match = whole(item, part)
        if not match:
            return None
        key = unquote(match["name"])
        if not key.strip() or (match["name"] == key and whole(_NOT_NAMES, key)):
            return None
        keys.append(key)
        post = match["post"] if match["post"] and whole(TYPE, match["post"]) else None
        said = {type_named(word) for word in (match["pre"], match["type"], match["as"], post) if word}
        if len(said) > 1:
            return None
        types += [{"op": "json_type", "path": path, "at": joined_path(at, key), "type": kind} for kind in said]
    place = {"path": path, "at": at} if at else {"path": path}
    return together([{"op": "json_keys", **place, "keys": keys}, *types])


def type_named(word: str) -> str:
    return next(name for name, words in TYPES.items() if whole(words, word))


def constant(text: str) -> str | float | bool | None:
    if text.lower() in {"true", "false", "null"}:
        return {"true": True, "false": False, "null": None}[text.lower()]
    if text[0] in "\"'`":
        return unquote(text)
    number = float(text.replace(",", ""))
    return int(number) if number.is_integer() else number
