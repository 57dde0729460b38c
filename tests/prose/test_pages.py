"""HTML as it is written: what the parser makes of it, and selectors."""

from __future__ import annotations

import time

import pytest

from tasks.prose.pages import MAX_DEPTH, MAX_PAGE, parse
from tasks.prose.selectors import SelectorInvalid, compile_selector, select


def found(html: str, selector: str) -> list[str]:
    return [node.text() for node in select(parse(html), selector)]


def test_text_leaves_out_scripts_and_what_is_hidden() -> None:
    page = parse("<body>a<script>b</script><style>c</style><p hidden>d</p><p>e &amp; f</p>")
    assert page.root.text() == "a e & f"


def test_items_without_an_end_tag_are_items_of_their_own() -> None:
    assert found("<ul><li>a<li>b</ul><table><tr><td>1<td>2<tr><td>3</table>", "li, td") == ["a", "b", "1", "2", "3"]


def test_text_after_the_last_tag_is_kept() -> None:
    assert parse("<p>a</p> b &lt; c").root.text() == "a b < c"


def test_a_script_that_never_ends_hides_the_rest() -> None:
    assert parse("<p>a</p><script>let b = '<p>c</p>'").root.text() == "a"


@pytest.mark.parametrize(
    ("selector", "texts"),
    [
        ("p", ["1", "2", "3"]),
        ("#x", ["2"]),
        ("p.a.b", ["3"]),
        ("div > p", ["1"]),
        ("div p", ["1", "2"]),
        ("[data-k]", ["2", "3"]),
        ("p[data-k='v w']", ["3"]),
        ("P[data-k^=v]", ["2", "3"]),
        ("section>p#x, p.a", ["2", "3"]),
        ("* > *", ["1 2", "1", "2", "2", "3"]),
    ],
)
def test_selectors_find_what_a_browser_finds(selector: str, texts: list[str]) -> None:
    html = "<div><p>1</p><section><p id=x data-k=v>2</p></section></div><p class='a b' data-k='v w'>3</p>"
    if selector == "* > *":
        html = f"<body>{html}</body>"
    assert found(html, selector) == texts


@pytest.mark.parametrize("selector", ["", "a:hover", "a + b", "> a", "a >", "a,,b", "a[", "a b c d e f g h i", "1a", "a{}"])
def test_a_selector_that_is_not_understood_is_refused(selector: str) -> None:
    with pytest.raises(SelectorInvalid):
        compile_selector(selector)


@pytest.mark.parametrize(
    "piece",
    [
        "<div>",
        "<a ",
        "<!--",
        "<!",
        "<![",
        "<?",
        "</a ",
        "<a b='",
        "&#",
        "<script>",
        "</",
        "<p></b>",
        "<li>",
        "<svg><title>",
        "<a " + "b " * 9_000 + ">",
    ],
)
def test_hostile_markup_costs_little_time(piece: str) -> None:
    text = (piece * (MAX_PAGE // len(piece)))[:MAX_PAGE]
    started = time.process_time()
    page = parse(text)
    select(page, "div div > div a, p")
    page.root.text()
    assert time.process_time() - started < 8
    assert all(node.depth <= MAX_DEPTH + 1 for node in page.nodes)
