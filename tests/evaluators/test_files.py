"""The check that files exist, can be read and find one another."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tasks.evaluators.base import Finding, Subject
from tasks.evaluators.files import Evaluator, about_a_page

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><rect/></svg>'
LINKS = "Local links lead to files of the repository"


def findings(files: dict[str, bytes], brief: str = "Publish a page.", **given: Any) -> dict[str, Finding]:
    found = list(Evaluator().evaluate(Subject(files={"index.html": b"<p>x", **files}, brief=brief, **given)))
    assert not any(finding.guards for finding in found)
    return {finding.title: finding for finding in found}


def test_every_file_that_is_named_has_to_exist() -> None:
    found = findings({"pelican.svg": SVG}, "- pelican.svg: draw it\n- dilemma.json: fill it in\n", checks=("about.md has three words",))
    assert found["pelican.svg exists"].status == "pass"
    assert found["dilemma.json exists"].status == "fail"
    assert found["about.md exists"].status == "fail"
    assert "dilemma.json" in found["dilemma.json exists"].reason


@pytest.mark.parametrize(("path", "says"), [("Data.json", "called Data.json"), ("files/data.json", "at files/data.json")])
def test_a_file_under_nearly_its_name_is_pointed_out(path: str, says: str) -> None:
    assert says in findings({path: b"{}"}, "Save data.json and show it on a page.")["data.json exists"].reason


def test_an_empty_file_does_not_count() -> None:
    assert findings({"data.json": b""}, "Save data.json.")["data.json exists"].status == "fail"


@pytest.mark.parametrize(
    ("brief", "expected"),
    [
        ("Translate text to morse code and play audio beeps.", True),
        ("Publish a page with a chart.", True),
        ("- Add a GitHub Actions workflow that publishes result.json via GitHub Pages", False),
        ("- Add .github/workflows/ci.yml that builds the site", True),
    ],
)
def test_a_task_is_about_a_page_unless_it_is_all_workflow(brief: str, expected: bool) -> None:
    assert about_a_page(brief, ()) is expected


def test_a_missing_page_is_reported() -> None:
    (finding,) = Evaluator().evaluate(Subject(files={"style.css": b"p{}"}, brief="Create a calculator."))
    assert (finding.title, finding.status) == ("index.html exists", "fail")


@pytest.mark.parametrize(
    ("path", "content", "title"),
    [
        ("data.json", b'{"a": 1,}', "JSON files can be read"),
        ("data.json", b'{\\n  "a": 1\\n}', "JSON files can be read"),
        ("data.json", b'{"a": NaN}', "JSON files can be read"),
        ("data.json", b"[" * 100_000, "JSON files can be read"),
        ("data.json", b"\x00\x01", "JSON files can be read"),
        ("data.json", b" \n", "JSON files can be read"),
        ("a.svg", b"<svg><rect></svg>", "SVG files can be read"),
        ("a.svg", b"<svg viewBox='0 0 1 1'/>", "SVG files can be read"),
        ("a.svg", b"<html xmlns='http://www.w3.org/2000/svg'/>", "SVG files can be read"),
        ("a.xml", b"<a>&x;</a>", "XML files can be read"),
        ("a.csv", b"a,b\n1,2\n3\n", "CSV files can be read"),
        ("a.csv", b'a,b\n"1,2\n', "CSV files can be read"),
        (".github/workflows/ci.yml", b"on: push\n jobs:\n  - x", "YAML files can be read"),
        ("a.yaml", b"# nothing\n", "YAML files can be read"),
    ],
)
def test_a_file_that_is_not_what_it_says_fails_by_name(path: str, content: bytes, title: str) -> None:
    found = findings({path: content})[title]
    assert found.status == "fail"
    assert found.reason.startswith(f"{path}: ")
    json.dumps(found.evidence)


@pytest.mark.parametrize(
    ("path", "content", "title"),
    [
        ("data.json", b"\xef\xbb\xbf[1]", "JSON files can be read"),
        ("a.svg", b"<?xml version='1.0' encoding='UTF-16'?>" + SVG, "SVG files can be read"),
        ("a.csv", b"a;b\r\n1;2\r\n", "CSV files can be read"),
        ("ci.yml", b"on:\n  push:\njobs: {}\n---\nb: 1\n", "YAML files can be read"),
    ],
)
def test_sound_files_pass(path: str, content: bytes, title: str) -> None:
    assert findings({path: content})[title].status == "pass"


def test_an_attachment_is_not_judged_unless_it_was_revised() -> None:
    broken = {"sales.csv": b"a,b\n1\n"}
    assert "CSV files can be read" not in findings(broken, attachments=broken)
    assert findings(broken, attachments=broken, revised=frozenset({"sales.csv"}))["CSV files can be read"].status == "fail"


def test_entities_that_multiply_are_refused_at_once() -> None:
    entities = "".join(f'<!ENTITY l{level} "{f"&l{level - 1};" * 10}">' for level in range(1, 12))
    bomb = f'<!DOCTYPE svg [<!ENTITY l0 "lol">{entities}]><svg>&l11;</svg>'.encode()
    started = time.process_time()
    assert findings({"a.svg": bomb})["SVG files can be read"].status == "fail"
    assert (
        findings({"a.yml": b"a: &a [x,x]\n" + b"".join(b"b%d: &b%d [*a,*a]\n" % (n, n) for n in range(9))})["YAML files can be read"].status == "pass"
    )
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    ("page", "says"),
    [
        (b'<script src="script.js"></script>', "no script.js"),
        (b'<link rel=stylesheet href="css/style.css?v=2#x">', "no css/style.css; the file is at style.css"),
        (b'<img srcset="a.png 1x, b.png 2x">', "no a.png"),
        (b"<script>fetch('attachments/data.csv').then(show)</script>", "no attachments/data.csv; the file is at data.csv"),
        (b'<script>d3.json(  "rates.json")</script>', "no rates.json"),
        (b"<style>body{background:url(bg.png)}</style>", "no bg.png"),
        (b'<a href="/about.html">x</a>', "begins with /"),
        (b'<a href="docs/">x</a>', "no docs/index.html"),
        (b'<a href="../outside.html">x</a>', "no ../outside.html"),
    ],
)
def test_a_link_to_nothing_is_found(page: bytes, says: str) -> None:
    found = findings({"index.html": page, "data.csv": b"a\n1\n", "style.css": b"p{}"})[LINKS]
    assert found.status == "fail"
    assert says in found.reason
    assert "index.html" in found.reason


@pytest.mark.parametrize(
    "page",
    [
        b'<a href="data.csv">x</a><a href="./docs/">y</a><a href="docs">z</a><a href="index.html?CIK=1#top">w</a>',
        b'<a href="#top">x</a><a href="https://example.org/x.js">x</a><a href="//cdn.test/x.js">x</a><a href="mailto:a@b.c">x</a>',
        b'<img src="data:image/png;base64,AAAA"><a href="javascript:void 0">x</a><script>fetch(`https://api.test/${name}`)</script>',
        b"<script>fetch(`${base}/x.json`); fetch(url); fetch('data.csv')</script><a href=''>x</a><a href='a%20b.txt'>x</a>",
        b'<base href="docs/"><a href="index.html">x</a>',
        b'<a href="/my-repo/data.csv">x</a><a href="http://[bad">x</a>',
    ],
)
def test_links_that_lead_somewhere_pass(page: bytes) -> None:
    files = {"index.html": page, "data.csv": b"a\n1\n", "docs/index.html": b"<a href='../data.csv'>x</a>", "a b.txt": b"x"}
    found = findings(files, repo="my-repo")
    assert found[LINKS].status == "pass" if LINKS in found else True


def test_a_script_fetches_beside_the_page_and_imports_beside_itself() -> None:
    files = {"js/app.js": b"import { a } from './lib.js'; fetch('data.csv')", "js/lib.js": b"", "data.csv": b"a\n1\n"}
    assert findings(files)[LINKS].status == "pass"
    del files["js/lib.js"]
    assert "js/lib.js" in findings(files)[LINKS].reason


def test_a_file_that_a_workflow_makes_may_be_linked() -> None:
    brief = "CI runs execute.py > result.json with GitHub Actions. Do not commit result.json. Show it on a page."
    files = {"index.html": b"<script>fetch('result.json')</script>", ".github/workflows/ci.yml": b"on: push\n"}
    assert findings(files, brief)[LINKS].status == "pass"


@pytest.mark.timeout(60)
@pytest.mark.parametrize(("path", "text"), [("deep.yml", "{" * 50_000), ("open.html", "<a " * 200_000), ("comment.html", "<!--" * 200_000)])
def test_markup_made_to_be_slow_is_not_slow(path: str, text: str) -> None:
    subject = Subject(files={path: text.encode(), "index.html": b"<!doctype html><title>x</title>"}, brief="A page.")
    assert list(Evaluator().evaluate(subject))
