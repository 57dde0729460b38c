"""What `manage.py benchmark` measures: one module each, whose `measure(folder, options)` gives the figures as a dictionary.

Everything runs in processes of its own on a folder of its own, with no key of the machine and no address but 127.0.0.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Figures = dict[str, Any]


@dataclass(frozen=True)
class Options:
    """`rounds` 0 is each benchmark's own number; times are in seconds."""

    seconds: float = 5.0
    connections: int = 16
    rounds: int = 0
    workers: int = 96
    model_latency: float = 20.0
    pages_latency: float = 15.0


class Missing(Exception):
    """This benchmark cannot run here; the message says what it needs."""
