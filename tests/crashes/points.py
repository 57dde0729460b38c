"""Where a process can be held: around each stage, and around every step of it that has an effect, outside or in the database."""

from __future__ import annotations

import re
from typing import Any

from django.apps import AppConfig

from tests.crashes.gate import around


class Points(AppConfig):
    name = "tests.crashes"
    label = "crashes"

    def ready(self) -> None:
        from tasks import evaluation, http, intake, jobs, pipeline
        from tasks.api import ready
        from tasks.files import fileset
        from tasks.generators import gemini
        from tasks.hosts import github_client, local
        from tasks.stages import attachments, generate, verify

        around(intake, "store", "insert")  # inside the transaction
        around(ready, "accept", "accept")
        around(jobs, "look_at", "job")
        for stage in pipeline.STAGES:
            around(type(pipeline.get_stage(stage)), "run", stage)
        around(pipeline, "settle", lambda lease, round_, *rest: f"end of {round_.stage}")
        around(attachments, "read", "file")
        around(gemini.Generator, "ask", "answer")
        around(generate.Stage, "keep", "kept answer")
        around(fileset, "store", "files")  # inside the transaction
        around(evaluation, "evaluate", "verdict")
        around(github_client.Client, "call", github_call)
        around(local.Host, "ensure_repo", "local repository")
        around(local.Host, "commit", "local commit")
        around(verify.Stage, "look", "look")
        around(http, "fetch", lambda url, method="GET", **options: "notification" if method == "POST" else "fetch")


def github_call(client: Any, verb: str, path: str, *rest: Any, **options: Any) -> str:
    """The call without the names in it: `POST /git/trees`, `PATCH /git/refs`."""
    tail = re.sub(r"^/repos/[^/]+/[^/?]+", "", path)
    return f"{verb} {re.sub(r'(?<=/refs)/.*', '', tail)}"
