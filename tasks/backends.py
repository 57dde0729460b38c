"""Loads a backend by the name in settings: `tasks/<package>/<name>.py` holds the class. No registry: a new backend is one new file."""

from __future__ import annotations

import re
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tasks.errors import Misconfigured


@cache
def names(package: str, class_name: str) -> list[str]:
    """The backends that exist in `tasks/<package>`, by file name: every module that defines the class, `base` aside."""
    folder = Path(__file__).parent / package
    defines = f"\nclass {class_name}("
    return sorted(path.stem for path in folder.glob("*.py") if path.stem != "base" and defines in path.read_text(encoding="utf-8"))


def load(package: str, class_name: str, name: str) -> Any:
    """An instance of `tasks.<package>.<name>.<class_name>`; `Misconfigured` names the choices when there is none of that name."""
    module = f"tasks.{package}.{name}"
    if not re.fullmatch(r"[a-z_]+", name) or find_spec(module) is None:
        raise Misconfigured(f"There is no {name!r} among the {package}: use one of {', '.join(names(package, class_name))}.")
    return getattr(import_module(module), class_name)()
