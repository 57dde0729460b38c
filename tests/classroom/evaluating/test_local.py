"""Reports on our own host: the same code, with the first commit's time for the day on which the repository was made."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command

from tasks.models import RepoReport
from tests.classroom.evaluating.work import FILES, evaluated, issue, make_report
from tests.hosts.sites import NOON, publish

pytestmark = pytest.mark.django_db(transaction=True)
MADE = "repository:the-repository-was-made-after-the-request"


@pytest.fixture
def reported(live_server: Any, settings: LazySettings, tmp_path: Any) -> RepoReport:
    settings.DATA_DIR, settings.PUBLIC_URL, settings.CHROMIUM_PATH = tmp_path, live_server.url, "no-browser-here"
    settings.ALLOWED_PRIVATE_HOSTS = []
    repo, commit = publish("sales", FILES)
    issued = issue(sent_at=NOON - timedelta(minutes=1))
    return make_report(issued=issued, repo_url=repo.url, commit_sha=commit.sha, pages_url=f"{live_server.url}/pages/sales/")


def test_a_repository_of_our_own_host_is_read_by_git_and_its_first_commit_tells_its_age(reported: RepoReport) -> None:
    results = evaluated(reported)
    assert reported.state == "done", reported.error
    assert {result.status for key, result in results.items() if key.partition(":")[0] not in {"v3-check-1", "page", "judge"}} == {"pass"}
    assert (reported.facts["created_from"], reported.facts["created_at"]) == ("first commit", NOON.isoformat())
    assert "which its author sets" in results[MADE].evidence["note"]


def test_the_command_evaluates_what_waits_then_only_what_it_is_told_to(reported: RepoReport, capsys: Any) -> None:
    def run(*options: str) -> tuple[int, list[dict[str, Any]]]:
        with pytest.raises(SystemExit) as ended:
            call_command("evaluate", "--json", *options)
        return ended.value.code, json.loads(capsys.readouterr().out)

    code, (told,) = run()
    assert (code, told["state"], told["round"]) == (0, "done", 1)
    assert {check["status"] for check in told["checks"] if check["source"] == "task"} == {"error"}
    assert run() == (0, [])
    first = RepoReport.objects.get().evaluated_at
    code, (told,) = run("--errors", "--brief", "sum-of-sales", "--round-number", "1", "--email", reported.issued.submission.email.upper())
    assert RepoReport.objects.get().evaluated_at > first
    assert run("--again", "--round-number", "2") == (0, [])
    code, (told,) = run("--again", "--queue")
    assert (code, told["state"]) == (0, "queued")


def test_the_command_ends_with_1_when_one_could_not_be_evaluated(reported: RepoReport, capsys: Any, settings: LazySettings) -> None:
    settings.ALLOWED_PRIVATE_HOSTS = ["127.0.0.1"]
    RepoReport.objects.update(repo_url="http://127.0.0.1:9/r", attempt=2)
    with pytest.raises(SystemExit) as ended:
        call_command("evaluate")
    assert ended.value.code == 1
    assert "error, 127.0.0.1 refused the connection on port 9." in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [
        ["17", "--errors"],
        ["17", "--email", "a@example.org"],
        ["17", "--queue"],
        ["--files-only"],
        ["--brief", "nothing"],
        ["--email", "no@example.org"],
    ],
)
def test_what_does_not_go_together_or_names_nobody_is_a_usage_error(words: list[str]) -> None:
    with pytest.raises(CommandError) as refused:
        call_command("evaluate", *words)
    assert refused.value.returncode == 2
