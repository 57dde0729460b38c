"""Sets with much in common, against the plain way of comparing every pair."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as some

from tasks.classroom.gradebook import overlap

marks = some.sets(some.integers(0, 60), max_size=40)


def plainly(sets: list[set[int]], limits: list[float], least: float, fewest: int) -> dict[tuple[int, int], float]:
    found = {}
    for a in range(len(sets)):
        for b in range(a + 1, len(sets)):
            limit = min(limits[a], limits[b])
            first, second = ({mark for mark in sets[place] if mark <= limit} for place in (a, b))
            fewer = min(len(first), len(second))
            if fewer >= fewest and len(first & second) >= least * fewer:
                found[a, b] = len(first & second) / fewer
    return found


@settings(max_examples=120, deadline=None)
@given(some.lists(marks, max_size=8), some.integers(1, 6), some.sampled_from([0.3, 0.5, 1.0]), some.integers(5, 60))
def test_the_same_pairs_are_found_as_by_comparing_each(sets: list[set[int]], fewest: int, least: float, limit: int) -> None:
    limits = [overlap.EVERYTHING if place % 2 else float(limit) for place in range(len(sets))]
    cut = [{mark for mark in held if mark <= limits[place]} for place, held in enumerate(sets)]
    assert {(a, b): share for a, b, share in overlap.pairs(cut, limits, least, fewest)} == plainly(cut, limits, least, fewest)


def test_a_short_text_is_found_whole_in_a_long_one_of_which_only_some_marks_are_kept() -> None:
    long = {3 * number for number in range(100)}  # of 1,000 marks the smallest hundred
    short = {30 * number for number in range(100)}  # each is in the long text, most of them beyond what is kept of it
    ((a, b, share),) = overlap.pairs([long, short], [297.0, overlap.EVERYTHING], 0.5, 8)
    assert (a, b, share) == (0, 1, 1.0)


def test_places_are_the_bits_that_are_set() -> None:
    assert list(overlap.places(0b1_0010_0001)) == [0, 5, 8]
    assert overlap.masks([["a"], ["b", "a"], []]) == {"a": 0b11, "b": 0b10}
