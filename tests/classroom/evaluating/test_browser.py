"""The whole of it with a real browser: a right page passes every check, an empty one fails them, and what a page may reach."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any

import pytest
from django.conf import LazySettings

from tasks.browser import find_chromium
from tasks.browser.chromium import CURE
from tasks.classroom import briefs
from tasks.evaluators import page
from tasks.models import Screenshot
from tests.classroom import right
from tests.classroom.evaluating.work import evaluated, issue, make_repo, make_report
from tests.emulators.github import GitHubEmulator
from tests.peers import Peer

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db,
    pytest.mark.skipif(find_chromium() is None and os.environ.get("REQUIRE_SERVICES") != "1", reason=CURE),
]
BRIEF, EMAIL, SEED = "bar-chart", "ada@example.org", "2026-02-03-04"
LIBRARIES = {"https://cdn.jsdelivr.net/npm/bootstrap@5.3.3/dist/css/bootstrap.min.css": b""}


@pytest.fixture(autouse=True)
def _libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page.Evaluator, "cdn", LIBRARIES)
    monkeypatch.setattr("tasks.browser.PATIENCE", 1.0)


def issued() -> Any:
    made = briefs.make(BRIEF, EMAIL, SEED, 1)
    return issue(brief_id=BRIEF, brief=made.brief, checks=made.checks, attachments=made.attachments, variant=made.variant), right.attached(made)


def test_a_right_page_passes_every_check_and_leaves_pictures(github: GitHubEmulator) -> None:
    task, given = issued()
    report = make_report(github, make_repo(github, right.files(BRIEF, briefs.values(BRIEF, EMAIL, SEED), given)), task)
    results = evaluated(report)
    assert report.state == "done", report.error
    open_ = {key: (result.status, result.reason) for key, result in results.items() if result.status != "pass" and not key.startswith("judge")}
    assert {key: found for key, found in open_.items() if found[0] != "undecided"} == {}
    own = [key for key, result in results.items() if result.source == "task"]
    assert own == [f"v{task.variant}-check-{number}" for number in range(1, len(task.checks) + 1)]
    assert {results[key].score for key in own} == {1.0}
    assert {shot.name for shot in Screenshot.objects.filter(report=report)} == {"desktop", "phone"}
    assert report.seconds


def test_an_empty_page_fails_the_checks_that_need_it_and_reaches_nobody_it_should_not(github: GitHubEmulator, settings: LazySettings) -> None:
    """Its address is not the operator's own: the guard lets its host through, but not what the page asks for there beside it."""
    task, _ = issued()
    canary, site = Peer(), Peer()
    html = f"<!doctype html><title></title><img src='{canary.url()}x.png'>".encode()
    site.script = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(html) + html
    report = make_report(github, make_repo(github, {"index.html": html}), task, pages_url=site.url())
    try:
        results = evaluated(report)
    finally:
        canary.close()
        site.close()
    assert results["page:the-page-loads"].status == "pass"
    assert {result.status for result in results.values() if result.source == "task"} == {"fail"}
    assert {result.score for result in results.values() if result.source == "task"} == {0.0}
    assert results["page:the-page-finds-all-of-its-own-files"].status == "fail"
    assert canary.connections == 0
    assert datetime.now(UTC) >= report.evaluated_at
