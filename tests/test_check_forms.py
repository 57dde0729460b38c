"""Which checks are JavaScript and which are English."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.check_forms import classify

JS = [
    "document.title === `Report 12`",
    "document.title == 'Sales in English'",
    "!!document.querySelector(\"link[href*='bulma']\")",
    "!document.querySelector('.error')",
    "document.querySelectorAll('#rows tr').length >= 3",
    'Math.abs(parseFloat(document.querySelector("#sum").textContent) - 17.25) < 0.01',
    "(() => {\n  const all = [...document.querySelectorAll('td')];\n  return all.reduce((sum, td) => sum + Number(td.textContent), 0) > 5;\n})()",
    "() => document.body.innerText.includes('the total is 5')",
    "async () => (await fetch('data.json')).ok",
    "await new Promise(resolve => setTimeout(resolve, 100)); document.title",
    "const a = document.querySelector('a')\na.href.length > 0",
    "typeof window.Chart !== 'undefined'",
    "'Chart' in window && window.Chart instanceof Function",
    "/^Total: \\d+$/.test(document.querySelector('#t').textContent)",
    'localStorage.getItem("seen") === null',
    "for (const el of document.querySelectorAll('p')) { if (!el.textContent) throw new Error('empty') }",
    "document.querySelector('#a')?.dataset.region !== undefined // region kept",
    "getComputedStyle(document.body).backgroundColor !== 'rgba(0, 0, 0, 0)'",
    "window.total > 5 ? true : false",
    "if (document.title) true; else false",
    "$('#x').length",
    "document.title",
    "`document.title === 'x'`",
    "```js\ndocument.title === 'x'\n```",
]
PROSE = [
    "Repo has MIT license",
    "README.md is professional",
    "Page displays the picture passed at ?url=...",
    "index.html fetches data.json using fetch('https://example.org/data.json')",
    "data.json has 'max' object with 'val' (number) and 'year' (string) fields",
    "The page calls localStorage.setItem(...) when saved",
    "document.title is 'Sales'",
    "Total in document.title equals 5",
    "Page has operation buttons +, -, *, /",
    'script.py does not contain the typo "revenew"',
    "max.val is greater than or equal to min.val",
    "The user's name doesn't vanish",
    "index.html <h1 id='name'> contains the name from data.json",
    "check1",
    "index.html",
    "README.md",
    "LICENSE",
    "Text-centered",
    "Works (mostly)",
    "Number of buttons in page >= 10",
    "All (three) tests pass => page is green",
    "Math (addition) works",
    "`README.md`",
    "Uses `document.querySelector`",
    "“document.title”",
    "",
]


@pytest.mark.parametrize("text", JS)
def test_a_script_is_javascript(text: str) -> None:
    assert classify(text)[0] == "js"


@pytest.mark.parametrize("text", PROSE)
def test_a_sentence_is_prose(text: str) -> None:
    assert classify(text)[0] == "prose"


@pytest.mark.parametrize(
    ("check", "expected"),
    [
        ({"js": " document.title === 'x' "}, ("js", "document.title === 'x'")),
        ({"js": "js: totals.length"}, ("js", "totals.length")),
        ({"type": "js", "code": "window.ready"}, ("js", "window.ready")),
        ("js: window.ready", ("js", "window.ready")),
        ("JS:window.ready", ("js", "window.ready")),
        ("javascript: ready", ("js", "ready")),
        ("js: `window.ready`", ("js", "window.ready")),
        ("```js\ndocument.title\n```", ("js", "document.title")),
        ({"js": "Repo has MIT license"}, ("prose", "Repo has MIT license")),
        ("js: Page shows the total", ("prose", "Page shows the total")),
        ({"check": "Page shows the total"}, ("prose", "Page shows the total")),
        ({"description": "document.title === 'x'"}, ("js", "document.title === 'x'")),
        ({"points": 3}, ("prose", '{"points": 3}')),
        ({"js": ""}, ("prose", "")),
        (None, ("prose", "")),
        (5, ("prose", "5")),
    ],
)
def test_the_form_in_which_it_was_sent_is_taken_off(check: Any, expected: tuple[str, str]) -> None:
    assert classify(check) == expected


def test_a_very_long_text_is_decided_quickly() -> None:
    assert classify("a(" * 200_000)[0] == "prose"
    assert classify("document.title === '" + "x" * 15_000)[0] == "prose"
