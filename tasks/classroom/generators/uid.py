"""A text that nobody guesses, to be published as it is."""

from __future__ import annotations

from random import Random
from typing import Any
from uuid import UUID


def make(dice: Random) -> dict[str, Any]:
    """`text`: 36 characters without a line's end."""
    return {"text": str(UUID(int=dice.getrandbits(128), version=4))}
