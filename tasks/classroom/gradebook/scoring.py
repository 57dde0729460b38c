"""How scores become a total: plain values in, plain values out. 0 to 1 for a check, 0 to 100 for all above it; None where nothing is decided."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import fsum


def round_score(checks: Iterable[tuple[float, float | None]], *, factor: float = 1.0) -> float | None:
    """The weighted mean of (weight, score), times `factor`. A check without a score does not count; None when none does."""
    pairs = [(weight, score) for weight, score in checks if score is not None and weight > 0]
    whole = fsum(weight for weight, _ in pairs)
    if not whole:
        return None
    return within(100 * factor * fsum(weight * score for weight, score in pairs) / whole)


def mean(scores: Iterable[float | None]) -> float | None:
    """Of those that are decided."""
    decided = [score for score in scores if score is not None]
    return within(fsum(decided) / len(decided)) if decided else None


def best(briefs: Mapping[str, float], best_of: int | None) -> frozenset[str]:
    """The briefs that count: the best so many, of equal ones the first by name; all of them without a number."""
    ranked = sorted(briefs, key=lambda name: (-briefs[name], name))
    return frozenset(ranked[:best_of] if best_of else ranked)


def total(briefs: Mapping[str, float], counted: Iterable[str]) -> float:
    """0 while nothing is decided."""
    return mean(briefs[name] for name in counted) or 0.0


def within(score: float) -> float:
    """Free of what floating point adds at the ends."""
    return min(100.0, max(0.0, score))
