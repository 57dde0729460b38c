"""What the evaluators say of a round's version, how it is kept, and how English checks are compiled once."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import transaction

from tasks import evaluation
from tasks.browser import find_chromium
from tasks.models import CheckResult, CompiledCheck, Screenshot
from tests.emulators.gemini import GeminiEmulator
from tests.factories import make_round, make_task, make_version

pytestmark = pytest.mark.django_db

PAGE = b"<!doctype html><html lang=en><head><title>Shop</title></head><body><h1 id=total>7</h1></body></html>"
FILES = {"index.html": PAGE, "LICENSE": b"x", "README.md": b"# Shop\n"}


def by_title(results: list[CheckResult]) -> dict[str, CheckResult]:
    return {result.title: result for result in results}


def evaluated(round_: Any, version: Any) -> list[CheckResult]:
    return evaluation.record(evaluation.evaluate(round_, version), round_, version, None, transaction.atomic())


def test_a_second_evaluation_takes_the_place_of_the_first(settings: LazySettings) -> None:
    settings.CHROMIUM_PATH = "no-browser-here"
    round_ = make_round()
    version = make_version(round_, FILES)
    first = len(evaluated(round_, version))
    assert len(evaluated(round_, version)) == first == CheckResult.objects.count()


def test_the_score_is_the_share_of_decided_checks_that_pass() -> None:
    results = [
        CheckResult(status=status, score=1.0 if status == "pass" else 0.0) for status in ("pass", "fail", "pass", "pass", "skipped", "undecided")
    ]
    assert evaluation.score_of(results) == 0.75
    assert evaluation.score_of([]) == 1.0


def test_without_a_browser_javascript_checks_are_skipped_with_the_reason(settings: LazySettings) -> None:
    settings.CHROMIUM_PATH = "no-browser-here"
    round_ = make_round(checks=[{"js": "document.title === 'Shop'"}])
    results = by_title(evaluated(round_, make_version(round_, FILES)))
    assert results["document.title === 'Shop'"].status == "skipped"
    assert "CHROMIUM_PATH" in results["document.title === 'Shop'"].reason


def test_with_evaluation_off_only_the_guards_run(settings: LazySettings) -> None:
    settings.EVALUATE = False
    round_ = make_round()
    kinds = {result.kind for result in evaluated(round_, make_version(round_, FILES))}
    assert {"leaks", "license"} <= kinds <= set(evaluation.GUARDS)


def test_checks_of_an_earlier_round_are_run_too_and_kept_apart(settings: LazySettings) -> None:
    settings.CHROMIUM_PATH = "no-browser-here"
    task = make_task()
    make_round(task, number=1, checks=["about.md exists", "index.html exists"])
    second = make_round(task, number=2, checks=["index.html exists", "notes.txt exists"])
    results = by_title([result for result in evaluated(second, make_version(second, FILES)) if result.kind == "prose"])
    assert {title: result.source for title, result in results.items()} == {
        "about.md exists": "regression",
        "index.html exists": "task",
        "notes.txt exists": "task",
    }
    assert (results["index.html exists"].status, results["about.md exists"].status) == ("pass", "fail")


def test_an_english_check_that_no_rule_knows_is_compiled_once_and_used_from_then_on(settings: LazySettings) -> None:
    settings.CHROMIUM_PATH = "no-browser-here"
    sentence = "The shop's front page speaks of the number seven somewhere in its source"
    predicate = {"op": "contains", "path": "index.html", "text": "7"}
    with GeminiEmulator(reply=lambda request: json.dumps(predicate)) as model:
        settings.GENERATOR, settings.GEMINI_API_KEY, settings.GEMINI_API_ENDPOINT = "gemini", model.key, model.url
        round_ = make_round(checks=[sentence])
        version = make_version(round_, FILES)
        assert by_title(evaluated(round_, version))[sentence].status == "undecided"
        assert evaluation.compile_checks(round_, version, 20.0) == 1
        assert evaluation.compile_checks(round_, version, 20.0) == 0
        assert len(model.requests) == 1
    assert CompiledCheck.objects.get().predicate == predicate
    assert by_title(evaluated(round_, version))[sentence].status == "pass"


def test_the_offline_generator_compiles_nothing() -> None:
    round_ = make_round(checks=["The prose is charming"])
    assert evaluation.compile_checks(round_, make_version(round_, FILES), 20.0) == 0


@pytest.mark.browser
def test_the_browser_leaves_verdicts_screenshots_and_answers_for_english_checks() -> None:
    if find_chromium() is None:
        pytest.skip("no Chromium")
    round_ = make_round(checks=[{"js": "document.title === 'Shop'"}, "js: document.querySelector('#nothing') !== null"])
    version = make_version(round_, FILES)
    results = by_title(evaluated(round_, version))
    assert results["document.title === 'Shop'"].status == "pass"
    assert results["document.querySelector('#nothing') !== null"].status == "fail"
    shots = {shot.name: shot for shot in Screenshot.objects.filter(version=version)}
    assert set(shots) == {"desktop", "phone"}
    assert len(shots["desktop"].content) > 500
    assert all("shots" not in result.evidence for result in results.values())


def test_a_workflow_that_a_repair_took_over_is_judged_and_one_from_the_repository_is_not() -> None:
    workflow = {".github/workflows/ci.yml": b"on: push\njobs: {}\n"}
    task = make_task()
    first = make_round(task)
    flawed = make_version(first, workflow)
    repair = make_version(first, workflow, kind="repair", based_on=flawed)
    repair.files.update(origin="base")
    assert evaluation.kept(repair) == frozenset()
    revision = make_version(make_round(task, number=2), workflow, kind="revise", based_on=repair)
    revision.files.update(origin="base")
    assert evaluation.kept(revision) == frozenset(workflow)
