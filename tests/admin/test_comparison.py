"""Which checks the later of two versions fixed and which it broke."""

import pytest

from tasks.admin import comparison
from tasks.models import CheckResult
from tests.factories import make_round, make_version

pytestmark = pytest.mark.django_db


def judge(version, round_=None, **statuses: str) -> None:
    for title, status in statuses.items():
        CheckResult.objects.create(round=round_ or version.round, version=version, kind="page", source="task", title=title, status=status)


def sides(left, right):
    found = comparison.by_version(CheckResult.objects.all())
    return found.get(left.pk, {}), found.get(right.pk, {})


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        ("fail", "pass", "fixed"),
        ("error", "pass", "fixed"),
        ("undecided", "pass", "fixed"),
        ("pass", "fail", "broken"),
        ("pass", "error", "broken"),
        ("fail", "fail", "still fails"),
        ("fail", "error", "still fails"),
        ("error", "error", "still fails"),
        ("pass", "pass", "same verdict"),
        ("skipped", "skipped", "same verdict"),
        ("pass", "undecided", "other verdict"),
        ("fail", "skipped", "other verdict"),
    ],
)
def test_every_change_of_a_verdict_has_its_name(before, after, change):
    round_ = make_round()
    left, right = make_version(round_), make_version(round_)
    judge(left, t=before)
    judge(right, t=after)

    assert [pair.change for pair in comparison.pairs(*sides(left, right))] == [change]


def test_what_got_worse_comes_first():
    round_ = make_round()
    left, right = make_version(round_), make_version(round_)
    judge(left, a="pass", b="fail", c="fail", d="pass", gone="pass")
    judge(right, a="pass", b="fail", c="pass", d="fail", new="pass")

    assert [(pair.title, pair.change) for pair in comparison.pairs(*sides(left, right))] == [
        ("d", "broken"),
        ("c", "fixed"),
        ("b", "still fails"),
        ("new", "new check"),
        ("gone", "gone"),
        ("a", "same verdict"),
    ]


def test_the_effect_counts_what_was_fixed_and_broken():
    round_ = make_round()
    left, right, unseen = (make_version(round_) for _ in range(3))
    judge(left, a="fail", b="fail", c="pass", d="pass")
    judge(right, a="pass", b="pass", c="fail", d="pass")

    assert comparison.effect(*sides(left, right)) == [("green", "2 fixed"), ("red", "1 broken")]
    assert comparison.effect(*sides(left, unseen)) == []


def test_a_check_of_round_one_is_the_same_check_when_round_two_runs_it_as_a_regression():
    first = make_round()
    left = make_version(first)
    right = make_version(make_round(first.task_request, number=2))
    judge(left, t="pass")
    CheckResult.objects.create(round=right.round, version=right, kind="page", source="regression", title="t", status="fail")

    assert [pair.change for pair in comparison.pairs(*sides(left, right))] == ["broken"]


def test_two_equal_checks_are_matched_one_by_one():
    round_ = make_round()
    left, right = make_version(round_), make_version(round_)
    for version, statuses in ((left, ("pass", "fail")), (right, ("pass", "pass"))):
        for status in statuses:
            judge(version, t=status)

    assert [pair.change for pair in comparison.pairs(*sides(left, right))] == ["fixed", "same verdict"]


def test_a_version_that_two_rounds_looked_at_counts_with_the_later_one():
    version = make_version(make_round())
    judge(version, t="fail")
    judge(version, make_round(version.task_request, number=2), t="pass")

    assert [row.status for row in comparison.by_version(CheckResult.objects.all())[version.pk].values()] == ["pass"]
