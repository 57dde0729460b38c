"""Puts made values in the place of `${name.field}`; `$${` stands for `${` itself, which JavaScript has too."""

from __future__ import annotations

import json
import re
from typing import Any

_PLACE = re.compile(r"\$\$\{|\$\{([^{}\n]*)\}?")
_ALONE = re.compile(r"\s*\$\{([^{}\n]*)\}\s*")


def fill(text: str, values: dict[str, Any]) -> str:
    """The text with every value in its place: texts and numbers as they are, lists, objects and yes or no as JSON. ValueError for an unknown one."""

    def one(match: re.Match[str]) -> str:
        if match[0] == "$${":
            return "${"
        value = _value(match, values)
        if isinstance(value, bytes):
            raise ValueError(f"{match[0]} is a file's bytes: use it alone, as the content of an attachment")
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

    return _PLACE.sub(one, text)


def content(text: str, values: dict[str, Any]) -> bytes:
    """An attachment's bytes: the value itself where the text is nothing but one placeholder."""
    if alone := _ALONE.fullmatch(text):
        value = _value(alone, values)
        if isinstance(value, bytes | str):
            return value if isinstance(value, bytes) else value.encode()
    return fill(text, values).encode()


def _value(match: re.Match[str], values: dict[str, Any]) -> Any:
    if not match[0].rstrip().endswith("}"):
        raise ValueError(f"{match[0]} is not closed: write ${{name.field}}, or $${{ for the two signs themselves")
    name, _, field = match[1].strip().partition(".")
    if name not in values:
        raise ValueError(f"{match[0]} is unknown: there are {', '.join(values)}; write $${{ for the two signs themselves")
    held = values[name]
    if not isinstance(held, dict):
        if field:
            raise ValueError(f"{match[0]} is unknown: {name} has no fields, write ${{{name}}}")
        return held
    if field not in held:
        raise ValueError(f"{match[0]} is unknown: {name} has {', '.join(held)}")
    return held[field]
