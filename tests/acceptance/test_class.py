"""A class run whole on one machine: our own service is the first student, three others misbehave, and everybody is reported for what they are.

An ordinary run takes five students; CLASS=all takes 50, which is what the README's figures are from.
"""

from __future__ import annotations

import csv
import io
import os
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tasks.demo import school
from tasks.demo.stack import Stack

pytestmark = [pytest.mark.worker, pytest.mark.timeout(900), pytest.mark.xdist_group("class")]

COUNT = 50 if os.environ.get("CLASS") == "all" else 5
GOOD = COUNT - 3
# Looks at a page that is not there yet come sooner here, and its server gives up after a second.
HASTE = {"DEPLOYER_PAGE_AGAIN_SECONDS": "1,2", "EVALUATE": "off"}


class Kept:
    """What the installation holds when the class is over."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def rows(self, question: str, *values: Any) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.folder / "deployer.sqlite3", timeout=30)) as database:
            return database.execute(question, values).fetchall()

    def failed(self, who: str, round_: int = 1) -> dict[str, str]:
        """Of that student's report: each common check that failed, with its reason."""
        question = """SELECT c.title, c.reason FROM tasks_checkresult c JOIN tasks_reporeport r ON c.report_id = r.id JOIN tasks_issuedtask i
            ON r.issued_id = i.id JOIN tasks_submission s ON i.submission_id = s.id
            WHERE c.status = 'fail' AND c.source = 'common' AND s.email = ? AND i.round = ?"""
        return dict(self.rows(question, f"{who}@example.com", round_))


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    folder = tmp_path_factory.mktemp("class")
    with Stack(folder, workers=4, env=HASTE) as stack:
        assert school.run(stack, "sales-total", COUNT, trouble=True, hang_seconds=1.0)
    return Kept(folder)


def test_everybody_who_accepted_reported_both_rounds_and_every_report_was_evaluated(kept: Kept) -> None:
    states = kept.rows("SELECT i.round, i.status, COALESCE(r.state, '') FROM tasks_issuedtask i LEFT JOIN tasks_reporeport r ON r.issued_id = i.id")
    expected = [(1, "accepted", "done")] * (COUNT - 1) + [(1, "waiting", "")] + [(2, "accepted", "done")] * (COUNT - 1)
    assert sorted(states) == sorted(expected)
    assert kept.rows("SELECT COUNT(*) FROM tasks_reporeport WHERE is_late") == [(0,)]
    assert kept.rows("SELECT COUNT(*) FROM tasks_checkresult WHERE status = 'error'") == [(0,)]


def test_a_good_student_fails_no_check_of_the_repository_or_of_the_page(kept: Kept) -> None:
    assert {number: kept.failed("student-001", number) for number in (1, 2)} == {1: {}, 2: {}}


def test_each_that_misbehaves_is_reported_for_what_it_is(kept: Kept) -> None:
    ((error,),) = kept.rows("SELECT i.error FROM tasks_issuedtask i JOIN tasks_submission s ON i.submission_id = s.id WHERE s.email LIKE 'dead-%'")
    assert "refused" in error
    wrong = kept.failed("wrong-report")
    assert "HTTP 404" in wrong["The repository is public"]
    assert "404" in wrong["The page loads"]
    slow = kept.failed("page-never-loads")
    assert set(slow) == {title for title in slow if title.startswith("The page")}
    assert "The page loads" in slow


def test_nobody_else_waits_for_those_who_misbehave(kept: Kept) -> None:
    """In each round the good reports were all evaluated before the page that never loads was given up."""
    question = """SELECT i.round, s.email LIKE 'page-never%', MAX(r.evaluated_at) FROM tasks_reporeport r
        JOIN tasks_issuedtask i ON r.issued_id = i.id JOIN tasks_submission s ON i.submission_id = s.id
        WHERE s.email NOT LIKE 'wrong-%' GROUP BY 1, 2"""
    ended = {(number, bool(slow)): at for number, slow, at in kept.rows(question)}
    assert ended[1, False] < ended[1, True]
    assert ended[2, False] < ended[2, True]


def test_the_archive_holds_every_student_and_no_secret(kept: Kept) -> None:
    secret = (kept.folder / "student-secret").read_text()
    with zipfile.ZipFile(kept.folder / "sales-total.zip") as archive:
        grades = list(csv.DictReader(io.StringIO(archive.read("gradebook.csv").decode("utf-8-sig"))))
        assert not any(secret.encode() in archive.read(name) for name in archive.namelist())
    totals = {row["email"].partition("@")[0]: float(row["total"]) for row in grades}
    assert len(totals) == COUNT
    assert totals["dead-host"] == 0
    assert totals["wrong-report"] < totals["page-never-loads"] < totals["student-001"]
