"""Has a model write the predicate of a check that no rule reads.

In: the check, the brief, the names of the files, a generator and one of its models. Out: a valid predicate, which may be `{"op": "undecided"}` (the
model's word that no program can tell: worth storing, so that it is not asked again), or None where the model could not be asked or gave no
predicate. Storing and looking up is the caller's part.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Iterable
from typing import Any

from django.template.loader import render_to_string

from tasks.errors import TaskError
from tasks.generators.base import Answer, Generator, Inputs, Prompt
from tasks.prompts import BAR
from tasks.prose.language import Predicate, PredicateInvalid
from tasks.prose.predicates import validate
from tasks.redaction import secret_values

TRIES = 2
MIN_SECONDS = 1.0  # less is not enough for an answer
MAX_ANSWER = 40_000  # characters of an answer that are looked at
MAX_BRIEF = 12_000  # characters of the brief that the model sees
MAX_CHECK = 2_000
MAX_NAMES = 100
# A script that looks at nothing decides nothing.
_LOOKS = re.compile(r"\b(?:document|window|location|localStorage|sessionStorage|fetch|getComputedStyle|performance)\b")


def key(text: str, brief: str) -> str:
    """Under which a predicate is stored: it depends on these two alone."""
    return hashlib.sha256(f"{text}\0{brief}".encode("utf-8", "surrogatepass")).hexdigest()


def compile_with_model(text: str, brief: str, files: Iterable[str], generator: Generator, model: str, seconds: float) -> Predicate | None:
    """At most two calls within `seconds` of wall-clock time together; the second names what was wrong with the first answer. Never raises."""
    ends = time.monotonic() + seconds
    problem = ""
    for _ in range(TRIES):
        left = ends - time.monotonic()
        if left < MIN_SECONDS:
            return None
        try:
            answer = generator.ask(prompt(text, brief, files, problem), model, left)
        except TaskError:
            return None
        found, problem = read(answer)
        if found is not None:
            return found
    return None


def prompt(text: str, brief: str, files: Iterable[str], problem: str = "") -> Prompt:
    """What the model is asked. Check, brief and names are hostile text: they stand between lines with a code that none of them can contain."""
    names = tuple(sorted(files)[:MAX_NAMES])
    shown = {"text": _clean(text[:MAX_CHECK]), "brief": _clean(brief[:MAX_BRIEF]), "names": [_clean(name) for name in names]}
    context = {**shown, "problem": _clean(problem), "bar": BAR, "code": key(text, brief)[:12]}
    return Prompt(
        system=render_to_string("prompts/compile_check.txt", {"part": "system"}),
        user=render_to_string("prompts/compile_check.txt", {**context, "part": "user"}),
        inputs=Inputs(kind="compile", task="", round=0, brief=brief, checks=(text,), required=names),
    )


def read(answer: Answer) -> tuple[Predicate | None, str]:
    """The predicate of an answer, or why there is none."""
    if answer.finish not in {"stop", "length"}:
        return None, "There was no answer."
    problem = "It held no JSON object with an op."
    for found in _objects(answer.text[:MAX_ANSWER]):
        try:
            validate(found)
            _look(found)
        except PredicateInvalid as error:
            problem = f"It is not a predicate of the language: {error}."
            continue
        return found, ""
    return None, problem


def _objects(text: str) -> Iterable[dict[str, Any]]:
    """The JSON objects with an op that stand in the text, in a fence or among words, outermost first."""
    decoder = json.JSONDecoder()
    position, tries = 0, 0
    while (position := text.find("{", position)) >= 0 and tries < 50:
        tries += 1
        try:
            value, end = decoder.raw_decode(text, position)
        except (ValueError, RecursionError):
            position += 1
            continue
        if "op" in value:
            yield value
            position = end
        else:
            position += 1  # what is asked for may stand inside


def _look(predicate: Predicate) -> None:
    if predicate["op"] == "js" and not _LOOKS.search(predicate["expression"]):
        raise PredicateInvalid("the expression does not look at the page")
    for part in predicate.get("of", ()):
        _look(part)


def _clean(text: str) -> str:
    """Without this installation's secrets, and without half characters that no model's service takes."""
    for name, value in secret_values().items():
        text = text.replace(value, f"[{name} removed]")
    return text.encode("utf-8", "replace").decode()
