"""What `manage.py run_class` prints: a line while it runs, a table at the end."""

from __future__ import annotations

from pathlib import Path

from tasks.classroom.whole import Course, Standing

ROWS = {
    "issued": "issued",
    "accepted": "  accepted",
    "reported": "    reported",
    "evaluated": "      evaluated",
    "troubled": "      not evaluated: a fault of ours (manage.py evaluate --errors)",
    "late": "      of these late",
    "silent": "    never reported",
    "unsettled": "  not accepted, tried again by the workers",
    "refused": "  given up",
}


def line(now: Standing) -> str:
    away = now.unsettled + now.refused
    parts = [f"{now.accepted} of {now.issued} accepted", f"{now.reported} reported", f"{now.evaluated} evaluated"]
    parts += [f"{away} without an answer"] if away else []
    parts += [f"{now.troubled} not evaluated"] if now.troubled else []
    return f"round {now.round}: {', '.join(parts)}"


def table(course: Course, seconds: float, output: Path | None) -> str:
    """Rounds side by side; what is below a line with less indent adds up to it."""
    lines = ["", f"{'':<66}" + "".join(f"{f'round {one.round}':>10}" for one in course.standings)]
    for name, title in ROWS.items():
        counts = [getattr(one, name) for one in course.standings]
        if any(counts) or name in {"issued", "accepted", "reported", "evaluated"}:
            lines.append(f"{title:<66}" + "".join(f"{count:>10,}" for count in counts))
    lines += ["", *(f"{phase:<30}{took:>8.1f} s" for phase, took in course.seconds.items()), f"{'all':<30}{seconds:>8.1f} s"]
    lines += [f"The grade-book and everything else: {output}"] if output else []
    if any(not one.adds_up for one in course.standings):
        lines.append("The counts do not add up: somebody changed the class while it was counted. Run it again.")
    return "\n".join(lines)
