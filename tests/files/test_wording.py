"""What a brief asks to be done with a file."""

from __future__ import annotations

import time

import pytest

from tasks.files.wording import asks_to_change, conversions

ANALYZE = """You are given two attachments: execute.py and data.xlsx.

- Commit execute.py after fixing the
  non-trivial error in it.
- Ensure it runs on Python 3.11+ with Pandas 2.3.
- Convert data.xlsx to data.csv and commit it.
- Do not commit result.json; it must be generated in CI.
"""


@pytest.mark.parametrize(
    ("brief", "path"),
    [
        (ANALYZE, "execute.py"),
        ("Fix execute.py", "execute.py"),
        ("Fix the bug in `execute.py` and commit it.", "execute.py"),
        ("The attached execute.py has a bug: fix it.", "execute.py"),
        ("You are given execute.py. Fix the error in it and publish.", "execute.py"),
        ("You are given execute.py and data.csv. Fix the bug in the script.", "execute.py"),
        ("execute.py must be fixed first.", "execute.py"),
        ("solver.js needs debugging before it is published.", "solver.js"),
        ("Commit the corrected execute.py.", "execute.py"),
        ("Publish a corrected version of execute.py", "execute.py"),
        ("Find the mistake in calc.py", "calc.py"),
        ("Fix the problem with execute.py", "execute.py"),
        ("Fix execute.py and solver.py.", "solver.py"),
        ("Translate notes.md to French.", "notes.md"),
        ("Complete the missing function in solver.js.", "solver.js"),
        ("Please refactor src/app.js into modules", "src/app.js"),
        ("Rewrite the text of about.md in plain words", "about.md"),
        ("Extend config.json with a key", "config.json"),
        ("Edit data.json: set total to 3", "data.json"),
        ("Add a header row to data.csv.", "data.csv"),
        ("Modify index.html so that it reads data.csv", "index.html"),
        ("Add dark mode to the attached page.", "index.html"),
        ("Update the attached page: it needs a new title.", "index.html"),
    ],
)
def test_a_brief_that_asks_for_a_change_is_understood(brief: str, path: str) -> None:
    assert asks_to_change(brief, path)


@pytest.mark.parametrize(
    ("brief", "path"),
    [
        (ANALYZE, "data.xlsx"),
        ("Modify index.html so that it reads data.csv", "data.csv"),
        ("Update the page to load data.csv", "data.csv"),
        ("Improve the dashboard using sales.csv", "sales.csv"),
        ("Fix execute.py and commit data.csv", "data.csv"),
        ("Fix my-execute.py", "execute.py"),
        ("Do not modify data.csv.", "data.csv"),
        ("Without changing data.csv, show the total", "data.csv"),
        ("Keep data.csv unchanged and fix the page", "data.csv"),
        ("- uid.txt: Upload the uid attachment as-is", "uid.txt"),
        ("Also commit the attachment uid.txt as-is.", "uid.txt"),
        ("Publish a site that loads README.md and extracts the 'Total Points' value", "README.md"),
        ("Update the default sample shown by the captcha image to the attached sample.png.", "sample.png"),
        ("Fetch data.csv, update #total-sales and show it.", "data.csv"),
        ("Use data.csv; the page must be completed by Monday.", "data.csv"),
        ("Build an editor for notes.md", "notes.md"),
        ("Show data.csv in a table with a fixed header", "data.csv"),
        ("Create a complete README.md", "README.md"),
        ("Display the change in data.csv over time", "data.csv"),
        ("Add a chart to the page from data.csv", "data.csv"),
        ("Correct answers are listed in answers.json", "answers.json"),
        ("You are given data.csv. Fix the layout of the page.", "data.csv"),
        ("Enhance the converter with tabs", "input.md"),
        ("", "data.csv"),
    ],
)
def test_a_brief_that_only_uses_a_file_leaves_it_alone(brief: str, path: str) -> None:
    assert not asks_to_change(brief, path)


@pytest.mark.parametrize(
    ("brief", "expected"),
    [
        (ANALYZE, {"data.csv": "data.xlsx"}),
        ("Convert the attached data.xlsx into a CSV file named out/data.csv.", {"out/data.csv": "data.xlsx"}),
        ("Save data.xlsx as `data.csv`", {"data.csv": "data.xlsx"}),
        ("Convert data.xlsx to data.csv keeping only the rows of 2024", {}),
        ("Convert the second sheet of data.xlsx to data.csv", {}),
        ("Load data.xlsx and data.csv", {}),
        ("Convert other.xlsx to data.csv", {}),
    ],
)
def test_a_conversion_of_a_whole_workbook_is_found(brief: str, expected: dict[str, str]) -> None:
    assert conversions(brief, ["data.xlsx", "notes.txt"]) == expected


@pytest.mark.parametrize("unit", ["fix ", "fix it ", "data.csv ", "a.a", "convert data.xlsx ", "add x to ", "- ", "a", "/.-", "fix the a ", "error "])
def test_a_brief_made_to_stall_is_read_in_time(unit: str) -> None:
    started = time.process_time()
    asks_to_change(unit * 60_000, "data.csv")
    conversions(unit * 60_000, ["data.xlsx"])
    assert time.process_time() - started < 2
