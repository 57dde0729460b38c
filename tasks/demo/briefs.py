"""The briefs that come with the project, as bodies for POST /ready."""

from __future__ import annotations

import uuid
from typing import Any

from tasks.classroom import briefs

SEED = "2026-01-01-00"  # always the same hour, so that a trial can be repeated


def brief_names() -> list[str]:
    return briefs.names()


def bodies(name: str, *, email: str, task: str, evaluation_url: str, seed: str = SEED) -> list[dict[str, Any]]:
    """One body a round, without the secret; each has a nonce of its own."""
    rounds = [briefs.make(name, email, seed, number) for number in range(1, len(briefs.variants(name)) + 1)]
    return [
        {
            "email": email,
            "task": task,
            "round": made.round,
            "nonce": str(uuid.uuid4()),
            "brief": made.brief,
            "checks": made.checks,
            "evaluation_url": evaluation_url,
            "attachments": made.attachments,
        }
        for made in rounds
    ]
