"""Reads JSON the way models write it.

Strict JSON is left to the standard library. What it refuses is scanned again with everything allowed that can mean only one thing: raw line breaks
in strings, trailing and missing commas, single quotes, back-ticks and triple quotes, comments, bare keys, unknown escapes, Python's literals, an
end that is missing. Quotes that should have been escaped are guessed from what follows them, and only when nothing else makes sense.
"""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

MAX_DEPTH = 40

_SPACE = re.compile(r"(?:[\s\ufeff]+|//[^\n]*|#[^\n]*|/\*(?:[^*]|\*(?!/))*\*/)+")
_CHUNK = {quote: re.compile(rf"[^{quote}\\]+") for quote in "\"'`"}
_BARE = re.compile(r"[A-Za-z_$][\w$.-]*|-?\d[\d.eE+-]*")
_CODE = re.compile(r"u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})")
_KEY_FOLLOWS = re.compile(r"\s*(?::|\Z)")
_END_FOLLOWS = re.compile(r"\s*(?:,\s*(?:[\"'][^\"'\n]{1,120}[\"']\s*:|[}\]]|//|$)|[}\]]\s*(?:[,}\]]|```|~~~|$)|\Z)")
_ITEM_FOLLOWS = re.compile(r"\s*(?:,\s*[\"'{\[\]]|\]|\Z)")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "\n": "\n", '"': '"', "'": "'", "`": "`", "\\": "\\", "/": "/", "$": "$"}
_LITERALS: dict[str, Any] = {"true": True, "false": False, "null": None, "True": True, "False": False, "None": None, "undefined": None}


class Loose(NamedTuple):
    """`end` is the position after the value. `cut` when its end is missing; `open_string` is then the string that was never closed."""

    value: Any
    end: int
    cut: bool = False
    open_string: str | None = None


class NotJson(ValueError):
    """No value can be read here."""


def read_value(text: str, start: int) -> Loose:
    """The value that starts at `start`, whatever follows it; `NotJson` when there is none."""
    try:
        value, end = json.JSONDecoder(strict=False).raw_decode(text, start)
        return Loose(value, end)
    except (ValueError, RecursionError):
        pass
    failure = NotJson("no value")
    for guess_quotes in (False, True):
        scanner = _Scanner(text, start, guess_quotes)
        try:
            value = scanner.value(0)
        except NotJson as error:
            failure = error
            continue
        if value or not scanner.cut:  # a cut value of which nothing is left was no JSON, or its quotes were misread
            return Loose(value, scanner.position, scanner.cut, scanner.open_string)
    raise failure


class _Scanner:
    def __init__(self, text: str, start: int, guess_quotes: bool) -> None:
        self.text = text
        self.position = start
        self.guess_quotes = guess_quotes
        self.cut = False
        self.open_string: str | None = None

    def value(self, depth: int, inside: str = "") -> Any:
        if depth > MAX_DEPTH:
            raise NotJson("nested too deeply")
        character = self._peek()
        if character == "{":
            return self._object(depth)
        if character == "[":
            return self._array(depth)
        if character and character in "\"'`":
            return self._string(character, _ITEM_FOLLOWS if inside == "[" else _END_FOLLOWS)
        if match := _BARE.match(self.text, self.position):
            self.position = match.end()
            word = match[0]
            if word in _LITERALS:
                return _LITERALS[word]
            try:
                return json.loads(word)
            except ValueError:
                pass
        raise NotJson("no value")

    def _object(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        self.position += 1
        while not self._ends("}"):
            character = self._peek()
            if character in "\"'`":
                key = self._string(character, _KEY_FOLLOWS)
            elif match := _BARE.match(self.text, self.position):
                key, self.position = match[0], match.end()
            else:
                raise NotJson("no key")
            if not self._peek():
                self.cut = True
                break
            if self._peek() != ":":
                raise NotJson("no colon after a key")
            self.position += 1
            if not self._peek():
                self.cut = True
                break
            found[key] = self.value(depth + 1, "{")
        return found

    def _array(self, depth: int) -> list[Any]:
        found: list[Any] = []
        self.position += 1
        while not self._ends("]"):
            found.append(self.value(depth + 1, "["))
        return found

    def _ends(self, closing: str) -> bool:
        character = self._peek()
        while character == ",":
            self.position += 1
            character = self._peek()
        if not character:
            self.cut = True
            return True
        if character == closing:
            self.position += 1
            return True
        if character in "}]":
            raise NotJson("a bracket that closes nothing")
        return False

    def _peek(self) -> str:
        """The next character that means something; empty at the end."""
        if match := _SPACE.match(self.text, self.position):
            self.position = match.end()
        return self.text[self.position : self.position + 1]

    def _string(self, quote: str, follows: re.Pattern[str]) -> str:
        if self.text.startswith(quote * 3, self.position):
            end = self.text.find(quote * 3, self.position + 3)
            body = self.text[self.position + 3 : end if end >= 0 else len(self.text)]
            self.position = end + 3 if end >= 0 else len(self.text)
            if end < 0:
                self.cut, self.open_string = True, body
            return body.removeprefix("\n")
        parts: list[str] = []
        self.position += 1
        while self.position < len(self.text):
            if match := _CHUNK[quote].match(self.text, self.position):
                parts.append(match[0])
                self.position = match.end()
            elif self.text[self.position] == "\\":
                parts.append(self._escape())
            else:
                self.position += 1
                if not self.guess_quotes or follows.match(self.text, self.position):
                    return _joined(parts)
                parts.append(quote)
        self.cut, self.open_string = True, _joined(parts)
        return self.open_string

    def _escape(self) -> str:
        """A known escape's character; an unknown one stays as written, being a regular expression's `\\d` that was not doubled."""
        character = self.text[self.position + 1 : self.position + 2]
        if match := _CODE.match(self.text, self.position + 1):
            self.position = match.end()
            return chr(int(match[1] or match[2], 16))
        self.position += 2
        return _ESCAPES.get(character, "\\" + character)


def _joined(parts: list[str]) -> str:
    """Surrogate pairs that came as two escapes become one character."""
    text = "".join(parts)
    return (
        text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace") if any("\ud800" <= part[:1] <= "\udfff" for part in parts) else text
    )
