"""Reads the common English checks as predicates.

In: a sentence, the brief, the texts of the round's checks. Out: a predicate, or None. A rule fires only on a sentence of which it has understood
every word: each pattern covers its text from the first letter to the last, and "a and b" is only read when both halves are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice

from tasks.prose import file_rules, json_rules, page_rules, table_rules, value_rules, workflow_rules
from tasks.prose.grammar import EXISTS, FILES, HAS, IS, MAX_SENTENCE, NAME, WHERE, Context, file_list, file_name, normal, together, whole
from tasks.prose.language import Predicate, PredicateInvalid
from tasks.prose.predicates import validate

MAX_SPLITS = 3
MAX_JOINS = 6  # places at which a sentence is cut in two
MAX_FILES = 20  # of one list
_REPO = r"(?:the )?(?:public |GitHub )?(?:repo|repository|project)"
_MIT = (
    rf"{_REPO} {HAS} (?:an?|the) MIT licen[cs]e(?: file)?{WHERE}|{_REPO} {HAS} MIT licen[cs]e(?: file)?{WHERE}|{_REPO} {IS} MIT[- ]licen[cs]ed|"
    rf"(?:an? |the )?MIT licen[cs]e(?: file)? {EXISTS}|"
    r"(?:an? |the )?MIT licen[cs]e(?: file)?(?: is)? (?:in|at) (?:the )?"
    r"(?:repo(?:sitory)?(?: root)?|root(?: of the (?:public |GitHub )?repo(?:sitory)?)?)|"
    rf"{_REPO}'s licen[cs]e is MIT|(?:the )?licen[cs]e is MIT"
)
_ALL_FILES = rf"(?:each|every|all(?: of)?(?: the)?) (?:required |requested |listed |expected )+files? {EXISTS}"
_SUBJECT = rf"(?:(?:the|an?) )?(?:file (?:named |called )?)?(?P<files>{FILES})(?: files?)?(?P<attached> \(attachment\))?"
_README = r"(?:the |an? )?README(?:\.md)?(?: file)?"
_REPO_HAS = rf"{_REPO} {HAS} (?:(?:an?|the) )?(?:file )?(?:(?:named|called) )?(?P<files>{FILES})(?: files?)?"
_NAMED_JSON = rf"(?:in )?(?:the )?(?:file )?[\"'`]?(?P<file>{NAME})[\"'`]? .+"
_JOINS = re.compile(r", and (?:it )?|; (?:and )?(?:it )?| and (?:it )?|, (?:it )?")


def compile_rules(text: str, brief: str, checks: Iterable[str] = ()) -> Predicate | None:
    """The sentence as a valid predicate; None when no rule has understood all of it. Deterministic, quick, never raises."""
    if not isinstance(text, str) or len(text) > MAX_SENTENCE:
        return None
    sentence = normal(text)
    found = _sentence(sentence, Context(brief, tuple(checks)), MAX_SPLITS) if sentence else None
    if found is None:
        return None
    try:
        validate(found)
    except PredicateInvalid:  # a name or number beyond the language's limits
        return None
    return found


def _sentence(text: str, context: Context, splits: int) -> Predicate | None:
    for rule in (_repository, workflow_rules.statement, _files, value_rules.statement, page_rules.statement):
        if found := rule(text, context):
            return found
    if splits:
        for join in islice(_JOINS.finditer(text), MAX_JOINS):
            left = _sentence(text[: join.start()], context, 0)
            rest = text[join.end() :]
            right = (_sentence(rest, context, splits - 1) or _continued(text[: join.start()], rest, context)) if left else None
            if left and right:
                return together([left, right])
    return None


def _continued(before: str, text: str, context: Context) -> Predicate | None:
    """Values of the one JSON file that the words before have named: "inn.json is valid JSON" and "city is 'Galway'"."""
    match = whole(_NAMED_JSON, before)
    if not match or not match["file"].lower().endswith(".json") or len(file_list(before)) > 1:
        return None
    name = file_name(match["file"])
    for parts in ([text], _JOINS.split(text)):
        if any(whole(rf".+ {EXISTS}", part) for part in parts):
            continue  # what exists may be anything in the repository: only a comparison tells that a field is meant
        if found := together(value_rules.statement(f"In {name}, {re.sub('^its ', '', part, flags=re.I)}", context) for part in parts):
            return found
    return None


def _repository(text: str, context: Context) -> Predicate | None:
    if whole(_MIT, text):
        return {"op": "license", "kind": "MIT"}
    if whole(_ALL_FILES, text):
        return together({"op": "file_exists", "path": name} for name in context.required)
    if match := whole(_REPO_HAS, re.sub(r" and (?:an?|the) ", " and ", text)):
        return together({"op": "file_exists", "path": name} for name in file_list(match["files"]))
    match = whole(rf"{_README} (?P<rest>.+)", text)
    return _phrases("README.md", match["rest"], context, MAX_SPLITS) if match else None


def _files(text: str, context: Context) -> Predicate | None:
    match = whole(rf"(?:both |all of )?{_SUBJECT} (?P<rest>.+)", text)
    if not match or len(names := file_list(match["files"])) > MAX_FILES:
        return None
    rest = re.sub(r"^(?:both|all|each) ", "", match["rest"], flags=re.I)
    if match["attached"]:
        rest = f"{rest} (attachment)"
    return together(_phrases(path, rest, context, MAX_SPLITS) for path in names)


def _phrases(path: str, text: str, context: Context, splits: int) -> Predicate | None:
    """One phrase about the file, or several that are joined."""
    for rules in (file_rules, json_rules, table_rules, page_rules):
        if found := rules.phrase(path, text, context):
            return found
    if splits:
        for join in islice(_JOINS.finditer(text), MAX_JOINS):
            left = _phrases(path, text[: join.start()], context, 0)
            right = _phrases(path, text[join.end() :], context, splits - 1) if left else None
            if left and right:
                return together([left, right])
    return None
