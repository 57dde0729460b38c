"""What the brief says of a file in words, checked without any check that says so."""

from __future__ import annotations

from tasks.evaluators.base import Finding
from tasks.evaluators.words import Evaluator
from tests.prose.subjects import bakery

POEM = "poem.txt is as long as the brief asks"
MENU = "menu.json has the fields that the brief shows"


def findings(**given: object) -> dict[str, Finding]:
    changed = given.pop("changed", None)
    return {found.title: found for found in Evaluator().evaluate(bakery(changed, **given))}  # type: ignore[arg-type]


def test_files_as_the_brief_asks_pass() -> None:
    found = findings()
    assert {title: finding.status for title, finding in found.items()} == {
        POEM: "pass",
        "about.md is as long as the brief asks": "pass",
        MENU: "pass",
    }
    assert all(finding.source == "common" and not finding.guards for finding in found.values())


def test_too_many_words_and_wrong_types_fail_with_the_reason() -> None:
    found = findings(changed={"poem.txt": "one two three four five six seven", "menu.json": '{"bread": [], "best": {"name": "Rye", "price": "3"}}'})
    assert found[POEM].reason == "poem.txt has 7 words, not 4 to 6."
    assert found[MENU].status == "fail"


def test_a_missing_file_and_a_verbatim_attachment_are_left_to_others() -> None:
    assert POEM not in findings(changed={"poem.txt": None})
    assert POEM not in findings(attachments={"poem.txt": b"one"})
    assert POEM in findings(attachments={"poem.txt": b"one"}, revised=frozenset({"poem.txt"}))
