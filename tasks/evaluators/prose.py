"""The round's checks that are written in English, each decided by a rule or a stored predicate; what neither decides is undecided, never passed.

What only a browser can tell is left to whoever has one: `predicate_for` gives the predicate of a check, `tasks.prose.predicates.expressions` the
JavaScript to run for it, and `finding` the verdict with the browser's answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from tasks.check_forms import classify
from tasks.evaluators import base
from tasks.prose.language import Browser, Predicate, PredicateInvalid, no_browser
from tasks.prose.predicates import compact, decide, validate
from tasks.prose.rules import compile_rules
from tasks.required import check_texts

Stored = Callable[[str, str], Predicate | None]
NOBODY = "Nobody can tell this from the files: no rule reads the sentence, and no model has turned it into something that a program can decide."


def nothing_stored(_text: str, _brief: str) -> Predicate | None:
    """There is no store."""
    return None


class Evaluator(base.Evaluator):
    """`stored(text, brief)` looks up the predicate that a model wrote for a check; None where there is none.

    A `Subject` is plain data and an evaluator is made without arguments, so the evaluate stage sets this hook on the instance before it calls
    `evaluate` (or on the class, for all of them): `evaluator.stored = lookup`. Left alone, only the rules decide."""

    name = "prose"
    stored: Stored = staticmethod(nothing_stored)

    def evaluate(self, subject: base.Subject) -> Iterable[base.Finding]:
        stored: Stored = vars(self).get("stored", type(self).stored)  # not through self: a function set on the class would become a method
        for text in sentences(subject.checks):
            predicate, source = predicate_for(text, subject, stored)
            yield finding(text, predicate, subject, source=source)


def sentences(checks: Iterable[Any]) -> list[str]:
    """The texts of the checks that are English, in order."""
    return [text for kind, text in map(classify, checks) if kind == "prose" and text]


def predicate_for(text: str, subject: base.Subject, stored: Stored = nothing_stored) -> tuple[Predicate | None, str]:
    """The check's predicate and whose it is, `rule` or `model`; a stored one that is not of the language (any more) counts as none."""
    predicate = compile_rules(text, subject.brief, check_texts(subject.checks))
    if predicate is not None:
        return predicate, "rule"
    predicate = stored(text, subject.brief)
    try:
        if predicate is not None:
            validate(predicate)
            return predicate, "model"
    except PredicateInvalid:
        pass
    return None, ""


def finding(text: str, predicate: Predicate | None, subject: base.Subject, *, source: str = "", browser: Browser = no_browser) -> base.Finding:
    """The verdict on one check, with the predicate that decided it and whose it is."""
    if predicate is None:
        return base.Finding(text, "undecided", NOBODY, source="task")
    verdict = decide(predicate, subject, browser)
    evidence = {"decided_by": source, **verdict.evidence} if source else verdict.evidence
    return base.Finding(text, verdict.status, verdict.reason, evidence=evidence, expression=compact(predicate), source="task")
