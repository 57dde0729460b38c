from __future__ import annotations

import re

import pytest

from tasks.generators.fallback import wants
from tests.generators.sites import CHECKS, CSV, SALES, Elements, attached, build, page


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ('sets the title to "Sales 1"', "Sales 1"),
        ("whose title is 'Sales 2025'. It", "Sales 2025"),
        ('document.title === `A "b" c`', 'A "b" c'),
        ("document.title == 'x'", "x"),
        ('a page titled "Notes"', "Notes"),
        ("the title should be exactly “Déjà vu”", "Déjà vu"),
        ("document.title.length > 3", ""),
        ('a page with a title and "quotes" far away', ""),
    ],
)
def test_the_title_is_read_from_briefs_and_checks(text: str, title: str) -> None:
    assert wants.read([text]).title == title


def test_the_title_is_exact_in_the_page() -> None:
    assert "<title>Sales 7f3a2</title>" in page(build(SALES, CHECKS))


def test_without_a_title_the_task_is_the_title() -> None:
    assert "<title>demo-1</title>" in page(build("Make a clock."))


@pytest.mark.parametrize(
    ("text", "id", "tag"),
    [
        ("shown inside #total-sales", "total-sales", "div"),
        ('form id="github-user-1"', "github-user-1", "form"),
        ("a form with an input id='user-2'", "user-2", "input"),
        ("an h1 tag with id='greeting'", "greeting", "h1"),
        ("in a <h2> element with id 'head'", "head", "h2"),
        ("a Bootstrap table #product-sales that lists", "product-sales", "table"),
        ("a currency select #money", "money", "select"),
        ("use #currency-picker", "currency-picker", "select"),
        ("via #region-filter", "region-filter", "select"),
        ("button with id='add-btn'", "add-btn", "button"),
        ("a list with id='task-list'", "task-list", "ul"),
        ('a textarea id="code-5"', "code-5", "textarea"),
        ('document.querySelector("#x-1").tagName === "FORM"', "x-1", "form"),
        ('document.querySelectorAll("#rows tbody tr").length >= 1', "rows", "table"),
        ("document.getElementById('late')", "late", "div"),
        ("<canvas id='plot'>", "plot", "canvas"),
        ("index.html contains element with id='share-max-value' displaying max", "share-max-value", "div"),
        ("`#points` shows it", "points", "div"),
        ("clearly marked with these IDs:\n  `share-name`,\n  `share-max`", "share-max", "div"),
    ],
)
def test_each_named_id_becomes_an_element(text: str, id: str, tag: str) -> None:
    assert Elements(page(build(text))).tag_of(id) == tag


@pytest.mark.parametrize("text", ["a #fff background", "see https://example.org/#part", "C# code", "issue #12", "&#x27;", "# Heading", "a#b"])
def test_what_only_looks_like_an_id_is_none(text: str) -> None:
    assert wants.read([text]).elements == ()


def test_a_colour_in_a_selector_is_an_id() -> None:
    assert [element.id for element in wants.read(["document.querySelector('#add')"]).elements] == ["add"]


def test_an_attribute_that_a_check_reads_is_set() -> None:
    check = 'document.querySelector("#github-status").getAttribute("aria-live") === "polite"'
    assert ("div", {"id": "github-status", "aria-live": "polite"}) in Elements(page(build("", (check,)))).found


def test_an_option_that_a_check_reads_is_there() -> None:
    html = page(build("", ("!!document.querySelector(\"#currency-picker option[value='USD']\")",)))
    assert '<option value="USD">' in html


def test_an_element_shows_the_words_that_the_brief_quotes() -> None:
    brief = "Display 'Hello, World!' in an h1 tag with id='greeting'."
    assert '<h1 id="greeting">Hello, World!</h1>' in page(
        build(brief, ("document.querySelector('#greeting').textContent.includes('Hello, World!')",))
    )


def test_a_result_that_only_a_check_expects_is_not_copied() -> None:
    html = page(build("Show the points inside #points.", ("document.querySelector('#points').textContent.includes('42')",)))
    assert '<div id="points">not available: this page was made without a model</div>' in html


def test_there_is_one_h1() -> None:
    for brief in ("Make a clock.", "an h1 tag with id='greeting'"):
        assert [tag for tag, _ in Elements(page(build(brief))).found].count("h1") == 1


def test_inputs_stand_in_the_wanted_form() -> None:
    html = page(build("form id='f' with an input id='i' and a button with id='b'"))
    assert re.search(r'<form id="f">.*id="i".*id="b".*</form>', html, re.DOTALL)


def test_libraries_come_after_the_inline_script() -> None:
    html = page(build("Use marked, highlight.js and Bootstrap.", (), attached("input.md", b"# x")))
    scripts = [attributes.get("src") or "" for tag, attributes in Elements(html).found if tag == "script"]
    assert scripts[0] == ""
    assert [name for name in ("highlight.js", "marked") if any(name in src for src in scripts)] == ["highlight.js", "marked"]
    assert 'href="https://cdn.jsdelivr.net/npm/bootstrap@' in html


def test_no_library_is_loaded_unasked() -> None:
    assert "https://" not in page(build("Make a clock."))


def test_the_first_script_fetches_the_data() -> None:
    html = page(build(SALES, CHECKS, attached("data.csv", CSV)))
    assert "fetch(" in html[html.index("<script>") : html.index("</script>")]
