"""The briefs that come with the project, as bodies for POST /ready."""

from __future__ import annotations

import base64
import uuid
from pathlib import Path
from typing import Any

import yaml
from django.conf import settings

FOLDER = Path("templates/briefs")


def brief_names() -> list[str]:
    return sorted(path.stem for path in (settings.BASE_DIR / FOLDER).glob("*.yaml"))


def bodies(name: str, *, email: str, task: str, evaluation_url: str) -> list[dict[str, Any]]:
    """One body a round, without the secret; each has a nonce of its own."""
    brief = yaml.safe_load((settings.BASE_DIR / FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    return [
        {
            "email": email,
            "task": task,
            "round": number,
            "nonce": str(uuid.uuid4()),
            "brief": item["brief"],
            "checks": item.get("checks", []),
            "evaluation_url": evaluation_url,
            "attachments": [
                {"name": file["name"], "url": f"data:{file['media_type']};base64,{base64.b64encode(file['text'].encode()).decode()}"}
                for file in item.get("attachments", [])
            ],
        }
        for number, item in enumerate(brief["rounds"], 1)
    ]
