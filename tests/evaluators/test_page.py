"""The page evaluator: from a report to findings that a person or a model can act on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tasks import browser
from tasks.browser import CheckOutcome, Failure, Report, Shot, Violation, find_chromium
from tasks.browser.chromium import CURE
from tasks.evaluators import Finding, Subject, page

GOOD = Report(available=True, loaded=True, status=200, title="Sales", axe=(), overflow={360: False})
HTML = b"<!doctype html><html lang=en><title>Sales</title><main><h1>Sales</h1><p id=total>5.5</p></main>"


def found(report: Report, title: str) -> Finding:
    return next(finding for finding in page.about(report) if finding.title == title)


@pytest.mark.browser
@pytest.mark.skipif(find_chromium() is None, reason=CURE)
def test_a_page_is_opened_and_its_checks_of_every_form_are_tried() -> None:
    checks = ({"js": "document.title === 'Sales'"}, "js: !!document.querySelector('#total')", "document.querySelector('h1') === null", "Has a README")
    subject = Subject(files={"index.html": HTML}, brief="", checks=checks, repo="demo", seconds=60)
    findings = list(page.Evaluator().evaluate(subject))
    assert [(finding.status, finding.title) for finding in findings] == [
        ("pass", "The page loads"),
        ("pass", "The page throws no errors"),
        ("pass", "The page finds all of its own files"),
        ("pass", "document.title === 'Sales'"),
        ("pass", "!!document.querySelector('#total')"),
        ("fail", "document.querySelector('h1') === null"),
        ("pass", "The page fits its window"),
        ("pass", "The page is accessible"),
    ]
    assert {finding.source for finding in findings[3:6]} == {"task"}
    assert findings[5].expression == "document.querySelector('h1') === null"
    assert "h1 is there: <h1>Sales</h1>" in findings[5].reason
    assert [(shot["name"], shot["content"][8:12]) for shot in findings[0].evidence["shots"]] == [("desktop", b"WEBP"), ("phone", b"WEBP")]


def test_without_a_page_and_without_checks_there_is_nothing_to_open(monkeypatch: pytest.MonkeyPatch) -> None:
    (finding,) = page.Evaluator().evaluate(Subject(files={"uid.txt": b"x"}, brief="", checks=("Repo has MIT license",)))
    assert finding.status == "skipped"


def test_without_chromium_the_checks_are_skipped_with_the_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser, "find_chromium", lambda: None)
    findings = list(page.Evaluator().evaluate(Subject(files={"index.html": HTML}, brief="", checks=({"js": "true"},))))
    assert [(finding.status, finding.reason, finding.source) for finding in findings] == [("skipped", CURE, "common"), ("skipped", CURE, "task")]


def test_a_page_that_does_not_load_fails_with_the_reason() -> None:
    findings = list(page.about(Report(available=True, status=404, reason="The page answered 404.")))
    assert [(finding.title, finding.status, finding.reason) for finding in findings] == [("The page loads", "fail", "The page answered 404.")]


def test_uncaught_errors_fail() -> None:
    finding = found(replace(GOOD, errors=("TypeError: x (app.js:3)",)), "The page throws no errors")
    assert (finding.status, finding.reason) == ("fail", "TypeError: x (app.js:3)")


def test_uncaught_errors_are_undecided_where_a_library_cannot_be_had() -> None:
    missing = Failure("https://cdn.example.org/marked.js", "the name cdn.example.org could not be resolved", "remote", "Script")
    report = replace(GOOD, errors=("ReferenceError: marked is not defined (index.html:1)",), failed=(missing,))
    finding = found(report, "The page throws no errors")
    assert finding.status == "undecided"
    assert "https://cdn.example.org/marked.js" in finding.reason
    assert found(report, "The page's files on other servers exist").status == "undecided"


def test_a_library_at_a_wrong_address_fails() -> None:
    wrong = Failure("https://cdn.example.org/no.js", "answered 404", "remote", "Script")
    finding = found(replace(GOOD, failed=(wrong,)), "The page's files on other servers exist")
    assert (finding.status, finding.reason) == ("fail", "https://cdn.example.org/no.js: answered 404")


def test_an_api_that_refuses_is_no_fault_of_the_page() -> None:
    refused = Failure("https://api.github.com/users/x", "answered 403", "remote", "Fetch")
    assert {finding.status for finding in page.about(replace(GOOD, failed=(refused,)))} == {"pass"}


@pytest.mark.parametrize("place", ["site", "private"])
def test_files_that_no_visitor_can_get_fail(place: str) -> None:
    failure = Failure("http://127.0.0.1:4000/demo/app.js", "answered 404", place, "Script")  # type: ignore[arg-type]
    finding = found(replace(GOOD, failed=(failure,)), "The page finds all of its own files")
    assert finding.status == "fail"
    assert "app.js: answered 404" in finding.reason


def test_a_failed_check_names_what_the_page_threw() -> None:
    check = CheckOutcome("f()", "fail", "It still threw ReferenceError: f is not defined.", seen={"title": "Sales"})
    finding = found(replace(GOOD, checks=(check,), errors=("SyntaxError: x (app.js:1)",), console=("error: y",)), "f()")
    assert finding.reason.endswith("The page threw: SyntaxError: x (app.js:1)")
    assert finding.evidence["console"] == ["error: y"]
    assert finding.evidence["title"] == "Sales"


def test_a_check_that_is_no_javascript_is_undecided_and_one_that_we_lost_is_our_fault() -> None:
    report = replace(GOOD, checks=(CheckOutcome("a b", "error", "The check is not valid JavaScript"),))
    assert found(report, "a b").status == "undecided"
    assert found(replace(report, stopped="The browser's process ended by itself."), "a b").status == "error"


def test_width_and_accessibility_only_advise() -> None:
    report = replace(GOOD, overflow={360: True}, widest={360: "table#t"}, axe=(Violation("image-alt", "critical", "Images need text", 2, "img"),))
    fits, reads = found(report, "The page fits its window"), found(report, "The page is accessible")
    assert (fits.status, reads.status) == ("undecided", "undecided")
    assert "360 px (table#t)" in fits.reason
    assert reads.reason == "Images need text (critical, 2×, img)"


def test_screenshots_travel_in_the_evidence() -> None:
    shot = Shot("desktop", 1280, 800, "image/webp", b"RIFF")
    assert found(replace(GOOD, shots=(shot,)), "The page loads").evidence["shots"] == [
        {"name": "desktop", "width": 1280, "height": 800, "media_type": "image/webp", "content": b"RIFF"}
    ]


def test_no_check_comes_true_on_what_a_server_shows_in_place_of_the_page() -> None:
    report = Report(available=True, status=404, reason="The page answered 404.", checks=(CheckOutcome("!document.querySelector('b')", "pass"),))
    loads, check = list(page.about(report))[:2]
    assert (loads.status, check.status) == ("fail", "fail")
    assert check.reason == "The page does not load. The page answered 404."


def test_a_browser_that_ended_by_itself_is_our_fault_and_fails_nobody() -> None:
    outcome = CheckOutcome("1 === 1", "error", "No outcome: it ended.")
    found = list(page.about(Report(available=True, stopped="It ended.", ours=True, checks=(outcome,))))
    assert {finding.status for finding in found} == {"error"}


def test_a_page_that_is_not_to_be_opened_fails_with_its_checks_and_no_browser_is_started(monkeypatch) -> None:
    monkeypatch.setattr(page, "judge", lambda **_: 1 / 0)
    subject = Subject(files={}, brief="", checks=({"js": "1 === 1"},), url="http://10.0.0.1/", refused="It is private.")
    found = list(page.Evaluator().evaluate(subject))
    assert {finding.status for finding in found} == {"fail"}
    assert all("It is private." in finding.reason for finding in found)
