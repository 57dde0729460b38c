"""The round's English checks as findings."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tasks.evaluators.base import Finding
from tasks.evaluators.prose import Evaluator, finding, predicate_for
from tasks.prose.language import passed
from tests.prose.subjects import bakery

TASTE = "The page is a pleasure to look at"


def findings(*checks: Any, **fields: Any) -> list[Finding]:
    return list(Evaluator().evaluate(bakery(checks=checks, **fields)))


def test_a_check_that_a_rule_reads_is_decided_with_its_predicate() -> None:
    (found,) = findings("menu.json is valid JSON")
    assert (found.title, found.status, found.source, found.guards) == ("menu.json is valid JSON", "pass", "task", False)
    assert json.loads(found.expression) == {"op": "valid", "path": "menu.json", "format": "json"}
    assert found.evidence["decided_by"] == "rule"


def test_a_check_that_fails_says_what_to_mend() -> None:
    (found,) = findings("about.md has exactly four words")
    assert (found.status, found.reason) == ("fail", "about.md has 5 words, not 4.")


def test_what_neither_decides_is_undecided() -> None:
    (found,) = findings(TASTE)
    assert (found.status, found.expression) == ("undecided", "")
    assert "Nobody can tell" in found.reason


def test_checks_in_javascript_are_left_to_others() -> None:
    checks = ({"js": "!!document.querySelector('#x')"}, "js: document.title", "document.title === 'a'", None, {}, "")
    assert findings(*checks) == []


def test_english_in_an_object_is_english() -> None:
    (found,) = findings({"check": "LICENSE contains the MIT License"})
    assert found.status == "pass"


def test_a_stored_predicate_decides_what_no_rule_reads() -> None:
    asked = []

    def stored(text: str, brief: str) -> dict[str, Any]:
        asked.append((text, brief[:7]))
        return {"op": "element", "id": "total"}

    evaluator = Evaluator()
    evaluator.stored = stored
    first, second = evaluator.evaluate(bakery(checks=(TASTE, "menu.json exists")))
    assert asked == [(TASTE, "Publish")]
    assert (first.status, first.evidence["decided_by"], second.evidence["decided_by"]) == ("pass", "model", "rule")
    assert findings(TASTE)[0].status == "undecided"


def test_the_hook_may_be_set_on_the_class(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Evaluator, "stored", lambda _text, _brief: {"op": "file_absent", "path": "notes.txt"})
    assert findings(TASTE)[0].status == "fail"


@pytest.mark.parametrize("broken", [{"op": "exec"}, [], "x", {"op": "file_exists"}])
def test_a_stored_predicate_that_is_none_counts_for_nothing(broken: Any) -> None:
    assert predicate_for(TASTE, bakery(), lambda _text, _brief: broken) == (None, "")


def test_the_browsers_answers_complete_a_finding() -> None:
    subject = bakery()
    predicate = {"op": "js", "expression": "document.title"}
    assert finding(TASTE, predicate, subject).status == "undecided"
    assert finding(TASTE, predicate, subject, browser=lambda _expression: passed("seen")).status == "pass"
