"""Skeletons of JSON in running text: `{name: str, price: float (in USD), open: true, tags: [str], at: {lat: ..., long: ...}}`."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from tasks.prose.json_paths import joined_path
from tasks.prose.language import MAX_TEXT, Predicate

MAX_FIELDS = 40
MAX_DEPTH = 6
MAX_LENGTH = 3_000
TYPE_WORDS = {
    "str": "string",
    "string": "string",
    "text": "string",
    "float": "number",
    "number": "number",
    "num": "number",
    "double": "number",
    "int": "integer",
    "integer": "integer",
    "bool": "bool",
    "boolean": "bool",
    "list": "list",
    "array": "list",
    "object": "object",
    "dict": "object",
}
_TOKEN = re.compile(
    r"\s*(?:(?P<sign>[{}\[\]:,])|(?P<string>\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*')|(?P<dots>\.\.\.|…)"
    r"|(?P<number>-?\d+(?:\.\d+)?(?![\w.]))|(?P<note>\([^()\n]{0,120}\))|(?P<word>[A-Za-z_$][\w$]*)|(?P<angle><[^<>\n]{1,60}>))"
)
_RANGE = re.compile(r"\(\s*(-?\d+(?:\.\d+)?)\s*(?:-|–|to|\.\.)\s*(-?\d+(?:\.\d+)?)\b")


class _Unclear(Exception):
    """Not a skeleton, or one with parts that are not understood."""


@dataclass(frozen=True)
class Leaf:
    """A value: of a type, literally given, or anything. `low` and `high`: the range that a note gives."""

    type: str = ""
    literal: Any = None
    given: bool = False
    low: float | None = None
    high: float | None = None


Skeleton = dict[str, Any] | list[Any] | Leaf


def read(text: str, start: int) -> Skeleton | None:
    """The skeleton that begins at `start`, an object or a list; None when it is not understood to its end."""
    reader = _Reader(text[: start + MAX_LENGTH], start)
    try:
        return reader.value(1)
    except _Unclear:
        return None


class _Reader:
    def __init__(self, text: str, position: int) -> None:
        self.text, self.position, self.fields = text, position, 0

    def peek(self) -> re.Match[str]:
        match = _TOKEN.match(self.text, self.position)
        if match is None:
            raise _Unclear
        return match

    def take(self) -> re.Match[str]:
        match = self.peek()
        self.position = match.end()
        return match

    def value(self, depth: int) -> Skeleton:
        if depth > MAX_DEPTH:
            raise _Unclear
        token = self.take()
        if token["sign"] == "{":
            return self.object(depth)
        if token["sign"] == "[":
            return self.list(depth)
        leaf = self.leaf(token)
        note = _TOKEN.match(self.text, self.position)
        if note and note["note"]:
            self.position = note.end()
            limits = _RANGE.match(note["note"])
            if limits and leaf.type in {"number", "integer"}:
                return Leaf(leaf.type, low=float(limits[1]), high=float(limits[2]))
        return leaf

    def leaf(self, token: re.Match[str]) -> Leaf:
        if token["string"]:
            literal = token["string"][1:-1]
            kind = TYPE_WORDS.get(literal.strip("<>").lower())
            return Leaf(kind) if kind else Leaf() if literal in {"...", "…"} else Leaf("string", literal, True)
        if token["number"]:
            return Leaf("number", json.loads(token["number"]), True)
        if token["word"]:
            word = token["word"].lower()
            if word in {"true", "false"}:
                return Leaf("bool", word == "true", True)
            if word in TYPE_WORDS:
                return Leaf(TYPE_WORDS[word])
        if token["angle"]:
            return Leaf(TYPE_WORDS.get(token["angle"][1:-1].strip().lower(), ""))
        if token["dots"]:
            return Leaf()
        raise _Unclear

    def object(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while True:
            token = self.take()
            if token["sign"] == "}" and found:
                return found
            if token["dots"]:  # "and so on"
                if self.take()["sign"] == "}":
                    return found
                raise _Unclear
            key = token["string"][1:-1] if token["string"] else token["word"]
            self.fields += 1
            if not key or key in found or self.fields > MAX_FIELDS or len(key) > 60 or re.search(r"[\"'\\\x00-\x1f]", key):
                raise _Unclear
            if self.take()["sign"] != ":":
                raise _Unclear
            found[key] = self.value(depth + 1)
            ending = self.take()["sign"]
            if ending == "}":
                return found
            if ending != ",":
                raise _Unclear

    def list(self, depth: int) -> list[Any]:
        if self.peek()["sign"] == "]":
            self.take()
            return []
        first = self.value(depth + 1)
        while self.peek()["sign"] == ",":
            self.take()
            if self.peek()["dots"]:
                self.take()
            elif self.value(depth + 1) != first:
                raise _Unclear
        if self.take()["sign"] != "]":
            raise _Unclear
        return [first]


def requirements(path: str, skeleton: Skeleton) -> list[Predicate]:
    """What the skeleton asks of the file. Values beside type words are meant literally; in a skeleton without them they only show the type."""
    literal = _has_types(skeleton)
    return _of(path, "", skeleton, literal=literal)


def _has_types(skeleton: Skeleton) -> bool:
    if isinstance(skeleton, Leaf):
        return bool(skeleton.type) and not skeleton.given
    return any(_has_types(part) for part in (skeleton.values() if isinstance(skeleton, dict) else skeleton))


def _of(path: str, at: str, skeleton: Skeleton, *, literal: bool) -> list[Predicate]:
    place = {"path": path, "at": at} if at else {"path": path}
    if isinstance(skeleton, dict):
        wanted: list[Predicate] = (
            [{"op": "json_keys", **place, "keys": list(skeleton)}] if skeleton else [{"op": "json_type", **place, "type": "object"}]
        )
        for key, part in skeleton.items():
            wanted += _of(path, joined_path(at, key), part, literal=literal)
        return wanted
    if isinstance(skeleton, list):
        found: list[Predicate] = [{"op": "json_type", **place, "type": "list"}]
        return found + (_of(path, f"{at}[*]", skeleton[0], literal=literal) if skeleton else [])
    if skeleton.given and literal and (not isinstance(skeleton.literal, str) or 0 < len(skeleton.literal) <= MAX_TEXT):
        return [{"op": "json_compare", **place, "test": "==", "value": skeleton.literal}]
    wanted = [{"op": "json_type", **place, "type": skeleton.type}] if skeleton.type else []
    if skeleton.low is not None and skeleton.high is not None:
        wanted += [
            {"op": "json_compare", **place, "test": ">=", "value": skeleton.low},
            {"op": "json_compare", **place, "test": "<=", "value": skeleton.high},
        ]
    return wanted
