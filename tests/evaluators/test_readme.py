"""The README check."""

from __future__ import annotations

from tasks.evaluators.base import Finding, Subject
from tasks.evaluators.readme import Evaluator

GOOD = """# Sales summary

A page that adds up the sales column of the attached table and shows the total to everybody who opens it.

## Setup

Clone the repository and serve the folder with any web server, for example `python3 -m http.server`.

## Usage

Open the page. The total stands below the heading and is computed again on each visit.

## Code explanation

`index.html` reads `data.csv` with fetch, splits it into records and adds the last field of each.

## License

MIT, see LICENSE.
"""
SECTIONS, ENOUGH, OWN_WORDS = "README.md has all its sections", "README.md says enough", "README.md is written in its own words"


def findings(text: str | bytes | None, brief: str = "Show a total.", path: str = "README.md") -> dict[str, Finding]:
    files = {} if text is None else {path: text.encode() if isinstance(text, str) else text}
    found = list(Evaluator().evaluate(Subject(files=files, brief=brief)))
    assert not any(finding.guards for finding in found)
    return {finding.title: finding for finding in found}


def test_a_complete_readme_passes() -> None:
    assert {finding.status for finding in findings(GOOD).values()} == {"pass"}


def test_each_missing_section_is_named() -> None:
    found = findings(GOOD.replace("## Setup", "## Notes").replace("## License", "## End"))[SECTIONS]
    assert found.status == "fail"
    assert found.evidence == {"missing": ["setup", "license"]}


def test_bare_headings_say_too_little() -> None:
    assert findings("# X\n## Overview\n## Setup\n## Usage\n## Code\n## License\n")[ENOUGH].status == "fail"


def test_the_page_itself_is_no_readme() -> None:
    assert findings("<!doctype html><title>x</title><p>Hello</p>")[SECTIONS].status == "fail"


def test_none_at_all_or_a_binary_one_fails() -> None:
    assert findings(None)[SECTIONS].status == "fail"
    assert findings(b"\x00\x01\x02")[SECTIONS].status == "fail"


def test_a_copied_brief_is_noticed_across_line_breaks() -> None:
    brief = "Publish a single page that " + "adds one more thing and " * 10 + "stops."
    assert findings(GOOD + "\n\n" + brief.replace(" ", "\n"), brief)[OWN_WORDS].status == "fail"
    assert findings(GOOD, brief)[OWN_WORDS].status == "pass"


def test_the_readme_that_github_shows_is_the_one_that_counts() -> None:
    assert findings(GOOD, path=".github/README.md")[SECTIONS].status == "pass"
