"""READMEs: the sections they have, and the ones written for them."""

from __future__ import annotations

import pytest

from tasks.files import readme
from tasks.files.readme import About, summary, title


def test_headings_inside_code_are_no_sections() -> None:
    assert readme.missing("# X\n\n```md\n## Setup\n## Usage\n## Code\n## License\n```\n") == readme.SECTIONS


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("", readme.SECTIONS),
        ("# X\n\nAn overview of what this small page does for its readers.\n", ("setup", "usage", "code", "license")),
        ("Overview\n========\n\nInstallation\n------------\n\n**Usage**\n\n### How it works\n\n## Licence\n", ()),
        ("# X\r\n## About\r\n## Getting Started\r\n## Examples\r\n## Project Structure\r\n## 📄 License\r\n", ()),
    ],
)
def test_sections_are_found_under_their_usual_names(text: str, missing: tuple[str, ...]) -> None:
    assert readme.missing(text) == missing


@pytest.mark.parametrize(
    ("brief", "sentence"),
    [
        ("Publish a page that shows a total. Use blue.", "A page that shows a total."),
        ("Create and publish these files as a site:\n- a.txt: one", "What was made for the task “Sum of sales”."),
        ("Translate text to morse code and play it.", "A small static site whose purpose is to translate text to morse code and play it."),
        ("Your assigned company: Biogen (BIIB), CIK 0000875045.", "What was made for the task “Sum of sales”."),
        ("sum-of-sales", "What was made for the task “Sum of sales”."),
        ("", "What was made for the task “Sum of sales”."),
        ("Build a page with <script>alert(1)</script> and `code` in it.", "A page with scriptalert(1)/script and code in it."),
    ],
)
def test_the_summary_is_one_sentence_made_of_the_brief(brief: str, sentence: str) -> None:
    assert summary("sum-of-sales-4e4b1", brief) == sentence


def test_a_long_first_sentence_is_cut_at_a_word() -> None:
    sentence = summary("x", "Publish a page " + "that goes on " * 100)
    assert len(sentence) < 300
    assert sentence.endswith("….")


@pytest.mark.parametrize(
    ("page", "expected"), [("<title>Tom &amp; Jerry\n 1</title>", "Tom & Jerry 1"), ("<title> </title>", "Sum of sales"), ("", "Sum of sales")]
)
def test_the_title_is_the_pages_own(page: str, expected: str) -> None:
    assert title(About("sum-of-sales-4e4b1", "", {}, page)) == expected


def test_a_whole_readme_has_every_section_and_every_file() -> None:
    files = {"index.html": "model", "data.csv": "attachment", ".github/workflows/ci.yml": "model", "execute.py": "model"}
    about = About("x", "Publish a page that shows it.", files, checks=("document.title === `A`", "It is blue"), repo_url="https://github.com/me/x")
    text = readme.write(about)
    assert readme.missing(text) == ()
    assert all(f"`{path}`" in text for path in files)
    assert "git clone https://github.com/me/x\ncd x\n" in text
    assert "- `` document.title === `A` ``\n- It is blue\n" in text
    assert "as it was attached" in text
    assert "&" not in text
