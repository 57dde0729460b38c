"""What a brief says about GitHub Actions."""

from __future__ import annotations

import time

import pytest

from tasks.workflows.wishes import asks_for_workflow, asks_to_publish, published_files

LIST = """Fix make.py.
- Add a GitHub Actions push workflow at .github/workflows/ci.yml that:
  - lints the code
  - deploys sums.json via GitHub Pages
- Do not commit sums.json.
"""


@pytest.mark.parametrize(
    "brief",
    [
        LIST,
        "Put the checks in .github/workflows/check.yml.",
        "Add a GitHub Actions workflow that runs the tests.",
        "Set up a GitHub Action that lints the code.",
        "Run ruff in CI with GitHub Actions.",
        "Deploy the page using GitHub Actions.",
    ],
)
def test_a_workflow_is_asked_for(brief: str) -> None:
    assert asks_for_workflow(brief)


@pytest.mark.parametrize(
    "brief",
    [
        "Publish a page that sums data.csv.",
        "Publish the page on GitHub Pages.",
        "Do not add a GitHub Actions workflow.",
        "Deploy it without using GitHub Actions.",
        "There must be no .github/workflows/ci.yml in the repository.",
        "A GitHub Actions workflow is not needed.",
        "Show the GitHub Actions runs of a repository in a table.",
        "Draw the workflow of a hospital as an SVG.",
    ],
)
def test_no_workflow_is_asked_for(brief: str) -> None:
    assert not asks_for_workflow(brief)


def test_a_check_may_ask_for_it_too() -> None:
    assert asks_for_workflow("Sum data.csv.", [".github/workflows/ci.yml exists"])


@pytest.mark.parametrize(
    ("brief", "files"),
    [
        (LIST, ("sums.json",)),
        ("Add .github/workflows/ci.yml. It publishes out.csv by GitHub Pages.", ("out.csv",)),
        ("Add a GitHub Actions workflow that makes sums.json and deploys it to GitHub Pages.", ("sums.json",)),
        ("Add a GitHub Actions workflow that builds the site and deploys it to GitHub Pages.", ()),
        ("Publish a.json and b.csv to GitHub Pages with a GitHub Actions workflow.", ("a.json", "b.csv")),
    ],
)
def test_the_workflow_has_to_publish(brief: str, files: tuple[str, ...]) -> None:
    assert asks_to_publish(brief)
    assert published_files(brief) == files


@pytest.mark.parametrize(
    "brief",
    [
        "Publish a page on GitHub Pages. Add a GitHub Actions workflow that runs ruff.",
        "- Add a GitHub Actions workflow that:\n  - runs ruff\n- Publish index.html via GitHub Pages",
        "Add a GitHub Actions workflow that runs ruff but does not deploy to GitHub Pages.",
        "Publish data.json via GitHub Pages.",
    ],
)
def test_the_branch_is_published(brief: str) -> None:
    assert not asks_to_publish(brief)


@pytest.mark.parametrize("piece", ["ci publish ", "github actions ", "publish pages ", "workflow:\n- publish x pages\n", "no ", "a.b-"])
def test_hostile_prose_is_read_in_no_time(piece: str) -> None:
    started = time.process_time()
    asks_to_publish(piece * (60_000 // len(piece)))
    assert time.process_time() - started < 2.0
