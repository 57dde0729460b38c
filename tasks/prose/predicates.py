"""The closed language in which a check is decided: JSON objects, each an `op` with that operation's fields. No code of a predicate is run here.

Files: file_exists, file_absent, same_as_attachment, contains, not_contains, license, readme, words, valid.
JSON: json_keys, json_type, json_compare, json_length. Tables: csv_equals_xlsx, csv_columns, csv_rows.
Pages: element, element_text, title, shows, links_to, loads, js (an expression for the browser). Workflows: workflow.
Together: all, any (with `of`), undecided (nobody can tell; for the part of a check that is a matter of taste).
"""

from __future__ import annotations

import json
from typing import Any

from tasks.evaluators.base import Subject
from tasks.prose.file_ops import FILE_OPS
from tasks.prose.json_ops import JSON_OPS
from tasks.prose.language import Browser, Look, Op, Predicate, PredicateInvalid, Settled, Verdict, a_text, no_browser, undecided
from tasks.prose.link_ops import LINK_OPS
from tasks.prose.page_ops import PAGE_OPS
from tasks.prose.table_ops import TABLE_OPS
from tasks.prose.workflow_ops import WORKFLOW_OPS

MAX_DEPTH = 5
MAX_SIZE = 120  # operations in one predicate
MAX_CHARACTERS = 20_000
GROUPS = ("all", "any")


def _undecided(predicate: Predicate, _look: Look) -> Verdict:
    return undecided(predicate.get("reason", "Nobody can tell this from the files."))


OPS: dict[str, Op] = {
    **FILE_OPS,
    **JSON_OPS,
    **TABLE_OPS,
    **PAGE_OPS,
    **LINK_OPS,
    **WORKFLOW_OPS,
    "undecided": Op(_undecided, {}, {"reason": a_text}),
}


def validate(predicate: Any) -> None:
    """Raises `PredicateInvalid`, which names the field, for what is not of the language."""
    if _size(predicate, 1) > MAX_SIZE:
        raise PredicateInvalid(f"the predicate has more than {MAX_SIZE} operations")
    if len(compact(predicate)) > MAX_CHARACTERS:
        raise PredicateInvalid(f"the predicate has more than {MAX_CHARACTERS} characters")


def _size(predicate: Any, depth: int) -> int:
    if depth > MAX_DEPTH:
        raise PredicateInvalid(f"the predicate is nested deeper than {MAX_DEPTH}")
    if not isinstance(predicate, dict):
        raise PredicateInvalid("a predicate has to be a JSON object")
    name = predicate.get("op")
    if name in GROUPS:
        parts = predicate.get("of")
        if set(predicate) != {"op", "of"} or not isinstance(parts, list) or not 0 < len(parts) <= MAX_SIZE:
            raise PredicateInvalid(f"{name} takes a list of 1 to {MAX_SIZE} predicates in `of` and nothing else")
        return 1 + sum(_size(part, depth + 1) for part in parts)
    if not isinstance(name, str) or name not in OPS:
        raise PredicateInvalid(f"there is no operation {str(name)[:40]!r}")
    OPS[name].check(predicate)
    return 1


def decide(predicate: Predicate, subject: Subject, browser: Browser = no_browser) -> Verdict:
    """The verdict on a valid predicate. Pure; never raises, whatever the files hold.

    `browser(expression)` is the verdict that a browser came to on a JavaScript expression, None where none has looked: run those of `expressions`
    first and hand their verdicts in. A group's verdict is that of its parts: one fail fails `all`, one pass passes `any`, and what is then
    left undecided stays so."""
    return _decide(predicate, Look(subject, browser))


def _decide(predicate: Predicate, look: Look) -> Verdict:
    if predicate["op"] not in GROUPS:
        try:
            return OPS[predicate["op"]].decide(predicate, look)
        except Settled as settled:
            return settled.verdict
    verdicts = [_decide(part, look) for part in predicate["of"]]
    decisive, other = ("fail", "pass") if predicate["op"] == "all" else ("pass", "fail")
    status = next((status for status in (decisive, "undecided") if any(verdict.status == status for verdict in verdicts)), other)
    meant = [verdict for verdict in verdicts if verdict.status == status]
    reason = " ".join(dict.fromkeys(verdict.reason for verdict in meant if verdict.reason))
    return Verdict(status, reason[:900], {key: value for verdict in reversed(meant) for key, value in verdict.evidence.items()})


def expressions(predicate: Predicate, subject: Subject) -> tuple[str, ...]:
    """The JavaScript expressions on which the verdict on these files may depend, each truthy when its part holds."""
    asked: dict[str, None] = {}

    def note(expression: str) -> None:
        asked[expression] = None

    decide(predicate, subject, note)
    return tuple(asked)


def compact(predicate: Predicate) -> str:
    """As it is stored and shown."""
    return json.dumps(predicate, ensure_ascii=False, separators=(",", ":"))
