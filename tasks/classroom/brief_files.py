"""The files of `templates/briefs`: what a teacher writes, read strictly.

In: the YAML of one brief. Out: a `BriefFile`, its texts still with placeholders. Whatever does not fit is a `BriefError` that names file, place and
cure; nothing is guessed and nothing left over is ignored.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings

from tasks.classroom.strict_yaml import Unreadable, read

FOLDER = Path("templates/briefs")
ROUNDS = 2  # at least: every round 1 is followed by a revision
_ID = re.compile(r"[a-z][a-z0-9-]{1,58}[a-z0-9]")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_KEYS: dict[str, tuple[set[str], set[str]]] = {  # of each object: those that it must have, those that it may have besides
    "the brief": ({"id", "title", "rounds"}, {"make"}),
    "a round": ({"brief", "checks"}, {"title", "attachments"}),
    "a round with variants": ({"variants"}, set()),
    "a variant": ({"brief", "checks"}, {"title", "attachments"}),
    "an attachment": ({"name", "content"}, {"media_type"}),
    "a check": ({"js"}, set()),
}


class BriefError(ValueError):
    """A file in templates/briefs cannot be used as it stands, or there is none of that name."""


@dataclass(frozen=True)
class AttachmentFile:
    name: str
    content: str
    media_type: str = ""


@dataclass(frozen=True)
class Variant:
    """One way in which a round may be asked."""

    title: str
    brief: str
    checks: tuple[Any, ...]
    attachments: tuple[AttachmentFile, ...]


@dataclass(frozen=True)
class BriefFile:
    """`make`: of each value its generator and the options for it. `rounds`: the variants of round 1, of round 2 and so on, at least one each."""

    id: str
    title: str
    make: dict[str, dict[str, Any]]
    rounds: tuple[tuple[Variant, ...], ...]


def folder() -> Path:
    return Path(settings.BASE_DIR) / FOLDER


def names() -> list[str]:
    return sorted(path.stem for path in folder().glob("*.yaml"))


def load(name: str) -> BriefFile:
    """The brief of that name, read anew when its file has changed."""
    if name not in names():
        raise BriefError(f"There is no brief {name!r}: use {', '.join(names())}, or add {FOLDER}/{name}.yaml.")
    try:
        text = (folder() / f"{name}.yaml").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BriefError(f"{name}.yaml: it cannot be read: {error}. Save it as UTF-8 text.") from error
    return parse(name, text)


@lru_cache(maxsize=64)
def parse(name: str, text: str) -> BriefFile:
    """`name` is the file's, without its ending: the brief's id has to be the same, so that no two briefs share one."""
    try:
        value = _object(read(text), "the brief", "the brief")
        id, title = _text(value["id"], "id"), _text(value["title"], "title")
        if not _ID.fullmatch(id):
            raise ValueError(f"id is {id!r}: use 3 to 60 small letters, digits and dashes, a letter first")
        if id != name:
            raise ValueError(f"id is {id!r}, which is another file's: every brief has an id of its own, write id: {name} or rename the file")
        return BriefFile(id, title, _make(value.get("make", {})), _rounds(value["rounds"]))
    except (Unreadable, ValueError) as error:
        raise BriefError(f"{name}.yaml: {error}.") from error


def _make(value: Any) -> dict[str, dict[str, Any]]:
    if not isinstance(value, dict):
        raise ValueError("make has to be an object: write a name, a colon and {generator: …} on each line")
    for name, options in value.items():
        if not isinstance(name, str) or not _NAME.fullmatch(name) or name == "seed":
            raise ValueError(f"make.{name}: use small letters, digits and underscores for the name, and not seed, which is there already")
        if not isinstance(options, dict) or not isinstance(options.get("generator"), str):
            raise ValueError(f"make.{name} has no generator: write {{generator: sales_csv}}")
    return value


def _rounds(value: Any) -> tuple[tuple[Variant, ...], ...]:
    rounds = _list(value, "rounds")
    if len(rounds) < ROUNDS:
        raise ValueError(f"rounds has {len(rounds)} of them: add round {len(rounds) + 1}, since every task is revised once")
    return tuple(_variants(item, f"round {number}") for number, item in enumerate(rounds, 1))


def _variants(value: Any, where: str) -> tuple[Variant, ...]:
    if isinstance(value, dict) and "variants" in value:
        given = _list(_object(value, "a round with variants", where)["variants"], f"{where}, variants")
        return tuple(
            _variant(_object(item, "a variant", f"{where}, variant {number}"), f"{where}, variant {number}") for number, item in enumerate(given)
        )
    return (_variant(_object(value, "a round", where), where),)


def _variant(value: dict[str, Any], where: str) -> Variant:
    checks = tuple(_check(item, f"{where}, check {number}") for number, item in enumerate(_list(value["checks"], f"{where}, checks"), 1))
    given = _list(value["attachments"], f"{where}, attachments") if "attachments" in value else []
    attachments = tuple(_attachment(item, f"{where}, attachment {number}") for number, item in enumerate(given, 1))
    names = [item.name.casefold() for item in attachments]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"{where}: two attachments have the name {', '.join(sorted(twice))}; rename one")
    return Variant(_text(value.get("title", "as it is"), f"{where}, title"), _text(value["brief"], f"{where}, brief"), checks, attachments)


def _check(value: Any, where: str) -> Any:
    """Plain English as it is, JavaScript as {"js": …}."""
    if isinstance(value, dict):
        return {"js": _text(_object(value, "a check", where)["js"], where)}
    return _text(value, where)


def _attachment(value: Any, where: str) -> AttachmentFile:
    known = _object(value, "an attachment", where)
    name = _text(known["name"], f"{where}, name")
    if not re.fullmatch(r"[\w-][\w.-]*(/[\w-][\w.-]*){0,3}", name):
        raise ValueError(f"{where}: the name {name!r} is no path inside the repository: use letters, digits, dots and dashes")
    media_type = _text(known["media_type"], f"{where}, media_type") if "media_type" in known else ""
    return AttachmentFile(name, _text(known["content"], f"{where}, content"), media_type)


def _object(value: Any, kind: str, where: str) -> dict[str, Any]:
    must, may = _KEYS[kind]
    if not isinstance(value, dict):
        raise ValueError(f"{where} is {_shown(value)}: it has to be an object with {', '.join(sorted(must))}")
    if missing := sorted(must - set(value)):
        raise ValueError(f"{where} has no {missing[0]}: {kind} needs {', '.join(sorted(must))}")
    if unknown := [key for key in value if key not in must | may]:
        raise ValueError(f"{where} has {unknown[0]!r}, which {kind} does not know: it has {', '.join(sorted(must | may))}")
    return value


def _list(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list) or not value:
        raise ValueError(f"{where} is {_shown(value)}: it has to be a list with at least one entry, each behind a dash")
    return value


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{where} is {_shown(value)}: it has to be a text; put it in quotes")
    return value


def _shown(value: Any) -> str:
    return "empty" if value is None or value in ("", [], {}) else repr(value)[:60]
