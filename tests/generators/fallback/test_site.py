from __future__ import annotations

import re
import time
from dataclasses import replace

import pytest

from tasks.generators.base import Prompt
from tasks.generators.offline import Generator
from tests.generators.sites import CHECKS, CSV, SALES, Elements, attached, build, made, page, readme, revise


def test_the_same_inputs_give_the_same_answer() -> None:
    inputs = build(SALES, CHECKS, attached("data.csv", CSV))
    assert Generator().ask(Prompt("", "", inputs), "offline", 5).text == Generator().ask(Prompt("", "", inputs), "offline", 5).text


def test_the_page_says_that_it_is_a_fallback() -> None:
    assert "Fallback page." in page(build("Make a clock."))
    assert "without a language model" in readme(build("Make a clock."))


def test_the_page_shows_the_brief() -> None:
    assert "<pre>Make a clock.</pre>" in page(build("Make a clock."))


def test_the_readme_has_every_section_and_not_the_brief() -> None:
    text = readme(build("Make a very special clock."))
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Summary", "Setup", "Usage", "Code explanation", "License"]
    assert text.startswith("# demo-1\n")
    assert "very special" not in text


def test_attachments_are_copied_linked_and_shown() -> None:
    inputs = build("Show them.", (), attached("uid.txt", b"42"), attached("a b.png", b"\x89PNG", "image/png"), attached("x.bin", b"\0"))
    parsed = made(inputs)
    assert parsed.copies == {"uid.txt": "uid.txt", "a b.png": "a b.png", "x.bin": "x.bin"}
    html = parsed.files["index.html"].decode()
    assert '<a href="uid.txt">uid.txt</a>' in html
    assert '<pre data-path="uid.txt">' in html
    assert '<img src="a%20b.png" alt="The attached image a b.png">' in html
    assert '<a href="x.bin">' in html


def test_a_hostile_brief_stays_text() -> None:
    hostile = (
        "</pre><script>alert(1)</script> </file>\n<file path=\"evil.txt\">\nx\n</file>\n{{ secret }} {% now 'Y' %} "
        '"#x\'><img src=x onerror=y>" \x00\x1b\ud800 title is "</title><b>"'
    )
    inputs = build(hostile, (f"document.title === '</title><script>' && {hostile}",), task="</h1><script>alert(2)</script>")
    parsed = made(inputs)
    assert set(parsed.files) == {"index.html", "README.md"}
    html = parsed.files["index.html"].decode()
    assert [tag for tag, _ in Elements(html).found].count("script") == 2
    assert "<img" not in html
    assert "{{ secret }}" in html
    assert "<script" not in parsed.files["README.md"].decode()
    assert "\x00" not in html


def test_a_hostile_file_name_stays_text() -> None:
    text = Generator().ask(Prompt("", "", build("Show it.", (), attached("a&b'\"<x>.txt", b"1"))), "offline", 5).text
    assert "<x>" not in text
    assert "a%26b%27%22%3Cx%3E.txt" in text


@pytest.mark.parametrize("piece", ["#a ", "`a` ", "id='", "querySelector('#a", 'title "', "#x option[value='", "IDs ", "<a id", "is to "])
def test_a_hostile_text_takes_no_time(piece: str) -> None:
    started = time.process_time()
    made(build(piece * (100_000 // len(piece)), (piece * 5_000,)))
    assert time.process_time() - started < 4


# -- required files


def test_a_workbook_is_converted_by_the_service() -> None:
    inputs = build("Convert it.", (), attached("data.xlsx", b"PK"), required=("data.csv",))
    assert made(inputs).copies == {"data.xlsx": "data.xlsx", "data.csv": "data.xlsx#csv"}


def test_a_stylesheet_that_must_exist_holds_the_style() -> None:
    files = made(build("Use css/style.css.", (), required=("css/style.css",))).files
    assert b"font:" in files["css/style.css"]
    assert b'href="css/style.css"' in files["index.html"]
    assert b"<style>" not in files["index.html"]


def test_robots_txt_has_one_right_answer() -> None:
    assert made(build("robots.txt", (), required=("robots.txt",))).files["robots.txt"] == b"User-agent: *\nAllow: /\n"


def test_what_takes_a_model_is_left_out_and_named() -> None:
    inputs = build("Write story.txt.", (), required=("story.txt", "index.html", "LICENSE"))
    parsed = made(inputs)
    assert "story.txt" not in parsed.files
    assert "need a model: story.txt." in parsed.files["index.html"].decode()
    assert "takes a model: story.txt." in parsed.files["README.md"].decode()


# -- later rounds


def test_a_page_of_ours_keeps_its_former_ids_and_title() -> None:
    html = page(revise(build(SALES, CHECKS, attached("data.csv", CSV)), "Add a table #product-sales."))
    elements = Elements(html)
    assert (elements.tag_of("total-sales"), elements.tag_of("product-sales")) == ("div", "table")
    assert "<title>Sales 7f3a2</title>" in html
    assert "<h3>Round 1</h3>" in html
    assert "<h3>Round 2</h3>" in html


def test_a_round_made_twice_stands_there_once() -> None:
    second = revise(build(SALES, CHECKS), "Add #one.")
    again = replace(second, brief="Add #two.", files=made(second).files)
    elements = Elements(page(again))
    assert elements.tag_of("two") == "div"
    with pytest.raises(AssertionError):
        elements.tag_of("one")


def test_somebody_elses_page_only_gains_a_section() -> None:
    old = b"<!DOCTYPE html>\r\n<title>Mine</title>\n<p>caf\xc3\xa9</p>\n<script>x</script></body></html>\n"
    inputs = build("Add </pre> #new.", kind="revise", round=2, files={"index.html": old, "README.md": b"# Mine\n", "app.js": b"x"})
    files = made(inputs).files
    assert set(files) == {"index.html", "README.md"}
    before, after = old.decode().split("</body>")
    html = files["index.html"].decode()
    assert html.startswith(before)
    assert html.endswith("</body>" + after)
    assert "Round 2: not done" in html
    assert "Add &lt;/pre&gt; #new." in html
    assert files["README.md"].decode().startswith("# Mine\n\n<!-- fallback for round 2")


def test_an_attachment_that_was_mended_is_not_copied_again() -> None:
    inputs = build("Go on.", (), attached("run.py", b"bad"), kind="revise", round=2, files={"run.py": b"good"})
    assert made(inputs).copies == {}


def test_the_section_is_replaced_not_repeated() -> None:
    inputs = build("Add it.", kind="revise", round=2, files={"index.html": b"<p>mine</p>"})
    first = made(inputs).files
    assert made(replace(inputs, files=first)).files == first


def test_a_repository_without_a_page_gets_one() -> None:
    assert "Fallback page." in page(build("Make it.", kind="revise", round=2, files={"notes.txt": b"x"}))


@pytest.mark.parametrize("record", ["{", '[{"round": "x"}]', "3", '[{"round": 1}]', "[null]"])
def test_a_page_with_a_broken_record_is_somebody_elses(record: str) -> None:
    html = f'<meta name="generator" content="Deployer fallback"><script type="application/json" data-record>{record}</script>'
    assert "not done" in page(build("Add it.", kind="revise", round=2, files={"index.html": html.encode()}))
