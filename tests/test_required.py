from __future__ import annotations

import time
from typing import Any

import pytest

from tasks.required import check_texts, required_files


@pytest.mark.parametrize(
    ("brief", "names"),
    [
        ("Make a page.", ()),
        ("- story.txt: a story\n- facts.json: the facts\n- LICENSE: an MIT license file\n", ("story.txt", "facts.json", "LICENSE")),
        ("Render index.html from data.json. Also commit uid.txt as-is.", ("index.html", "data.json", "uid.txt")),
        ("Save `data.json`, then link 'about.md' and \"pelican.svg\".", ("data.json", "about.md", "pelican.svg")),
        ("Add a workflow at .github/workflows/ci.yml that runs: python run.py > out.json", (".github/workflows/ci.yml", "run.py", "out.json")),
        ("Put it in ./css/style.css and /js/app.js.", ("css/style.css", "js/app.js")),
        ("Open it as `index.html?CIK=0001018724` or index.html#top", ("index.html",)),
        ("data.csv, Data.csv and data.csv", ("data.csv",)),
        ("Files: robots.txt, Dockerfile, .gitignore, .nojekyll", ("robots.txt", "Dockerfile", ".gitignore", ".nojekyll")),
        ("It should use fetch() to load sales.csv (provided in the attachments).", ("sales.csv",)),
        # what is not to exist
        ("Run it into result.json. Do not commit result.json; it must be made in CI.", ()),
        ("Publishes result.json by Pages.\n- Don't commit result.json", ()),
        ("Never push a.json, b.json or c.json. Commit d.json", ("d.json",)),
        ("Commit a.csv but do not commit b.csv", ("a.csv",)),
        ("Do not include any separate style.css", ()),
        ("Use one inline script, no external script.js", ()),
        ("Do it without app.js, in index.html alone", ("index.html",)),
        ("result.json must be generated in CI and not committed", ()),
        ("a.json and b.json are not committed; c.json is", ("c.json",)),
        ("Delete old.html and keep new.html", ("new.html",)),
        ("notes.txt must not exist", ()),
        # what does not forbid
        ("Do not change data.csv; do not hard-code totals in index.html", ("data.csv", "index.html")),
        ("Remove the header from index.html", ("index.html",)),
        ("execute.py does not contain the typo", ("execute.py",)),
        # what is no file
        ("Load https://cdn.jsdelivr.net/npm/x/dist/x.css and //cdn.example.net/y.js", ()),
        ("Load cdn.jsdelivr.net/npm/marked/marked.min.js", ()),
        ("Handle ?url=https://.../image.png. Default to the sample.", ()),
        ("GET https://data.sec.gov/api/xbrl/CIK0000875045/dei/Shares.json (see www.sec.gov/help.html)", ()),
        ("Use highlight.js, marked, d3.js, Chart.js, three.min.js, jquery-3.7.1.min.js and Node.js", ()),
        ("Bootstrap from bootstrap.min.css or bootstrap@5.3.3.css", ()),
        ("All *.png files, {id}.csv, data-{n}.json and .csv files", ()),
        ("Call response.json() on the answer of api.github.com", ()),
        ("Python 3.11, v1.2.3, e.g. 0.04, mail a.b@example.md", ()),
        ("A file name, such as notes.txt, is shown", ()),
        ("The repo has an MIT license", ()),
        ("../secret.txt", ()),
    ],
)
def test_a_brief_names_its_files(brief: str, names: tuple[str, ...]) -> None:
    assert required_files(brief, ()) == names


@pytest.mark.parametrize(
    ("check", "names"),
    [
        ("execute.py, data.csv, and .github/workflows/ci.yml exist", ("execute.py", "data.csv", ".github/workflows/ci.yml")),
        ("result.json is NOT committed", ()),
        ("data.json exists and is valid JSON", ("data.json",)),
        ("index.html fetches data.json using fetch('https://example.org/Shares.json')", ("index.html", "data.json")),
        ("LICENSE contains the MIT License text", ("LICENSE",)),
        ("Repo has MIT license", ()),
        ("histogram.png file exist", ("histogram.png",)),
        ("!!document.querySelector(\"script[src*='highlight.js']\")", ()),
        ("!!document.querySelector('script').textContent.includes('fetch(\"rates.json\")')", ("rates.json",)),
        ("[...document.scripts].every(s => s.src.json && data.csv)", ()),
        ("document.querySelector(`a[href$='about.md']`) !== null", ("about.md",)),
        ('document.title === "Notes \\"2\\" of a.txt"', ("a.txt",)),
    ],
)
def test_a_check_names_its_files(check: str, names: tuple[str, ...]) -> None:
    assert required_files("", (check,)) == names


def test_a_name_that_is_forbidden_in_a_check_is_forbidden_in_the_brief() -> None:
    brief = "Run python execute.py > result.json and publish result.json."
    assert required_files(brief, ("result.json is NOT committed",)) == ("execute.py",)


def test_names_come_in_order_brief_first() -> None:
    assert required_files("b.txt then a.txt", ("c.txt exists", "a.txt exists")) == ("b.txt", "a.txt", "c.txt")


@pytest.mark.parametrize("piece", ["a", "a.", "a/", "a.json ", "no ", "x@", "'", "//", "do not commit a.json, ", "{{", "("])
def test_a_hostile_text_takes_no_time(piece: str) -> None:
    text = piece * (300_000 // len(piece))
    started = time.process_time()
    required_files(text, (text + "=>",))
    assert time.process_time() - started < 3


@pytest.mark.parametrize(
    ("check", "text"),
    [
        ({"js": " document.title === `x` "}, "document.title === `x`"),
        ("js: !!document.body", "!!document.body"),
        ("JS :1", "1"),
        ("!!document.body", "!!document.body"),
        ("Repo has MIT license", "Repo has MIT license"),
        ({"text": "Page is blue"}, "Page is blue"),
        ({"weight": 2, "rule": "Page is red"}, "Page is red"),
        ({"weight": 2}, '{"weight": 2}'),
        (7, "7"),
    ],
)
def test_each_wire_form_of_a_check_becomes_text(check: Any, text: str) -> None:
    assert check_texts([check]) == (text,)


def test_empty_checks_are_left_out() -> None:
    assert check_texts([None, "", "  ", {}, {"js": ""}, "js:", "kept"]) == ("kept",)


def test_no_checks_are_no_texts() -> None:
    assert check_texts([]) == ()
