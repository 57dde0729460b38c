"""A sheet in a few figures: for a heading, a command, a test. The counts of a round add up: students = issued + not issued, issued = reported + not
reported + not accepted, reported = evaluated + to be evaluated + could not be evaluated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import fmean, median

from tasks.classroom.gradebook import standing
from tasks.classroom.gradebook.cells import RoundScore, Sheet

EVALUATED, TO_BE_EVALUATED, NOT_EVALUATED = "evaluated", "to be evaluated", "could not be evaluated"


@dataclass(frozen=True)
class Middle:
    """Of `of` scores, 0 to 100; None where there is none."""

    of: int = 0
    mean: float | None = None
    median: float | None = None


@dataclass(frozen=True)
class RoundSummary:
    """`open`: checks with an error of ours."""

    brief_id: str
    round: int
    issued: int
    reported: int
    evaluated: int
    to_be_evaluated: int
    could_not_be_evaluated: int
    not_reported: int
    not_accepted: int
    not_issued: int
    late: int
    open: int
    scores: Middle


@dataclass(frozen=True)
class Summary:
    """`scores` are the totals of the students with a score in any brief."""

    students: int
    scores: Middle
    rounds: list[RoundSummary]

    @property
    def open_checks(self) -> int:
        return sum(one.open for one in self.rounds)

    @property
    def open_reports(self) -> int:
        return sum(one.could_not_be_evaluated for one in self.rounds)


def summary(found: Sheet) -> Summary:
    places = list(found.rows[0].rounds) if found.rows else []
    totals = middle(row.total for row in found.rows if row.briefs)
    return Summary(len(found.rows), totals, [_round([row.rounds[place] for row in found.rows]) for place in places])


def middle(scores: Iterable[float]) -> Middle:
    known = list(scores)
    return Middle(len(known), fmean(known), median(known)) if known else Middle()


def _round(scores: list[RoundScore]) -> RoundSummary:
    states = Counter(one.state for one in scores)
    reported = states[EVALUATED] + states[TO_BE_EVALUATED] + states[NOT_EVALUATED]
    return RoundSummary(
        scores[0].brief_id,
        scores[0].round,
        issued=len(scores) - states[standing.NOT_ISSUED],
        reported=reported,
        evaluated=states[EVALUATED],
        to_be_evaluated=states[TO_BE_EVALUATED],
        could_not_be_evaluated=states[NOT_EVALUATED],
        not_reported=states[standing.NOT_REPORTED],
        not_accepted=states[standing.NOT_ACCEPTED],
        not_issued=states[standing.NOT_ISSUED],
        late=sum(one.late for one in scores),
        open=sum(one.open for one in scores),
        scores=middle(one.score for one in scores if one.score is not None),
    )
