"""How scores become a total."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from tasks.classroom.gradebook import scoring

Checks = list[tuple[float, float | None]]


@pytest.mark.parametrize(
    ("checks", "factor", "score"),
    [
        ([], 1.0, None),
        ([(1.0, None)], 1.0, None),
        ([(0.0, 1.0)], 1.0, None),
        ([(1.0, 1.0), (1.0, 0.0)], 1.0, 50.0),
        ([(3.0, 1.0), (1.0, 0.0)], 1.0, 75.0),
        ([(1.0, 1.0), (5.0, None)], 1.0, 100.0),
        ([(1.0, 1.0), (0.0, 0.0)], 1.0, 100.0),
        ([(1.0, 0.5), (1.0, 1.0)], 0.5, 37.5),
        ([(1.0, 1.0)], 0.0, 0.0),
    ],
)
def test_a_round_is_the_weighted_mean_of_the_checks_that_have_a_score(checks: Checks, factor: float, score: float | None) -> None:
    assert scoring.round_score(checks, factor=factor) == score


@pytest.mark.parametrize(("rounds", "score"), [([], None), ([None], None), ([80.0, None], 80.0), ([80.0, 0.0], 40.0)])
def test_a_brief_is_the_mean_of_the_rounds_that_are_decided(rounds: list[float | None], score: float | None) -> None:
    assert scoring.mean(rounds) == score


@pytest.mark.parametrize(
    ("best_of", "counted", "total"),
    [(None, {"a", "b", "c"}, 60.0), (0, {"a", "b", "c"}, 60.0), (1, {"b"}, 90.0), (2, {"a", "b"}, 70.0), (9, {"a", "b", "c"}, 60.0)],
)
def test_the_best_briefs_count_and_of_equal_ones_the_first_by_name(best_of: int | None, counted: set[str], total: float) -> None:
    briefs = {"c": 50.0, "b": 90.0, "a": 50.0, "d": 50.0} if best_of == 2 else {"a": 50.0, "b": 90.0, "c": 40.0}
    assert scoring.best(briefs, best_of) == counted
    assert scoring.total(briefs, counted) == pytest.approx(total)


def test_a_total_is_nothing_while_nothing_is_decided() -> None:
    assert scoring.total({}, scoring.best({}, 2)) == 0.0


weights = some.floats(0, 1_000, allow_subnormal=False)
checks = some.lists(some.tuples(weights, some.none() | some.floats(0, 1)), max_size=20)


@settings(max_examples=80, deadline=None)
@given(checks, some.floats(0.001, 1_000), some.floats(0, 1))
def test_weights_count_only_by_their_proportion_and_a_score_stays_within_0_and_100(given: Checks, times: float, factor: float) -> None:
    score = scoring.round_score(given, factor=factor)
    assert score is None or 0.0 <= score <= 100.0
    scaled = scoring.round_score([(weight * times, worth) for weight, worth in given], factor=factor)
    assert scaled == (score if score is None else pytest.approx(score, abs=1e-6))


@settings(max_examples=80, deadline=None)
@given(some.dictionaries(some.sampled_from("abcdefgh"), some.floats(0, 100)), some.none() | some.integers(0, 9))
def test_fewer_briefs_that_count_never_lower_a_total(briefs: dict[str, float], best_of: int | None) -> None:
    total = scoring.total(briefs, scoring.best(briefs, best_of))
    assert 0.0 <= total <= 100.0
    assert total >= scoring.total(briefs, briefs) - 1e-9
