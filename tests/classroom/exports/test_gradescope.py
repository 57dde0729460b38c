"""results.json by the rules of https://gradescope-autograders.readthedocs.io/en/latest/specs/."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import pytest

from tasks.classroom.exports import gradescope
from tests.classroom.exports.conftest import Course

VISIBILITIES = {"hidden", "after_due_date", "after_published", "visible"}
FORMATS = {"text", "html", "simple_format", "md", "ansi"}
TOP: dict[str, Any] = {
    "score": (int, float),
    "execution_time": int,
    "output": str,
    "output_format": str,
    "visibility": str,
    "stdout_visibility": str,
    "extra_data": dict,
    "tests": list,
}
TEST: dict[str, Any] = {
    "score": (int, float),
    "max_score": (int, float),
    "status": str,
    "name": str,
    "number": str,
    "output": str,
    "visibility": str,
    "extra_data": dict,
}


def documents(course: Course) -> dict[str, dict[str, Any]]:
    out = BytesIO()
    gradescope.write(course.book, out)
    with ZipFile(out) as zipped:
        return {name.partition("/")[0]: json.loads(zipped.read(name)) for name in zipped.namelist() if name.endswith("/results.json")}


def broken_rules(found: dict[str, Any]) -> list[str]:
    """What of the specification does not hold."""
    wrong = [f"{name} is no key of it" for name in found if name not in TOP]
    wrong += [
        f"{name} is of another type" for name, value in found.items() if name in TOP and (not isinstance(value, TOP[name]) or isinstance(value, bool))
    ]
    if "score" not in found and any("score" not in test for test in found["tests"]):
        wrong.append("neither a score above nor one on each test")
    wrong += [f"{name}: {found[name]}" for name in ("visibility", "stdout_visibility") if found[name] not in VISIBILITIES]
    wrong += [f"output_format: {found['output_format']}"] if found["output_format"] not in FORMATS else []
    for test in found["tests"]:
        wrong += [f"test: {name} is no key of it" for name in test if name not in TEST]
        wrong += [f"test: {name} is of another type" for name, value in test.items() if name in TEST and not isinstance(value, TEST[name])]
        if test.get("status", "passed") not in ("passed", "failed") or test["visibility"] not in VISIBILITIES:
            wrong.append(f"test: {test}")
        if "score" in test and not 0 <= test["score"] <= test["max_score"]:
            wrong.append(f"test: {test['score']} of {test['max_score']}")
    return wrong


def test_every_students_file_keeps_the_specification(course: Course) -> None:
    found = documents(course)
    assert set(found) == {row.email for row in course.sheet.rows}
    assert [broken_rules(document) for document in found.values()] == [[]] * 4


def test_the_rules_of_this_test_do_find_what_breaks_them(course: Course) -> None:
    document = documents(course)["student0000@example.org"]
    for change in ({"max_score": 1}, {"score": "1"}, {"visibility": "never"}, {"execution_time": 1.5}):
        assert broken_rules(document | change)
    for change in ({"status": "pass"}, {"score": 9.0}, {"title": "x"}, {"output": None}):
        scored = next(test for test in document["tests"] if "score" in test)
        assert broken_rules(document | {"tests": [scored | change]})


def test_score_and_tests_are_the_sheets(course: Course) -> None:
    found, sheet = documents(course), course.sheet
    for row in sheet.rows:
        document = found[row.email]
        assert document["score"] == pytest.approx(row.total, abs=1e-4)
        asked = [column for column in sheet.columns if not column.is_dropped and row.cells[column.pk].status]
        assert len(document["tests"]) == len(asked)
        for test, column in zip(document["tests"], asked, strict=True):
            cell = row.cells[column.pk]
            assert test.get("score") == (None if cell.score is None else cell.score * column.weight)
            assert test["name"] == f"{column.brief_id} round {column.round}: {column.title}"
        assert document["execution_time"] == round(4.5 * sum(scored.report_id is not None for scored in row.rounds.values()))


def test_an_error_of_ours_has_a_word_and_no_score(course: Course) -> None:
    document = documents(course)["student0000@example.org"]
    (test,) = [test for test in document["tests"] if test["extra_data"]["status"] == "error"]
    assert ("score" in test, "max_score" in test, "status" in test) == (False, False, False)
    assert test["output"] == "The evaluation had an error of its own here: it does not count, and may be run again. GitHub did not answer."
    assert "Errors of the evaluation: 1." in document["output"]
    assert document["extra_data"]["errors_of_the_evaluation"] == 1


def test_late_overridden_and_absent_are_said(course: Course) -> None:
    found = documents(course)
    late, absent = found["student0001@example.org"], found["student0002@example.org"]
    assert "bar-chart round 1: " in late["output"]
    assert "(late)" in late["output"]
    (override,) = [test for test in late["tests"] if test["extra_data"]["status"] == "override"]
    assert (override["score"], override["max_score"], override["status"]) == (1.5, 3.0, "failed")
    assert override["output"] == "Set by a person: =half; it is there"
    assert {(test["score"], test["status"], test["output"]) for test in absent["tests"]} == {(0.0, "failed", "Nothing was reported.")}
