"""A series of measurements, for a chart."""

from __future__ import annotations

import json
from random import Random
from typing import Any

SUBJECTS = (
    ("Rainfall", "mm", ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")),
    ("Visitors", "people", ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")),
    ("Harvest", "kg", ("Apples", "Pears", "Plums", "Cherries", "Quinces", "Figs", "Grapes", "Walnuts")),
)


def make(dice: Random, *, points: int = 7) -> dict[str, Any]:
    """`json` ({"title", "unit", "points": [{"label", "value"}]}), `title`, `unit`, `points` (how many, at most 7), `highest` with its
    `highest_label`, `lowest_label`, `sum`, `mean` (one decimal), `above` (how many points lie above it), `sorted` (labels, the highest first)."""
    title, unit, labels = dice.choice(SUBJECTS)
    values = dice.sample(range(12, 240), min(points, 7))
    rows = [{"label": label, "value": value} for label, value in zip(labels, values, strict=False)]
    ranked = sorted(rows, key=lambda row: -int(str(row["value"])))
    mean = sum(values) / len(values)
    return {
        "json": json.dumps({"title": title, "unit": unit, "points": rows}, indent=2) + "\n",
        "title": title,
        "unit": unit,
        "points": len(rows),
        "highest": ranked[0]["value"],
        "highest_label": ranked[0]["label"],
        "lowest_label": ranked[-1]["label"],
        "sum": sum(values),
        "mean": f"{mean:.1f}",
        "above": sum(value > mean for value in values),
        "sorted": [row["label"] for row in ranked],
    }
