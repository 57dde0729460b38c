"""English sentences and the predicates that they are read as."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tasks.prose.predicates import validate
from tasks.prose.rules import compile_rules
from tests.prose.subjects import BRIEF

MIT = {"op": "license", "kind": "MIT"}
VALID_MENU = {"op": "valid", "path": "menu.json", "format": "json"}
BUTTON = "button, input[type=button], input[type=submit], [role=button]"


def exists(*paths: str) -> dict[str, Any]:
    return every(*({"op": "file_exists", "path": path} for path in paths))


def every(*parts: dict[str, Any]) -> dict[str, Any]:
    return parts[0] if len(parts) == 1 else {"op": "all", "of": list(parts)}


def compared(at: str, test: str, **other: Any) -> dict[str, Any]:
    return {"op": "json_compare", "path": "menu.json", "at": at, "test": test, **other}


def typed(at: str, kind: str) -> dict[str, Any]:
    return {"op": "json_type", "path": "menu.json", "at": at, "type": kind}


def element(name: str, **fields: Any) -> dict[str, Any]:
    return {"op": "element", "path": "index.html", "static": True, "id": name, **fields}


READ: dict[str, dict[str, Any]] = {
    # license and README
    "The repository contains an MIT license": MIT,
    "Repo has an MIT license at the root": MIT,
    "The project is MIT-licensed.": MIT,
    "MIT LICENSE at the root of the repository": MIT,
    "An MIT LICENSE is at the root of the repository": MIT,
    "The repository has an MIT LICENSE at its root": MIT,
    "LICENSE holds the full text of the MIT License": MIT,
    "LICENSE file is MIT": MIT,
    "README.md is complete and professional": {"op": "readme"},
    "The README is well-structured": {"op": "readme"},
    "README.md has sections for setup, usage and license": {"op": "readme", "sections": ["setup", "usage", "license"], "min": 0},
    "README includes a summary, usage guide, and code explanation": {"op": "readme", "sections": ["summary", "usage", "code"], "min": 0},
    "README.md has the sections summary, setup, usage, code explanation and license": {
        "op": "readme",
        "sections": ["summary", "setup", "usage", "code", "license"],
        "min": 0,
    },
    "README.md has the following sections: setup, usage": {"op": "readme", "sections": ["setup", "usage"], "min": 0},
    "README.md mentions pandas": {"op": "contains", "path": "README.md", "text": "pandas", "ignore_case": True},
    # files
    "menu.json exists": exists("menu.json"),
    "- Check that menu.json exists in the repository root.": exists("menu.json"),
    "Both menu.json and notes.txt exist": exists("menu.json", "notes.txt"),
    "index.html, `menu.json`, and .github/workflows/build.yml are present": exists("index.html", "menu.json", ".github/workflows/build.yml"),
    "Repository has a README.md and a LICENSE": exists("README.md", "LICENSE"),
    "menu.json exists and index.html exists": exists("menu.json", "index.html"),
    "All required files exist": exists("menu.json", "poem.txt", "about.md", "prices.csv", "prices.xlsx", "notes.txt", "index.html"),
    "output.json must NOT be committed": {"op": "file_absent", "path": "output.json"},
    "output.json doesn't exist in the repo": {"op": "file_absent", "path": "output.json"},
    "a.json and b.json are not committed": every({"op": "file_absent", "path": "a.json"}, {"op": "file_absent", "path": "b.json"}),
    # attachments
    "notes.txt equals the attachment": {"op": "same_as_attachment", "path": "notes.txt"},
    "notes.txt is committed as-is": {"op": "same_as_attachment", "path": "notes.txt"},
    "notes.txt is identical to the attached notes.txt": {"op": "same_as_attachment", "path": "notes.txt", "attachment": "notes.txt"},
    "copy.txt is an exact copy of the attached notes.txt": {"op": "same_as_attachment", "path": "copy.txt", "attachment": "notes.txt"},
    "notes.txt is exactly the attached file": {"op": "same_as_attachment", "path": "notes.txt"},
    "notes.txt is exactly as attached": {"op": "same_as_attachment", "path": "notes.txt"},
    "notes.txt is served unchanged": {"op": "same_as_attachment", "path": "notes.txt"},
    "prices.csv has the same content as prices.xlsx": {"op": "csv_equals_xlsx", "path": "prices.csv", "attachment": "prices.xlsx"},
    "prices.csv has the same data as the attached prices.xlsx": {"op": "csv_equals_xlsx", "path": "prices.csv", "attachment": "prices.xlsx"},
    "prices.csv equals prices.xlsx": {"op": "csv_equals_xlsx", "path": "prices.csv", "attachment": "prices.xlsx"},
    "prices.csv contents match the attached prices.xlsx": {"op": "csv_equals_xlsx", "path": "prices.csv", "attachment": "prices.xlsx"},
    # formats and contents
    "menu.json is valid JSON": {"op": "valid", "path": "menu.json", "format": "json"},
    "logo.svg is a well-formed SVG file": {"op": "valid", "path": "logo.svg", "format": "svg"},
    "deploy.yml parses as YAML": {"op": "valid", "path": "deploy.yml", "format": "yaml"},
    "prices.csv is valid": {"op": "valid", "path": "prices.csv", "format": "csv"},
    "notes.txt contains “flour” and “water”": every(
        {"op": "contains", "path": "notes.txt", "text": "flour"}, {"op": "contains", "path": "notes.txt", "text": "water"}
    ),
    'index.html includes the text "fetch("': {"op": "contains", "path": "index.html", "text": "fetch("},
    'notes.txt does not contain the typo "flower"': {"op": "not_contains", "path": "notes.txt", "text": "flower"},
    "about.md contains exactly five words": {"op": "words", "path": "about.md", "min": 5, "max": 5},
    "poem.txt has 40–60 words": {"op": "words", "path": "poem.txt", "min": 40, "max": 60},
    "poem.txt is between 40 and 60 words long": {"op": "words", "path": "poem.txt", "min": 40, "max": 60},
    "poem.txt is at least 1,000 words": {"op": "words", "path": "poem.txt", "min": 1000},
    "poem.txt has fewer than sixty words": {"op": "words", "path": "poem.txt", "max": 59},
    "prices.csv has columns name and price": {"op": "csv_columns", "path": "prices.csv", "columns": ["name", "price"]},
    "prices.csv has at least 10 rows": {"op": "csv_rows", "path": "prices.csv", "min": 10},
    # JSON
    "menu.json has fields bread and best": {"op": "json_keys", "path": "menu.json", "keys": ["bread", "best"]},
    "menu.json is valid JSON with the keys bread, best, currency": every(
        VALID_MENU, {"op": "json_keys", "path": "menu.json", "keys": ["bread", "best", "currency"]}
    ),
    "menu.json is a valid JSON object with keys bread and best": every(
        VALID_MENU, {"op": "json_type", "path": "menu.json", "type": "object"}, {"op": "json_keys", "path": "menu.json", "keys": ["bread", "best"]}
    ),
    'menu.json is valid JSON and name is "Rye"': every(VALID_MENU, compared("name", "==", value="Rye")),
    "menu.json is valid JSON, name is 'Rye' and its price is at least 3": every(
        VALID_MENU, compared("name", "==", value="Rye"), compared("price", ">=", value=3)
    ),
    'In menu.json, name is "Rye"': compared("name", "==", value="Rye"),
    "menu.json is valid JSON and has a 'bread' array": every(
        {"op": "valid", "path": "menu.json", "format": "json"}, {"op": "json_keys", "path": "menu.json", "keys": ["bread"]}, typed("bread", "list")
    ),
    "menu.json has 'best' object with 'name' (string) and 'price' (number) fields": every(
        typed("best", "object"),
        {"op": "json_keys", "path": "menu.json", "at": "best", "keys": ["name", "price"]},
        typed("best.name", "string"),
        typed("best.price", "number"),
    ),
    "menu.json has a field 'currency' equal to 'EUR'": compared("currency", "==", value="EUR"),
    "menu.json has at least 3 items": every(
        {"op": "json_type", "path": "menu.json", "type": "list"}, {"op": "json_length", "path": "menu.json", "min": 3}
    ),
    "menu.json best.price is greater than or equal to bread[0].price": compared("best.price", ">=", to="bread[0].price"),
    "best.price >= bread[0].price": compared("best.price", ">=", to="bread[0].price"),
    "menu.json best.since and bread[0].since are both > '2020'": every(
        compared("best.since", ">", value="2020"), compared("bread[0].since", ">", value="2020")
    ),
    "best.price in menu.json is a number between 1 and 20.5": every(
        typed("best.price", "number"), compared("best.price", ">=", value=1), compared("best.price", "<=", value=20.5)
    ),
    "menu.json best.name is 'Rye'": compared("best.name", "==", value="Rye"),
    "menu.json bread[*].price is a number": typed("bread[*].price", "number"),
    "menu.json follows the required structure": every(
        {"op": "json_keys", "path": "menu.json", "keys": ["bread", "best"]},
        typed("bread", "list"),
        {"op": "json_keys", "path": "menu.json", "at": "bread[*]", "keys": ["name", "price"]},
        typed("bread[*].name", "string"),
        typed("bread[*].price", "number"),
        {"op": "json_keys", "path": "menu.json", "at": "best", "keys": ["name", "price"]},
        typed("best.name", "string"),
        typed("best.price", "number"),
    ),
    # pages
    "Page title is 'Rye Bakery'": {"op": "title", "test": "equals", "text": "Rye Bakery"},
    "index.html <title> contains the best.name from menu.json": {
        "op": "title",
        "path": "index.html",
        "static": True,
        "test": "contains",
        "json": "menu.json",
        "at": "best.name",
    },
    "element with id 'total' exists": {"op": "element", "id": "total"},
    "There is an element with the id total": {"op": "element", "id": "total"},
    "There is a form with id 'order' on the page": {"op": "element", "id": "order", "tag": "form"},
    "The page has an element with id 'total'": {"op": "element", "id": "total"},
    "#total is present on the page": {"op": "element", "id": "total"},
    "#order is a <form>": {"op": "element", "id": "order", "tag": "form"},
    'index.html contains a <form id="order">': element("order", tag="form"),
    "index.html contains an input with id count": element("count", tag="input"),
    "index.html contains element with id='best' displaying best.price": every(
        element("best"),
        {"op": "element_text", "path": "index.html", "static": True, "id": "best", "test": "equals", "json": "menu.json", "at": "best.price"},
    ),
    'index.html <h1> is "Rye"': {"op": "element_text", "path": "index.html", "static": True, "selector": "h1", "test": "equals", "text": "Rye"},
    "Page has a button": {"op": "element", "selector": BUTTON},
    "Page has at least 3 buttons": {"op": "element", "selector": BUTTON, "min": 3},
    "A form exists": {"op": "element", "selector": "form"},
    "index.html links to notes.txt and poem.txt": {
        "op": "links_to",
        "path": "index.html",
        "static": True,
        "targets": ["notes.txt", "poem.txt"],
    },
    "index.html links to all of the required files": {
        "op": "links_to",
        "path": "index.html",
        "static": True,
        "targets": ["menu.json", "poem.txt", "about.md", "prices.csv", "prices.xlsx", "notes.txt"],
    },
    'Page displays "Open daily"': {"op": "shows", "text": "Open daily"},
    "Page displays the total 1240.50": {"op": "shows", "number": 1240.5},
    "Page shows the total of 1,240.50 in #total": {"op": "shows", "id": "total", "number": 1240.5},
    "Page lists Rye Bread and Sour Dough": every({"op": "shows", "text": "Rye Bread"}, {"op": "shows", "text": "Sour Dough"}),
    "Page loads Bootstrap 5 from a CDN": {"op": "loads", "library": "Bootstrap", "version": "5"},
    "marked is loaded from jsdelivr": {"op": "loads", "library": "marked", "host": "jsdelivr"},
    "index.html fetches menu.json using fetch('menu.json')": every(
        {"op": "contains", "path": "index.html", "text": "fetch("}, {"op": "contains", "path": "index.html", "text": "menu.json"}
    ),
    # workflows
    "The workflow runs ruff and python build.py": {"op": "workflow", "tools": ["ruff"], "scripts": ["build.py"]},
    ".github/workflows/ci.yml has steps to run pytest and deploy to GitHub Pages": {
        "op": "workflow",
        "path": ".github/workflows/ci.yml",
        "tools": ["pytest"],
        "pages": True,
    },
}

NOT_READ = """
Repo does not have an MIT license
Repo has MIT license and a code of conduct
Repo has an MIT license in every file
LICENSE contains the Apache License text
MIT LICENSE at the root of every folder
The repository has an MIT LICENSE at its root and in docs
README.md is funny
README.md has the sections summary, setup and roadmap
README.md has the sections described above
README.md has sections for setup, usage and roadmap
README explains how to use the page
README.md is complete unless there is no code
menu.json exists in the docs folder
menu.json exists on GitHub Pages
menu.json exists and is tasty
menu.json exists only if the shop is open
Each file is great
output.json is published on GitHub Pages
notes.txt matches the attached logo.png
notes.txt equals poem.txt
notes.txt is exactly the attached file in upper case
notes.txt is like the attached file
notes.txt is not exactly the attached file
notes.txt is served unchanged after a reload
notes.txt is served quickly
prices.csv has the same columns as prices.xlsx
prices.csv has the same content as menu.json
prices.csv has the same content as prices.xlsx without the header
notes.txt has the same content as prices.xlsx
index.html matches the attached mockup.png
menu.json is not valid JSON
logo.svg is a beautiful SVG
notes.txt is valid
notes.txt does not contain typos
notes.txt contains a recipe
about.md has about five words
poem.txt is 40 lines long
poem.txt contains five words that rhyme
poem.txt has 60 to 40 words
notes.txt meets the content requirements
menu.json has 'best' object with 'name' (string) and a nice price
menu.json has useful fields
menu.json is valid JSON with the keys described
menu.json is valid JSON with the keys bread, best and no others
menu.json is valid JSON with nice keys
menu.json is valid JSON with keys in order
menu.json is valid JSON and name is nice
menu.json is valid JSON and bakery exists
menu.json is valid JSON and flavour is "sweet"
menu.json and other.json are valid JSON and name is "Rye"
menu.json is valid JSON or name is "Rye"
notes.txt exists and name is "Rye"
In menu.json, name is nice
menu.json best.price is cheap
menu.json best.price is greater than it was before
menu.json prices are in euros
menu.json contains at least two entries and each has a name
best is a number
Total is a number
data is a number
index.html title is descriptive
Page has a title
#total is red
There is an element with the id total that is red
There is no element with the id total
There is an element with the id total or sum
There is an element with an id
index.html contains element with id='best' displaying the cheapest bread
index.html links to the shop's blog
index.html has a table with 3 rows
Page displays the total only after login in #total
Page displays the total
Page lists all breads
Page lists bread and cake
Page has three buttons that work
Bootstrap looks good
CI YAML has steps for ruff and sending mail
The workflow runs every day
index.html fetches menu.json every second
GitHub Actions ran and its log shows ruff
The page works offline
Adding an item works
No errors in the console
x
""".strip().splitlines()


@pytest.mark.parametrize("sentence", READ)
def test_a_common_sentence_is_read_whole(sentence: str) -> None:
    found = compile_rules(sentence, BRIEF)
    assert found == READ[sentence]
    validate(found)


@pytest.mark.parametrize("sentence", [*NOT_READ, "", "   ", "." * 700])
def test_a_sentence_that_is_understood_in_part_is_not_read(sentence: str) -> None:
    assert compile_rules(sentence, BRIEF) is None


def test_the_table_is_as_wide_as_it_should_be() -> None:
    assert len(READ) >= 65
    assert len(NOT_READ) >= 50


@pytest.mark.parametrize(
    ("sentence", "op"),
    [
        ("poem.txt meets the content requirements", "words"),
        ("menu.json data is consistent", "json_keys"),
        ("Page displays the sum of all prices in #total", "element"),
        ("README.md mentions PDF support", "contains"),
    ],
)
def test_a_matter_of_taste_can_fail_but_never_pass(sentence: str, op: str) -> None:
    found = compile_rules(sentence, BRIEF)
    assert found is not None
    assert found["op"] == "all"
    assert found["of"][0]["op"] == op
    assert found["of"][-1]["op"] == "undecided"


def test_text_in_a_page_may_also_be_shown_by_its_script() -> None:
    assert compile_rules("index.html contains 'Open daily'", BRIEF) == {
        "op": "any",
        "of": [{"op": "contains", "path": "index.html", "text": "Open daily"}, {"op": "shows", "path": "index.html", "text": "Open daily"}],
    }


def test_names_in_the_other_checks_are_required_too() -> None:
    found = compile_rules("Each required file exists", "Make a page.", ("story.txt has 20 words", "no.json is not committed"))
    assert found == exists("story.txt")


def test_without_any_name_required_files_mean_nothing() -> None:
    assert compile_rules("Each required file exists", "Make a page.") is None


def test_a_value_without_a_file_needs_a_brief_with_one_json_file() -> None:
    assert compile_rules("best.price >= bread[0].price", "Save a.json and b.json.") is None


def test_sentences_made_to_cost_time_cost_none() -> None:
    started = time.process_time()
    for piece in ("a, ", "a.json and ", "'a' and ", "and ", "a.b ", "is ", "<h1 ", "max.val, and ", '"', "a-", "a/", "steps for ruff, "):
        for start in ("", "menu.json ", "Page displays ", "data.json has 'a' object with ", "CI runs "):
            compile_rules((start + piece * 200)[:590] + " exist!x", BRIEF)
    assert time.process_time() - started < 10
