"""Hints at reports that are alike."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tasks.classroom.gradebook import books, similar
from tasks.models import IssuedTask, RepoReport, Submission
from tests.classroom.graded import make_class

pytestmark = pytest.mark.django_db

SHA = "a" * 40


def prints(marks: Any = (), **files: str) -> dict[str, Any]:
    return {"files": {name.replace("_", "."): sha for name, sha in files.items()}, "marks": list(marks)}


def told(students: int, of: dict[int, dict[str, Any]], **options: Any) -> list[similar.Hint]:
    """The hints of a class in which student `n` has the prints `of[n]`, everybody else some of their own."""

    def own(student: int, brief: str, round: int) -> dict[str, Any]:
        return of.get(student, prints(range(1_000 * student, 1_000 * student + 100), index_html=f"{student:040x}"))

    make_class(students, checks=0, common=0, prints=own, **options)
    return similar.hints(books.default_book())


def pairs(hints: list[similar.Hint]) -> list[tuple[str, str, int]]:
    return [(hint.a_email[7:11], hint.b_email[7:11], round(100 * hint.share)) for hint in hints]


def test_a_class_of_which_everybody_wrote_their_own_gives_no_hint() -> None:
    assert told(6, {}) == []


def test_the_share_is_of_the_shorter_text_and_the_largest_comes_first() -> None:
    whole = list(range(50_000, 50_100))
    found = told(9, {1: prints(whole), 4: prints([*whole[:60], *range(60_000, 60_040)]), 7: prints([*whole[50:80], *range(70_000, 70_010)])})
    assert pairs(found) == [("0001", "0007", 75), ("0001", "0004", 60)]  # the third pair has a quarter in common, which is no hint
    assert found[0].why == "75% of the shorter text is in the other"
    assert (found[0].brief_id, found[0].round, found[0].same_files, found[0].same_repository) == ("sales-total", 1, [], False)


def test_what_more_than_a_third_and_at_least_four_have_is_boilerplate() -> None:
    common = list(range(50_000, 50_050))
    three = {n: prints([*common, *range(1_000 * n, 1_000 * n + 20)]) for n in (0, 1, 2)}
    assert len(told(9, three)) == 3
    IssuedTask.objects.all().delete()
    Submission.every.all().delete()
    four = {n: prints([*common, *range(1_000 * n, 1_000 * n + 20)], index_html=SHA) for n in (0, 1, 2, 3)}
    assert told(9, four) == []


def test_the_same_file_is_named_but_for_what_everybody_is_given() -> None:
    def files(own: str) -> dict[str, Any]:
        given = {"LICENSE": "1" * 40, "licence.md": "2" * 40, "data.csv": "3" * 40, "sub/data.csv": "4" * 40, ".nojekyll": similar.NO_CONTENT}
        return {"files": {**given, own: SHA}, "marks": []}

    (hint,) = told(5, {0: files("index.html"), 3: files("copy.html")})
    assert (hint.same_files, hint.share) == (["index.html"], 0.0)
    assert hint.why == "The same file: index.html"


def test_a_few_marks_say_nothing() -> None:
    assert told(5, {0: prints(range(11)), 1: prints(range(11))}) == []


@pytest.mark.parametrize(
    ("url", "fork", "why"),
    [
        ("https://github.com/S0/Sales-total-00000.git/", False, "The same repository"),
        ("https://github.com/s2/sales-total-00000", True, "Repositories of one name, one of them a fork"),
        ("https://github.com/s2/sales-total-00000", False, ""),
        ("https://github.com/s2/another", True, ""),
    ],
)
def test_one_repository_or_a_fork_is_the_strongest_hint(url: str, fork: bool, why: str) -> None:
    made = make_class(5, checks=0, common=0, prints=lambda student, *_: prints(range(20) if student > 2 else ()))
    RepoReport.objects.filter(pk=made.reports[2, "sales-total", 1].pk).update(repo_url=url, facts={"fork": fork})
    first, *others = similar.hints(books.default_book())
    if why:
        assert (first.why, first.same_repository, pairs([first])[0][:2], len(others)) == (why, True, ("0000", "0002"), 1)
    else:
        assert (pairs([first]), others) == ([("0003", "0004", 100)], [])


def test_only_within_one_round_of_one_brief_and_never_a_student_with_themselves() -> None:
    same = prints(range(40), index_html=SHA)
    make_class(2, ("a", "b"), rounds=2, checks=0, common=0, prints=lambda *_: same, reported=lambda student, brief, round: (student + round) % 2 == 0)
    assert similar.hints(books.default_book()) == []
    assert len(similar.hints(RepoReport.objects.all())) == 0


@pytest.mark.parametrize("held", [{}, {"files": {}}, {"marks": [1]}, []])
def test_reports_without_prints_are_left_out(held: Any) -> None:
    made = make_class(2, checks=0, common=0)
    RepoReport.objects.filter(pk=made.reports[0, "sales-total", 1].pk).update(prints=held)
    assert similar.hints(books.default_book()) == []


def test_every_pair_above_the_threshold_is_found_and_no_other() -> None:
    """Against the plain way: every pair compared."""
    chance = random.Random(7)
    marks = {n: frozenset(chance.sample(range(60 * (n % 5), 60 * (n % 5) + 70), chance.randint(12, 50))) for n in range(40)}
    counts = {mark: sum(mark in held for held in marks.values()) for held in marks.values() for mark in held}
    rest = {n: {mark for mark in held if counts[mark] <= 40 // 3} for n, held in marks.items()}
    expected = set()
    for a in range(40):
        for b in range(a + 1, 40):
            fewer = min(len(rest[a]), len(rest[b]))
            if fewer >= similar.FEWEST_MARKS and len(rest[a] & rest[b]) / fewer >= similar.LEAST:
                expected.add((f"{a:04}", f"{b:04}"))
    found = told(40, {n: prints(held) for n, held in marks.items()})
    assert {pair[:2] for pair in pairs(found)} == expected
    assert len(expected) > 10
    assert [hint.share for hint in found] == sorted((hint.share for hint in found), reverse=True)
