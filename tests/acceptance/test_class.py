"""The whole circle on one machine: a round is issued to this service's own /ready, which builds it and reports to its own /notify in time."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tasks.demo.stack import Stack
from tests.worker.box import until

pytestmark = pytest.mark.worker

ENROL = """
from django.utils import timezone
from tasks.classroom.sealing import seal
from tasks.models import Submission
for email in ("ann@example.org", "bob@example.org"):
    Submission.objects.create(email=email, endpoint="{url}/ready", sealed_secret=seal("{secret}", email), submitted_at=timezone.now())
"""
TOLD = """
import json
from tasks.models import RepoReport
columns = ("issued__submission__email", "issued__round", "issued__task", "issued__status", "is_late", "state", "repo_url", "commit_sha", "pages_url")
print(json.dumps(list(RepoReport.objects.order_by("id").values_list(*columns))))
"""


def shell(stack: Stack, program: str) -> str:
    return stack.manage("shell", "--no-imports", "--command", program)


def reports(stack: Stack) -> int:
    with closing(sqlite3.connect(stack.folder / "deployer.sqlite3", timeout=30)) as database:
        return int(database.execute("select count(*) from tasks_reporeport").fetchone()[0])


def test_both_rounds_are_issued_built_by_the_own_service_and_reported_in_time(tmp_path: Path) -> None:
    with Stack(tmp_path / "data", workers=2, env={"EVALUATE": "off"}) as stack:
        shell(stack, ENROL.format(url=stack.url, secret=stack.secret))

        def told(count: int) -> list[Any]:
            until(lambda: reports(stack) >= count, 30, f"{count} reports")
            return list(json.loads(shell(stack, TOLD)))

        for round_ in (1, 2):
            said = json.loads(stack.manage("issue_round", "sales-total", "--round", str(round_), "--json"))
            assert said["sent"] == {"accepted": 2}
            newest = told(2 * round_)[-2:]
            assert {report[0] for report in newest} == {"ann@example.org", "bob@example.org"}
            for report in newest:
                assert report[1] == round_
                assert report[3:6] == ["accepted", False, "queued"]
                assert report[6].startswith(f"{stack.url}/repos/")
                assert len(report[7]) == 40
                assert report[8].startswith(f"{stack.url}/pages/")
        assert len({report[2] for report in told(4)}) == 2  # round 2 is of the same task
