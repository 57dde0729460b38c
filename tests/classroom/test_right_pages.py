"""Every brief can be answered: a right page passes all of its checks in a real browser, an empty one none.

An ordinary run takes one variant of the last round of each brief; `BRIEFS=all` takes every round and variant, for two students.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from tasks import evaluation
from tasks.browser import find_chromium, judge
from tasks.browser.chromium import CURE
from tasks.classroom import briefs
from tasks.evaluators import Subject, page
from tests.classroom import right

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db,  # English checks that a model compiled would be looked up
    pytest.mark.skipif(find_chromium() is None and os.environ.get("REQUIRE_SERVICES") != "1", reason=CURE),
]

SEED = "2026-02-03-04"
ALL = os.environ.get("BRIEFS") == "all"
PEOPLE = ["ada@example.org", "bo@example.org"] if ALL else ["ada@example.org"]
LIBRARIES = {"https://cdn.jsdelivr.net/npm/bootstrap@5.3.3/dist/css/bootstrap.min.css": b""}
UNREAD = {"README.md is professional"}  # a person or a model has to say


def asked() -> Iterator[tuple[str, str, int, int | None]]:
    for name in briefs.names():
        for number, titles in list(enumerate(briefs.variants(name), 1))[0 if ALL else -1 :]:
            for email in PEOPLE:
                yield from ((name, email, number, variant) for variant in (range(len(titles)) if ALL else [None]))


def verdicts(files: dict[str, bytes], made: briefs.Made, given: dict[str, bytes]) -> dict[str, Any]:
    """What is said of each check."""
    subject = Subject(
        files=files, brief=made.brief, checks=tuple(made.checks), attachments=given, revised=frozenset({"execute.py"}), task="t", repo="t", seconds=40
    )
    return {item.finding.expression or item.finding.title: item.finding for item in evaluation.look(subject, ("page", "prose"), checks_only=True)}


@pytest.fixture(autouse=True)
def only_the_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pictures and no accessibility: what is tried here are the checks."""
    monkeypatch.setattr(page, "judge", lambda **options: judge(**(options | {"screenshots": False, "axe": False})))
    monkeypatch.setattr(page.Evaluator, "cdn", LIBRARIES)


@pytest.mark.parametrize(("name", "email", "number", "variant"), list(asked()))
def test_a_right_page_passes_every_check(name: str, email: str, number: int, variant: int | None) -> None:
    made = [briefs.make(name, email, SEED, earlier) for earlier in range(1, number)] + [briefs.make(name, email, SEED, number, variant)]
    given = right.attached(*made)
    said = verdicts(right.files(name, briefs.values(name, email, SEED), given), made[-1], given)

    assert len(said) == len(made[-1].checks)
    assert {text: (found.status, found.reason) for text, found in said.items() if found.status != "pass" and text not in UNREAD} == {}


def test_an_empty_page_passes_no_check(monkeypatch: pytest.MonkeyPatch) -> None:
    """One visit for the JavaScript of all briefs. English checks may hold for nothing at all ("is not committed"), but never a round's all."""
    monkeypatch.setattr("tasks.browser.PATIENCE", 0.05)
    empty, scripts = {"index.html": b"<!doctype html><title></title>"}, []
    for name in briefs.names():
        for number, titles in enumerate(briefs.variants(name), 1):
            for variant in range(len(titles)):
                made = briefs.make(name, PEOPLE[0], SEED, number, variant)
                own = [check["js"] for check in made.checks if isinstance(check, dict)]
                scripts += own
                english = briefs.Made(**{**vars(made), "checks": [check for check in made.checks if not isinstance(check, dict)]})
                said = verdicts(empty, english, right.attached(made)) if not own else {}
                assert own or any(found.status == "fail" for found in said.values()), f"{name}, round {number}"
    report = judge(files=empty, repo="t", checks=scripts, seconds=90, screenshots=False, axe=False)

    assert len(report.checks) == len(scripts) > 80
    assert [(check.expression, check.status) for check in report.checks if check.status != "fail"] == []
