"""Briefs made for one student at one hour, from the files of `templates/briefs`.

In: a brief's name, an e-mail address, the hour, the round. Out: `Made`, all that is sent: brief, checks and attachments as data URIs, the same
again for the same input, on every machine. The values of a file's `make` do not depend on the round, so that a later round can ask about
the attachments of the first.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from tasks.classroom import brief_files, generators
from tasks.classroom.brief_files import AttachmentFile, BriefError, BriefFile, names
from tasks.classroom.placeholders import content, fill
from tasks.files.media_types import media_type

__all__ = ["BriefError", "Made", "make", "misnamed", "names", "problem_of", "problems", "seed_of", "task_id", "title", "values", "variants"]

SEED_LENGTH = 8


@dataclass(frozen=True)
class Made:
    """`attachments`: of each its name and its data URI as `url`."""

    brief_id: str
    round: int
    variant: int
    seed: str
    brief: str
    checks: list[Any]
    attachments: list[dict[str, str]]


def seed_of(moment: datetime) -> str:
    """The hour in UTC: who asks again within it gets the same brief."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d-%H")


def title(name: str) -> str:
    return brief_files.load(name).title


def variants(name: str) -> list[list[str]]:
    """The titles of each round's variants."""
    return [[variant.title for variant in round_] for round_ in brief_files.load(name).rounds]


def make(name: str, email: str, seed: str, round: int = 1, variant: int | None = None) -> Made:
    """The brief for that student; without `variant` (counted from 0) the seed picks one. BriefError when file, round or variant are not there."""
    file = brief_files.load(name)
    if not 1 <= round <= len(file.rounds):
        raise BriefError(f"{name} has no round {round}: use 1 to {len(file.rounds)}.")
    choices = file.rounds[round - 1]
    if variant is None:
        variant = generators.digest(name, _person(email), seed, f"round {round}")[0] % len(choices)
    if not 0 <= variant < len(choices):
        raise BriefError(f"Round {round} of {name} has no variant {variant}: use 0 to {len(choices) - 1}.")
    made, chosen = _values(file, email, seed), choices[variant]
    where = f"{name}.yaml: round {round}" + (f", variant {variant}" if len(choices) > 1 else "")
    return Made(
        brief_id=file.id,
        round=round,
        variant=variant,
        seed=seed,
        brief=_filled(chosen.brief, made, f"{where}, brief"),
        checks=[_check(check, made, f"{where}, check {number}") for number, check in enumerate(chosen.checks, 1)],
        attachments=[_attachment(item, made, f"{where}, attachment {number}") for number, item in enumerate(chosen.attachments, 1)],
    )


def values(name: str, email: str, seed: str) -> dict[str, Any]:
    """What the placeholders of the brief stand for: the answers among it."""
    return _values(brief_files.load(name), email, seed)


def task_id(made: Made) -> str:
    """`<brief>-<5 hex digits>` of the text and the attachments: one for a brief with other numbers."""
    whole = json.dumps([made.brief, made.attachments], sort_keys=True, ensure_ascii=False)
    return f"{made.brief_id}-{sha256(whole.encode()).hexdigest()[:5]}"


def problem_of(name: str) -> str:
    """What is wrong with that file, one sentence, or nothing: every round and variant is made once for somebody."""
    try:
        for number, titles in enumerate(variants(name), 1):
            for variant in range(len(titles)):
                make(name, "student@example.com", "2026-01-01-00", number, variant)
    except BriefError as error:
        return str(error)
    return ""


def misnamed() -> list[str]:
    """Files that nobody would find; they would else be left out without a word."""
    return [f"{path.name}: a brief's file ends in .yaml; rename it." for path in sorted(brief_files.folder().glob("*.yml"))]


def problems() -> list[str]:
    """What is wrong with the files, a sentence each."""
    return [*misnamed(), *filter(None, map(problem_of, names()))]


def _person(email: str) -> str:
    return email.strip().lower()


def _values(file: BriefFile, email: str, seed: str) -> dict[str, Any]:
    who = (file.id, _person(email), seed)
    made: dict[str, Any] = {"seed": generators.digest(*who).hex()[:SEED_LENGTH]}
    for name, given in file.make.items():
        options = {key: value for key, value in given.items() if key != "generator"}
        try:
            made[name] = generators.generate(given["generator"], generators.random_of(*who, name), options)
        except ValueError as error:
            raise BriefError(f"{file.id}.yaml: make.{name}: {error}.") from error
    return made


def _filled(text: str, made: dict[str, Any], where: str) -> str:
    try:
        return fill(text, made)
    except ValueError as error:
        raise BriefError(f"{where}: {error}.") from error


def _check(check: Any, made: dict[str, Any], where: str) -> Any:
    return {"js": _filled(check["js"], made, where)} if isinstance(check, dict) else _filled(check, made, where)


def _attachment(item: AttachmentFile, made: dict[str, Any], where: str) -> dict[str, str]:
    try:
        data = content(item.content, made)
    except ValueError as error:
        raise BriefError(f"{where} ({item.name}): {error}.") from error
    kind = item.media_type or media_type(item.name, data).partition(";")[0]
    return {"name": item.name, "url": f"data:{kind};base64,{base64.b64encode(data).decode()}"}
