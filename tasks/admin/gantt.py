"""Where the time went: a bar per stage, drawn from the stage runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.utils.safestring import SafeString

from tasks.admin.badges import badge, look
from tasks.admin.columns import one_line, units
from tasks.models import Round, StageRun
from tasks.pipeline import STAGES

PAUSE_SECONDS = 300.0  # runs that far apart belong to different takes: a re-run does not squeeze the first one into a line
LONGEST_DEADLINES = 2.0  # a delivery tried for days would do the same, so the axis ends after two deadlines


@dataclass(frozen=True)
class Bar:
    """Left edge and width in percent of the axis, as text for a style attribute; `open` when it goes on beyond the axis."""

    left: str
    width: str
    tone: str
    title: str
    open: bool


@dataclass
class Line:
    """One stage: its bars, how often it was tried and how long it took in all."""

    stage: str
    bars: list[Bar] = field(default_factory=list)
    seconds: float = 0.0
    took: str = ""
    attempts: int = 0
    badge: SafeString | str = ""
    summary: str = ""
    error_id: str = ""
    detail: str = ""


@dataclass(frozen=True)
class Gantt:
    lines: list[Line]
    ticks: list[tuple[str, str]]
    deadline: str
    earlier: int


def gantt(round_: Round, runs: Sequence[StageRun], now: datetime) -> Gantt:
    """The last take of the round's stage runs. `runs` in the order of their start; `earlier` counts those of former takes."""
    takes = _takes(runs, now)
    shown = takes[-1] if takes else []
    start = round_.received_at if len(takes) < 2 else shown[0].started_at
    whole = max(1.0, (round_.deadline_at - round_.received_at).total_seconds())
    ends = [run.finished_at or now for run in shown] + ([now] if round_.is_open else [])
    span = max(((end - start).total_seconds() for end in ends), default=1.0)
    span = min(max(span, 1.0), whole * LONGEST_DEADLINES)
    lines = {name: Line(name) for name in STAGES}
    for run in shown:
        _add(lines.setdefault(run.stage, Line(run.stage)), run, start, span, now)
    at = (round_.deadline_at - start).total_seconds() / span * 100
    ticks = [(f"{quarter * 25}", units(span * quarter / 4)) for quarter in range(5)]
    return Gantt(list(lines.values()), ticks, f"{at:.2f}" if 0 <= at <= 100 else "", len(runs) - len(shown))


def _takes(runs: Sequence[StageRun], now: datetime) -> list[list[StageRun]]:
    takes: list[list[StageRun]] = []
    end: datetime | None = None
    for run in runs:
        if end is None or run.started_at > end + timedelta(seconds=PAUSE_SECONDS):
            takes.append([])
        takes[-1].append(run)
        end = max(end or run.started_at, run.finished_at or now)
    return takes


def _add(line: Line, run: StageRun, start: datetime, span: float, now: datetime) -> None:
    begin = (run.started_at - start).total_seconds()
    end = ((run.finished_at or now) - start).total_seconds()
    left = min(max(begin / span * 100, 0.0), 99.0)
    width = min(max((end - begin) / span * 100, 0.6), 100.0 - left)
    seconds = max(0.0, end - begin)
    shown = look(run.outcome)
    looks = f", {run.polls} looks" if run.polls > 1 else ""
    title = f"{run.stage} #{run.attempt}: {shown.word}, {units(seconds)}{looks}. {one_line(run.summary, 200)}"
    line.bars.append(Bar(f"{left:.2f}", f"{width:.2f}", shown.tone, title, end > span + 0.001))
    line.seconds += seconds
    line.took = units(line.seconds)
    line.attempts += 1
    line.badge = badge(run.outcome)
    line.summary = one_line(run.summary, 160)
    line.error_id = run.error_id
    line.detail = run.detail
