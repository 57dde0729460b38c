"""Many real briefs carried from /ready to a notification, offline and on the local host.

The briefs that come with the project always run. A further file is taken from the environment variable BRIEFS_FILE: a JSON list of objects with
id, round, brief, checks and attachments, and `base`, the id of the round 1 that comes before.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings

from tasks.demo.briefs import bodies, brief_names
from tasks.files.data_uri import decode
from tasks.files.fileset import asks_to_change
from tasks.hosts import get_host
from tasks.stages.generate import repo_of
from tests.driver import carry, post
from tests.emulators.evaluator import Evaluator

pytestmark = pytest.mark.django_db(transaction=True)


def cases() -> list[dict[str, Any]]:
    own = [
        body | {"id": f"{name}-{body['round']}", "base": f"{name}-1" if body["round"] > 1 else None}
        for name in brief_names()
        for body in bodies(name, email="student@example.org", task=name, evaluation_url="")
    ]
    path = os.environ.get("BRIEFS_FILE")
    more = json.loads(Path(path).read_text(encoding="utf-8")) if path else []
    return own + more


CASES = {case["id"]: case for case in cases()}
LAST = sorted(CASES.keys() - {case.get("base") for case in CASES.values()})  # each is played after its round 1


def request(case: dict[str, Any], task: str, evaluator: Evaluator) -> dict[str, Any]:
    return {
        "email": "student@example.org",
        "secret": "test-secret-value",
        "task": task,
        "round": case["round"],
        "nonce": f"nonce-{case['id']}",
        "brief": case["brief"],
        "checks": case["checks"],
        "attachments": case["attachments"],
        "evaluation_url": evaluator.url,
    }


@pytest.mark.parametrize("id", LAST)
def test_a_brief_is_carried_to_a_notification_with_its_attachments_byte_for_byte(
    id: str, evaluator: Evaluator, live_server: Any, settings: LazySettings, tmp_path: Path
) -> None:
    settings.PUBLIC_URL, settings.DATA_DIR = live_server.url, tmp_path
    settings.CHROMIUM_PATH = "no-browser-here"
    case = CASES[id]
    base = CASES.get(case.get("base") or "")
    task = (base or case).get("task") or case["id"]
    wanted: dict[str, bytes] = {}
    for item in [base, case] if base else [case]:
        round_ = carry(post(request(item, task, evaluator)))
        assert round_.status == "succeeded", (round_.error_id, round_.error)
        for attachment in round_.attachments.all():
            assert not attachment.error_id, attachment.error
            source = next(entry for entry in item["attachments"] if entry["name"] == attachment.name)
            wanted[attachment.path] = decode(source["url"])[1]
    head = get_host("local").head(repo_of(round_))
    assert head is not None
    assert evaluator.by_nonce(f"nonce-{id}")[0]["commit_sha"] == head.commit_sha
    files = get_host("local").read(repo_of(round_), head.commit_sha, {})
    assert {"LICENSE", ".nojekyll", "index.html"} <= set(files)
    assert {"README.md", ".github/README.md"} & set(files)
    for path, content in wanted.items():
        assert files[path] == content or asks_to_change(case["brief"], path), path
