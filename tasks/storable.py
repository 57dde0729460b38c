"""What other services say, in the form that every database takes."""

from __future__ import annotations


def storable(text: str) -> str:
    """The text without half characters, which UTF-8 cannot hold, and without NUL, which PostgreSQL refuses."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
