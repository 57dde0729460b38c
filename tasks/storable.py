"""What other services say, in the form that every database takes."""

from __future__ import annotations

from typing import Any


def storable(text: str) -> str:
    """The text without half characters, which UTF-8 cannot hold, and without NUL, which PostgreSQL refuses."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")


def storable_data(value: Any) -> Any:
    """The same for every text in what is stored as JSON."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {storable(str(key)): storable_data(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [storable_data(item) for item in value]
    return value
