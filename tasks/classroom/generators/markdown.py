"""A Markdown text of a known length with known parts."""

from __future__ import annotations

from random import Random
from typing import Any

NOUNS = (
    "harbour", "orchard", "lantern", "river", "workshop", "library", "garden", "tower", "market", "valley", "bridge", "kitchen", "meadow",
    "station",
)  # fmt: skip
VERBS = ("keeps", "follows", "remembers", "crosses", "measures", "repairs", "carries", "watches", "visits", "paints", "counts", "shelters")
KINDS = ("quiet", "old", "narrow", "bright", "patient", "curious", "northern", "wooden", "distant", "early", "busy", "small")
CODE = (
    "total = sum(prices)", "print(name.title())", "rows = sorted(rows)", "mean = total / len(rows)", "for row in rows: show(row)",
    "value = max(values)",
)  # fmt: skip


def make(dice: Random, *, words: int = 400, sections: int = 4, code_blocks: int = 2) -> dict[str, Any]:
    """`text`, its `title` (the one heading of level 1), `words` (what white space separates, in the whole text), `words_text` (the same with commas:
    1,234), `headings` (of all levels), `sections` (headings of level 2), `section` (the first of them), `code_blocks`, `list_items`, `bold`.

    The text has about as many words as are asked for; `words` says how many exactly."""
    title = f"The {dice.choice(KINDS)} {dice.choice(NOUNS)}".title()
    names = [
        f"{kind} {noun}".title() for kind, noun in zip(dice.sample(KINDS, min(sections, len(KINDS))), dice.sample(NOUNS, len(NOUNS)), strict=False)
    ]
    parts, items, bold = [f"# {title}", _sentence(dice)], 0, 0
    for number, name in enumerate(names):
        parts += [f"## {name}", f"**{dice.choice(NOUNS).title()}** first. {_sentence(dice)}"]
        bold += 1
        points = dice.randint(2, 4)
        items += points
        parts.append("\n".join(f"- {_sentence(dice)}" for _ in range(points)))
        for _ in range(_share(code_blocks, len(names), number)):
            parts.append(f"```python\n{dice.choice(CODE)}\n```")
    while len("\n\n".join(parts).split()) < words:
        parts.append(" ".join(_sentence(dice) for _ in range(3)))
    text = "\n\n".join(parts) + "\n"
    count = len(text.split())
    return {
        "text": text,
        "title": title,
        "words": count,
        "words_text": f"{count:,}",
        "headings": 1 + len(names),
        "sections": len(names),
        "section": names[0],
        "code_blocks": code_blocks,
        "list_items": items,
        "bold": bold,
    }


def _share(things: int, places: int, place: int) -> int:
    """How many of the things this place gets, when they are dealt out in turn."""
    return things // places + (place < things % places)


def _sentence(dice: Random) -> str:
    first, second = dice.sample(NOUNS, 2)
    return f"The {dice.choice(KINDS)} {first} {dice.choice(VERBS)} the {dice.choice(KINDS)} {second}."
