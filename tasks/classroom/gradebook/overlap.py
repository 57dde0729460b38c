"""Which of many sets of marks have much in common. Pure: sets in, pairs of their places out.

Sets of places and of marks are whole numbers, a bit each: a class of a thousand is compared in seconds where every pair of Python sets would take a
minute.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Hashable, Iterator, Sequence
from typing import TypeVar

Thing = TypeVar("Thing", bound=Hashable)
EVERYTHING = float("inf")


def pairs(sets: Sequence[Collection[int]], limits: Sequence[float], least: float, fewest: int) -> Iterator[tuple[int, int, float]]:
    """(a, b, share), a < b, of every two sets of which at least `least` of the smaller one is in the other.

    A set holds the marks up to its limit, of a long text only the smallest ones: two are compared where both are whole, up to the lower limit. One
    with fewer than `fewest` marks there is no match."""
    counts = Counter(mark for held in sets for mark in held)
    numbers = {mark: number for number, mark in enumerate(mark for mark, count in counts.items() if count > 1)}
    bits = [_bits([numbers[mark] for mark in held if mark in numbers], len(numbers)) for held in sets]
    having = masks([[mark for mark in held if mark in numbers] for held in sets])
    ranked = [sorted(held) for held in sets]
    for place, held in enumerate(sets):
        met = 0
        for mark in held:
            met |= having.get(mark, 0)
        for other in places(met >> (place + 1) << (place + 1)):
            shared = (bits[place] & bits[other]).bit_count()
            if shared < least * fewest:
                continue
            limit = min(limits[place], limits[other])
            fewer = min(bisect_right(ranked[place], limit), bisect_right(ranked[other], limit))
            if fewer >= fewest and shared >= least * fewer:
                yield place, other, shared / fewer


def masks(sets: Sequence[Collection[Thing]]) -> dict[Thing, int]:
    """Of each thing the places that have it."""
    found: dict[Thing, int] = {}
    for place, held in enumerate(sets):
        for thing in held:
            found[thing] = found.get(thing, 0) | 1 << place
    return found


def places(mask: int) -> Iterator[int]:
    """The bits that are set, from the lowest."""
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest


def _bits(numbers: Sequence[int], size: int) -> int:
    held = bytearray(size // 8 + 1)
    for number in numbers:
        held[number >> 3] |= 1 << (number & 7)
    return int.from_bytes(held, "little")
