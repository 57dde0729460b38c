"""Things to do, some of them done."""

from __future__ import annotations

import json
from random import Random
from typing import Any

VERBS = ("Water", "Mend", "Label", "Sort", "Return", "Polish", "Measure", "Sketch", "Wrap", "Oil", "Count", "Hang")
THINGS = (
    "the plants", "the fence", "the jars", "the stamps", "the books", "the boots", "the shelf", "the map", "the parcel", "the hinges",
    "the tiles",
)  # fmt: skip


def make(dice: Random, *, items: int = 8) -> dict[str, Any]:
    """`json` (a list of {"text", "done"}), `items` (how many, at most 11), `open` and `done` (how many), `first`, `first_open`, `new` (a text that is
    not among them). At least one is open and one is done."""
    texts = [f"{verb} {thing}" for verb, thing in zip(dice.sample(VERBS, len(VERBS)), dice.sample(THINGS, len(THINGS)), strict=False)]
    count = max(2, min(items, len(texts)))
    done = set(dice.sample(range(count), dice.randint(1, count - 1)))
    rows = [{"text": text, "done": number in done} for number, text in enumerate(texts[:count])]
    return {
        "json": json.dumps(rows, indent=2) + "\n",
        "items": count,
        "open": count - len(done),
        "done": len(done),
        "first": texts[0],
        "first_open": next(row["text"] for row in rows if not row["done"]),
        "new": f"Plan {dice.choice(('a picnic', 'a voyage', 'a concert', 'a dinner'))}",
    }
