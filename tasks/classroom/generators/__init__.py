"""Makers of the data in a brief: each file here has one pure function `make(dice, **options)`, and its name is the generator's name.

In: a `Random` that depends on nothing but who the brief is for and when, and the options of the brief's file, each with a default. Out: the fields
that the file may name (`${sales.total}`): texts, numbers, lists and objects (shown as JSON), and bytes (for the content of an attachment). The same
random numbers give the same bytes on every machine: no clock, no hash(), no compression whose output depends on the library's version.
"""

from __future__ import annotations

import inspect
from functools import cache
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

Values = dict[str, Any]


@cache
def names() -> list[str]:
    return sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py"))


def random_of(*parts: str) -> Random:
    """The same parts always give the same numbers, in every process. Parts are kept apart: ("a", "bc") is not ("ab", "c")."""
    return Random(int.from_bytes(digest(*parts)))  # noqa: S311 - made-up figures, no secret  # nosec B311


def digest(*parts: str) -> bytes:
    return sha256("".join(f"{len(part)}:{part}" for part in parts).encode()).digest()


def generate(name: str, dice: Random, options: dict[str, Any]) -> Values:
    """What the generator makes. ValueError, with the cure, for an unknown generator or option and for an option of the wrong kind."""
    if name not in names():
        raise ValueError(f"there is no generator {name!r}: use one of {', '.join(names())}")
    make = _module(name).make
    known = {key: item.default for key, item in inspect.signature(make).parameters.items() if key != "dice"}
    for key, value in options.items():
        if key not in known:
            raise ValueError(f"the generator {name} has no option {key!r}: it has {', '.join(known) or 'none'}")
        if type(value) is not type(known[key]):
            raise ValueError(f"{key} has to be of the kind of {known[key]!r}, but is {value!r}")
        if isinstance(value, int) and not 1 <= value <= 5000:
            raise ValueError(f"{key} is {value}: use a number from 1 to 5000")
    made: Values = make(dice, **options)
    return made


def _module(name: str) -> ModuleType:
    return import_module(f"{__name__}.{name}")
