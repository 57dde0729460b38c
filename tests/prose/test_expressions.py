"""What is asked of the browser is JavaScript that tells right from wrong on a real page."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.browser import find_chromium, judge
from tasks.browser.chromium import CURE
from tasks.prose.language import Verdict
from tasks.prose.predicates import decide, expressions
from tests.prose.subjects import bakery

PREDICATES: list[dict[str, Any]] = [
    {"op": "element", "id": "late", "tag": "b"},
    {"op": "element", "selector": "ul > li", "min": 2},
    {"op": "element_text", "id": "late", "test": "equals", "text": 'Rye "best" </script>'},
    {"op": "element_text", "id": "price", "test": "equals", "json": "menu.json", "at": "best.price"},
    {"op": "element_text", "id": "price", "test": "contains", "json": "menu.json", "at": "best.price"},
    {"op": "title", "test": "equals", "text": "Late title"},
    {"op": "title", "test": "contains", "text": "Late"},
    {"op": "shows", "text": "Sour Dough"},
    {"op": "shows", "text": "Open", "id": "late-id"},
    {"op": "shows", "number": 1240.5},
    {"op": "shows", "number": 300},
    {"op": "links_to", "targets": ["menu.json", "poem.txt"]},
]
HEAD = "<!doctype html><html lang=en><title>Early</title><style>em{text-transform:uppercase}</style><main></main>"
RIGHT = """<script>
document.title = "Late title"
document.querySelector("main").innerHTML = `<b id=late>Rye "best" &lt;/script&gt;</b> <i id=price> 3 </i> <em>Sour Dough</em>
  <p id=late-id>Open daily</p> 1,240.50 and 300.0 <ul><li><a href="menu.json">a</a></li><li><a href="poem.txt?x#y">b</a></li></ul>`
</script>"""
WRONG = """<script>
document.title = "Title, lately"
document.querySelector("main").innerHTML = `<i id=late>Rye best</i> <i id=price>€7</i> Sour <br> dough <p id=late-id>Closed</p> 11,240.50 and 3000
  <ul><li><a href="menu.jsonl">a</a></li></ul>`
</script>"""


@pytest.mark.browser
@pytest.mark.skipif(find_chromium() is None, reason=CURE)
@pytest.mark.parametrize(("script", "expected"), [(RIGHT, "pass"), (WRONG, "fail")])
def test_the_browser_tells_a_right_page_from_a_wrong_one(script: str, expected: str) -> None:
    subject = bakery({"index.html": HEAD + script})
    asked = tuple(dict.fromkeys(one for predicate in PREDICATES for one in expressions(predicate, subject)))
    assert len(asked) == len(PREDICATES)
    report = judge(files=subject.files, repo="bakery", checks=asked, seconds=60)
    seen = {outcome.expression: Verdict(outcome.status, outcome.reason) for outcome in report.checks}
    assert {str(predicate): decide(predicate, subject, seen.get).status for predicate in PREDICATES} == {str(one): expected for one in PREDICATES}
