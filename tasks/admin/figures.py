"""What evaluators measured: a table with the difference to the measurement before, and one figure drawn over results or versions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tasks.admin import chart, columns
from tasks.admin.badges import badge
from tasks.models import CodeVersion, Result, TaskRequest
from tasks.orchestrator.uploads import label_of

NEWEST = 200  # results that are read
ROWS = 60  # results in the table
METRICS = 40  # of the agents' own, offered for the chart
SHOWN_METRICS = 6  # of them in a row of the table
KNOWN = {"accuracy": "accuracy", "loss": "loss", "run_time": "run time (s)", "score": "checks passed (%)"}
UPWARDS = {"accuracy": True, "score": True, "loss": False, "run_time": False}  # whether more is better; of others nobody knows
OWN = "metric."  # before a metric's own name in the address, so that one called `loss` is not taken for ours
OVER = ("results", "versions")


@dataclass(frozen=True)
class Figure:
    """A number of one result and how it differs from the last one before it."""

    name: str
    value: str
    delta: str = ""
    tone: str = "grey"


def context(task: TaskRequest, chosen: str = "", over: str = "") -> dict[str, Any]:
    """What `_figures.html` shows, in a constant number of queries. `chosen` and `over` come from the address; what does not fit is replaced."""
    rows = list(results_of(task))
    versions = list(task.versions.defer("prompt", "raw_answer").order_by("-number")[:NEWEST])
    series = all_series(rows, versions)
    key = chosen if chosen in series else next((key for key in [*KNOWN, *series] if key in series), "")
    over = over if over in OVER else OVER[0]
    points = _over_versions(series[key]) if key and over == "versions" else list(series.get(key, []))
    drawn = chart.draw([chart.Point(label, value, f"{label}: {chart.number(value)}") for label, _, value in points])
    return {
        "results": table(rows),
        "results_capped": ROWS if len(rows) > ROWS else 0,
        "choices": [{"key": name, "label": title(name)} for name in series],
        "metric": key,
        "metric_title": title(key),
        "over": over,
        "overs": OVER,
        "chart": drawn,
        "points": [{"label": label, "value": chart.number(value)} for label, _, value in points],
        "summary": _summary(title(key), points, over),
    }


def results_of(task: TaskRequest) -> Any:
    """The newest first, without prompts and logs."""
    rows = task.results.select_related("version", "log").order_by("-id")
    return rows.defer("version__prompt", "version__raw_answer", "log__content")[:NEWEST]


def title(key: str) -> str:
    return KNOWN.get(key) or columns.one_line(key.removeprefix(OWN), 60)


Series = list[tuple[str, int | None, float]]  # label, the version's id, value; the oldest first


def all_series(rows: Iterable[Result], versions: Iterable[CodeVersion]) -> dict[str, Series]:
    """Every figure that can be drawn, by its key."""
    found: dict[str, Series] = {key: [] for key in KNOWN}
    for row in reversed(list(rows)):
        label = label_of(row.version) if row.version else f"#{row.pk}"
        for key, value in numbers(row).items():
            if key in found or len(found) < len(KNOWN) + METRICS:
                found.setdefault(key, []).append((columns.one_line(label, 14), row.version_id, value))
    for version in reversed(list(versions)):
        if version.score is not None:
            found["score"].append((columns.one_line(label_of(version), 14), version.pk, 100 * version.score))
    return {key: series for key, series in found.items() if series}


def numbers(row: Result) -> dict[str, float]:
    """All figures of a result that are numbers."""
    own: Mapping[str, Any] = row.metrics if isinstance(row.metrics, dict) else {}
    held = {"accuracy": row.accuracy, "loss": row.loss, "run_time": row.run_time, **{f"{OWN}{name}": value for name, value in own.items()}}
    return {key: value for key, raw in held.items() if (value := chart.drawable(raw)) is not None}


def _over_versions(series: Series) -> Series:
    """The newest figure of each version; those of no version are left out."""
    return list({version: (label, version, value) for label, version, value in series if version is not None}.values())


def _summary(name: str, points: Series, over: str) -> str:
    """The chart in a sentence, for whoever does not see it."""
    if not points:
        return ""
    values = [value for _, _, value in points]
    first, last = chart.number(values[0]), chart.number(values[-1])
    return (
        f"{name} over {len(points)} {over}: from {first} ({points[0][0]}) to {last} ({points[-1][0]}), "
        f"lowest {chart.number(min(values))}, highest {chart.number(max(values))}."
    )


def table(rows: list[Result]) -> list[dict[str, Any]]:
    """The newest results with their figures, each compared with the last result before it that has the same one."""
    lines = []
    before: dict[str, float] = {}
    for row in reversed(rows):
        now = numbers(row)
        own = [key for key in now if key.startswith(OWN)]
        lines.append(
            {
                "row": row,
                "version": label_of(row.version) if row.version else "",
                "badge": "" if row.passed is None else badge("pass" if row.passed else "fail"),
                "figures": [figure(key, now, before) for key in ("accuracy", "loss", "run_time")],
                "metrics": [figure(key, now, before) for key in own[:SHOWN_METRICS]],
                "more": max(0, len(own) - SHOWN_METRICS),
                "made": columns.when(row.created_at),
            }
        )
        before |= now
    return lines[::-1][:ROWS]


def figure(key: str, now: Mapping[str, float], before: Mapping[str, float]) -> Figure:
    if key not in now:
        return Figure(title(key), "–")
    value = columns.units(now[key]) if key == "run_time" else chart.number(now[key])
    change = now[key] - before[key] if key in before else 0.0
    if not change:
        return Figure(title(key), value, "±0" if key in before else "")
    better = UPWARDS.get(key)
    tone = "grey" if better is None else "green" if (change > 0) == better else "red"
    return Figure(title(key), value, f"{'+' if change > 0 else '−'}{chart.number(abs(change))}", tone)
