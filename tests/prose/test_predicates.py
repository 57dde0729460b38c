"""Each operation on files that are right and wrong."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.prose.language import PredicateInvalid, Verdict, failed, passed
from tasks.prose.predicates import OPS, decide, expressions, validate
from tests.prose.subjects import PAGE, WORKFLOW, bakery

SCRIPTED = PAGE.replace("</body>", "<script>go()</script></body>")
DEEP = "[" * 3_000 + "]" * 3_000


def status(predicate: dict[str, Any], changed: dict[str, Any] | None = None, **fields: Any) -> str:
    validate(predicate)
    return decide(predicate, bakery(changed, **fields)).status


def at(name: str, test: str, **other: Any) -> dict[str, Any]:
    return {"op": "json_compare", "path": "menu.json", "at": name, "test": test, **other}


PASSING: list[dict[str, Any]] = [
    {"op": "file_exists", "path": "menu.json"},
    {"op": "file_absent", "path": "result.json"},
    {"op": "same_as_attachment", "path": "notes.txt"},
    {"op": "contains", "path": "notes.txt", "text": "FLOUR", "ignore_case": True},
    {"op": "not_contains", "path": "notes.txt", "text": "FLOUR"},
    {"op": "license", "kind": "MIT"},
    {"op": "words", "path": "about.md", "min": 5, "max": 5},
    {"op": "valid", "path": "menu.json", "format": "json"},
    {"op": "valid", "path": "prices.csv", "format": "csv"},
    {"op": "valid", "path": "index.html", "format": "html"},
    {"op": "valid", "path": ".github/workflows/ci.yml", "format": "yaml"},
    {"op": "json_keys", "path": "menu.json", "keys": ["bread", "best"]},
    {"op": "json_keys", "path": "menu.json", "at": "bread[*]", "keys": ["name"]},
    {"op": "json_type", "path": "menu.json", "at": "bread[0].price", "type": "integer"},
    {"op": "json_type", "path": "menu.json", "at": 'best["name"]', "type": "string"},
    at("best.price", "<=", to="bread[*].price"),
    at("best.name", "contains", value="ry", ignore_case=True),
    at("best.name", "!=", value=3),
    {"op": "json_length", "path": "menu.json", "at": "bread", "min": 2, "max": 2},
    {"op": "csv_equals_xlsx", "path": "prices.csv", "attachment": "prices.xlsx"},
    {"op": "csv_columns", "path": "prices.csv", "columns": ["price"]},
    {"op": "csv_rows", "path": "prices.csv", "min": 2, "max": 2},
    {"op": "element", "id": "total", "tag": "span"},
    {"op": "element", "selector": "ul.files > li a[href$='.json'], table"},
    {"op": "element", "selector": "li", "min": 3},
    {"op": "element_text", "id": "best-name", "test": "equals", "text": "Rye"},
    {"op": "element_text", "id": "best-name", "test": "equals", "json": "menu.json", "at": "best.name"},
    {"op": "element_text", "id": "best-price", "test": "equals", "json": "menu.json", "at": "best.price", "static": True},
    {"op": "title", "test": "equals", "text": "Rye Bakery"},
    {"op": "title", "test": "contains", "json": "menu.json", "at": "best.name"},
    {"op": "shows", "text": "Rye Bread"},
    {"op": "shows", "number": 1240.5},
    {"op": "shows", "number": 3, "id": "best-price"},
    {"op": "links_to", "targets": ["menu.json", "poem.txt", "about.md"]},
    {"op": "loads", "library": "Bootstrap", "version": "5", "host": "jsdelivr"},
    {"op": "workflow", "tools": ["ruff"], "scripts": ["build.py"], "pages": True},
    {"op": "any", "of": [{"op": "file_exists", "path": "x"}, {"op": "undecided"}, {"op": "file_exists", "path": "notes.txt"}]},
]

FAILING: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({"op": "file_exists", "path": "Menu.json"}, {}, "called menu.json"),
    ({"op": "file_exists", "path": "menu.json"}, {"menu.json": None, "data/menu.json": "{}"}, "There is data/menu.json"),
    ({"op": "file_absent", "path": "result.json"}, {"result.json": "{}"}, "is there"),
    ({"op": "same_as_attachment", "path": "notes.txt"}, {"notes.txt": "flour\r\nwater\r\n"}, "differ"),
    ({"op": "contains", "path": "notes.txt", "text": "FLOUR"}, {}, "does not contain 'FLOUR'"),
    ({"op": "contains", "path": "notes.txt", "text": "x"}, {"notes.txt": b"\x00\x01\x02"}, "not text"),
    ({"op": "license", "kind": "MIT"}, {"LICENSE": "MIT"}, "whole text"),
    ({"op": "license", "kind": "MIT"}, {"LICENSE": None, "LICENSE.txt": "x"}, "There is no LICENSE"),
    ({"op": "readme"}, {}, "There is no README.md"),
    ({"op": "readme"}, {"README.md": "# Title\n\nSomething."}, "no section for"),
    ({"op": "readme", "sections": ["usage"], "min": 9}, {"README.md": "# Title\n\n## Usage\n\nOpen."}, "words"),
    ({"op": "words", "path": "about.md", "min": 5, "max": 5}, {"about.md": "one two three four"}, "4 words, not 5"),
    ({"op": "valid", "path": "menu.json", "format": "json"}, {"menu.json": "{'a': 1}"}, "not valid JSON"),
    ({"op": "valid", "path": "menu.json", "format": "json"}, {"menu.json": DEEP}, "deeply"),
    ({"op": "valid", "path": "index.html", "format": "html"}, {"index.html": "<div><p>x</div></b>"}, "no <!doctype html>"),
    ({"op": "valid", "path": "index.html", "format": "html"}, {"index.html": PAGE.replace('id="order"', 'id="total"')}, "given twice"),
    ({"op": "valid", "path": "a.svg", "format": "svg"}, {"a.svg": "<svg></svg>"}, "xmlns"),
    ({"op": "json_keys", "path": "menu.json", "keys": ["bread", "cake"]}, {}, "no 'cake'"),
    ({"op": "json_keys", "path": "menu.json", "keys": ["a"]}, {"menu.json": "[]"}, "a list, not an object"),
    ({"op": "json_type", "path": "menu.json", "at": "best.price", "type": "number"}, {"menu.json": '{"best": {"price": "3"}}'}, "a string ('3')"),
    ({"op": "json_type", "path": "menu.json", "at": "best.price", "type": "number"}, {"menu.json": '{"best": {"price": true}}'}, "a bool"),
    ({"op": "json_type", "path": "menu.json", "at": "bread[*].price", "type": "number"}, {"menu.json": '{"bread": []}'}, "empty list"),
    ({"op": "json_type", "path": "menu.json", "at": "best.Name", "type": "string"}, {}, "there is 'name'"),
    (at("best.price", ">", value="2"), {}, "cannot be compared"),
    (at("best.price", ">", to="bread[*].price"), {}, "not > bread[*].price in menu.json 3"),
    (at("best.name", "==", value="rye"), {}, "not equal to 'rye'"),
    ({"op": "json_length", "path": "menu.json", "at": "bread", "min": 3}, {}, "length of 2, not at least 3"),
    ({"op": "csv_equals_xlsx", "path": "prices.csv", "attachment": "prices.xlsx"}, {"prices.csv": "name,price\nRye,3\n"}, "2 records"),
    ({"op": "csv_equals_xlsx", "path": "prices.csv", "attachment": "prices.xlsx"}, {"prices.csv": "name,price\nRye,4\nSour Dough,4.5\n"}, "Record 2"),
    ({"op": "csv_columns", "path": "prices.csv", "columns": ["Price"]}, {}, "no column Price"),
    ({"op": "csv_rows", "path": "prices.csv", "min": 3}, {}, "2 records"),
    ({"op": "element", "id": "missing"}, {}, "has no #missing"),
    ({"op": "element", "id": "missing", "static": True}, {"index.html": SCRIPTED}, "has no #missing"),
    ({"op": "element", "id": "total", "tag": "div"}, {}, "is a <span>, not a <div>"),
    ({"op": "element_text", "id": "total", "test": "equals", "json": "menu.json", "at": "n"}, {"menu.json": '{"n": 1240.5}'}, "plain digits 1240.5"),
    ({"op": "title", "test": "equals", "text": "Rye"}, {}, "'Rye Bakery', not equal to 'Rye'"),
    ({"op": "title", "test": "equals", "text": "Rye"}, {"index.html": "<svg><title>Rye</title></svg>"}, "no title"),
    ({"op": "shows", "text": "Rye Bread"}, {"index.html": "<p hidden>Rye Bread</p>"}, "does not show"),
    ({"op": "shows", "number": 240.5}, {}, "does not show"),
    ({"op": "links_to", "targets": ["menu.json", "notes.txt"]}, {}, "no link to notes.txt"),
    ({"op": "loads", "library": "bootstrap", "version": "4"}, {}, "not the version"),
    ({"op": "loads", "library": "bootstrap"}, {"index.html": "<link href=bootstrap.css>"}, "from another host"),
    ({"op": "workflow", "tools": ["ruff"]}, {".github/workflows/ci.yml": WORKFLOW.replace("ruff check .", "true")}, "runs ruff"),
    ({"op": "workflow", "scripts": ["build.py"]}, {".github/workflows/ci.yml": WORKFLOW.replace("python build", "cat build")}, "executes build.py"),
    ({"op": "workflow", "pages": True}, {".github/workflows/ci.yml": WORKFLOW.replace("deploy-pages", "checkout")}, "Pages"),
    ({"op": "workflow", "pages": True}, {".github/workflows/ci.yml": "on: [push"}, "not valid YAML"),
    ({"op": "workflow", "pages": True}, {".github/workflows/ci.yml": None}, "no workflow"),
    ({"op": "all", "of": [{"op": "undecided"}, {"op": "file_exists", "path": "x.txt"}]}, {}, "There is no x.txt"),
]

UNDECIDED: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({"op": "undecided", "reason": "A matter of taste."}, {}, "taste"),
    ({"op": "js", "expression": "document.title"}, {}, "browser"),
    ({"op": "all", "of": [{"op": "file_exists", "path": "notes.txt"}, {"op": "undecided"}]}, {}, "Nobody"),
    ({"op": "any", "of": [{"op": "file_exists", "path": "x"}, {"op": "undecided"}]}, {}, "Nobody"),
    ({"op": "same_as_attachment", "path": "poem.txt"}, {}, "No attachment"),
    ({"op": "words", "path": "about.md", "min": 3, "max": 3}, {"about.md": "- warm\n- small\n- ours"}, "3 or 6 words"),
    ({"op": "element", "id": "late"}, {"index.html": SCRIPTED}, "no browser has looked"),
    ({"op": "title", "test": "equals", "text": "Rye"}, {"index.html": SCRIPTED}, "no browser has looked"),
    ({"op": "contains", "path": "notes.txt", "text": "x"}, {"notes.txt": "y" * 5_000_000}, "not looked into"),
    ({"op": "element", "id": "x"}, {"index.html": "y" * 400_000}, "not read as HTML"),
    ({"op": "csv_equals_xlsx", "path": "prices.csv", "attachment": "notes.txt"}, {}, "cannot be read"),
    ({"op": "workflow", "pages": True}, {".github/workflows/two.yml": WORKFLOW}, "2 workflows"),
    ({"op": "workflow", "pages": True}, {".github/workflows/ci.yml": "{" * 50_000}, "not read as YAML"),
    ({"op": "valid", "path": "a.yml", "format": "yaml"}, {"a.yml": "[" * 300 + "]" * 300}, "not read as YAML"),
]


@pytest.mark.parametrize("predicate", PASSING, ids=lambda value: str(value)[:80])
def test_what_holds_passes(predicate: dict[str, Any]) -> None:
    validate(predicate)
    verdict = decide(predicate, bakery())
    assert (verdict.status, verdict.reason if verdict.status != "pass" else "") == ("pass", "")


@pytest.mark.parametrize(("predicate", "changed", "says"), FAILING, ids=lambda value: str(value)[:60])
def test_what_does_not_hold_fails_with_the_reason(predicate: dict[str, Any], changed: dict[str, Any], says: str) -> None:
    validate(predicate)
    verdict = decide(predicate, bakery(changed))
    assert verdict.status == "fail"
    assert says in verdict.reason


@pytest.mark.parametrize(("predicate", "changed", "says"), UNDECIDED, ids=lambda value: str(value)[:60])
def test_what_nobody_can_tell_is_undecided(predicate: dict[str, Any], changed: dict[str, Any], says: str) -> None:
    validate(predicate)
    verdict = decide(predicate, bakery(changed))
    assert verdict.status == "undecided"
    assert says in verdict.reason


def test_every_operation_is_tried() -> None:
    tried = {predicate["op"] for predicate in PASSING} | {predicate["op"] for predicate, _, _ in [*FAILING, *UNDECIDED]}
    assert tried >= set(OPS)


@pytest.mark.parametrize(
    "predicate",
    [
        None,
        [],
        "file_exists",
        {},
        {"op": "exec", "code": "1"},
        {"op": ["all"]},
        {"op": "file_exists"},
        {"op": "file_exists", "path": ""},
        {"op": "file_exists", "path": "../etc/passwd"},
        {"op": "file_exists", "path": "/etc/passwd"},
        {"op": "file_exists", "path": "a", "mode": "r"},
        {"op": "license", "kind": "GPL"},
        {"op": "words", "path": "a.txt"},
        {"op": "words", "path": "a.txt", "min": True},
        {"op": "words", "path": "a.txt", "min": 5, "max": 4},
        {"op": "json_type", "path": "a", "at": "b..c", "type": "string"},
        {"op": "json_compare", "path": "a", "at": "b", "test": "=="},
        {"op": "json_compare", "path": "a", "at": "b", "test": "==", "value": 1, "to": "c"},
        {"op": "json_compare", "path": "a", "at": "b", "test": "==", "value": [1]},
        {"op": "json_compare", "path": "a", "at": "b", "test": "==", "value": float("nan")},
        {"op": "element"},
        {"op": "element", "id": "a", "selector": "b"},
        {"op": "element", "selector": "a:hover"},
        {"op": "element", "selector": "a >"},
        {"op": "js", "expression": "x" * 3_000},
        {"op": "contains", "path": "a", "text": "\ud800"},
        {"op": "all", "of": []},
        {"op": "all", "of": [{"op": "all", "of": [1]}]},
        {"op": "any", "of": [{"op": "undecided"}], "why": ""},
        {"op": "all", "of": [{"op": "undecided"}] * 200},
        {"op": "all", "of": [{"op": "all", "of": [{"op": "all", "of": [{"op": "all", "of": [{"op": "all", "of": [{"op": "undecided"}]}]}]}]}]},
    ],
    ids=lambda value: str(value)[:60],
)
def test_what_is_not_of_the_language_is_refused(predicate: Any) -> None:
    with pytest.raises(PredicateInvalid):
        validate(predicate)


def test_the_browser_decides_what_a_script_may_do() -> None:
    predicate = {
        "op": "all",
        "of": [{"op": "element", "id": "late"}, {"op": "title", "test": "equals", "text": "Rye"}, {"op": "shows", "number": 77}],
    }
    subject = bakery({"index.html": SCRIPTED})
    asked = expressions(predicate, subject)
    assert len(asked) == 3
    assert decide(predicate, subject, lambda _expression: passed()).status == "pass"
    verdict = decide(predicate, subject, lambda expression: failed("The page does not do it.") if "77" in expression else passed())
    assert (verdict.status, verdict.reason) == ("fail", "The page does not do it.")
    assert decide(predicate, subject, lambda expression: None if "77" in expression else passed()).status == "undecided"


def test_an_expression_that_the_browser_could_not_try_decides_nothing() -> None:
    verdict = decide(
        {"op": "all", "of": [{"op": "js", "expression": "document.title"}]}, bakery(), lambda _expression: Verdict("error", "It crashed.")
    )
    assert (verdict.status, verdict.reason) == ("undecided", "It crashed.")


def test_nothing_is_asked_of_the_browser_that_the_files_tell() -> None:
    assert expressions({"op": "element", "id": "total"}, bakery({"index.html": SCRIPTED})) == ()
    assert expressions({"op": "element", "id": "late"}, bakery()) == ()


def test_texts_become_harmless_literals_of_the_expression() -> None:
    (asked,) = expressions({"op": "shows", "text": '"); alert(1); </script>'}, bakery({"index.html": SCRIPTED}))
    assert '"\\"); alert(1); <\\/script>"' in asked


def test_the_reason_of_a_group_is_that_of_the_part_that_decided() -> None:
    verdict = decide({"op": "all", "of": [{"op": "file_exists", "path": "a.txt"}, {"op": "undecided"}]}, bakery())
    assert verdict == Verdict("fail", "There is no a.txt.", {"files": sorted(bakery().files)})


def test_a_workflow_that_only_installs_a_tool_does_not_run_it() -> None:
    assert status({"op": "workflow", "tools": ["ruff"]}, {".github/workflows/ci.yml": WORKFLOW.replace("ruff check .", "echo ruff")}) == "fail"
    assert status({"op": "workflow", "tools": ["ruff"]}, {".github/workflows/ci.yml": WORKFLOW.replace("ruff check .", "uvx ruff check .")}) == "pass"
    action = WORKFLOW.replace("run: pip install ruff", "uses: astral-sh/ruff-action@v3").replace("ruff check .", "true")
    assert status({"op": "workflow", "tools": ["ruff"]}, {".github/workflows/ci.yml": action}) == "pass"
