"""What is said of a report: the repository's own checks, those on its files, and whose fault it is when nothing can be said."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.utils import timezone

from tasks.classroom.evaluating import git, pack, queue
from tasks.models import RepoReport
from tests.classroom.evaluating.work import ATTACHED, CSV, FILES, evaluated, issue, make_repo, make_report, someone
from tests.emulators.github import GitHubEmulator
from tests.emulators.github_store import Repository

pytestmark = pytest.mark.django_db

PUBLIC = "repository:the-repository-is-public"
COMMIT = "repository:the-repository-has-the-reported-commit"
MADE = "repository:the-repository-was-made-after-the-request"
HISTORY = "history:no-version-of-any-file-holds-a-secret"
LICENSE = "license:license-holds-the-mit-license"
ATTACHMENT = "attachments:the-attachment-data-csv-is-published-byte-for-byte"
CHECK = "v3-check-1"
TOKEN = "ghp_" + "aB3dE5fG7hJ9kL1mN2pQ4rS6tU8vW0xY1zA2"
SAID_HERE = {PUBLIC, COMMIT, MADE, HISTORY, LICENSE, ATTACHMENT}


@pytest.fixture(autouse=True)
def _no_browser(settings: LazySettings) -> None:
    settings.CHROMIUM_PATH = "no-browser-here"


def changed(**files: bytes | None) -> dict[str, bytes]:
    """The right files with these ones other, or left out."""
    whole: dict[str, bytes | None] = {**FILES, **{name.replace("__", "."): data for name, data in files.items()}}
    return {path: data for path, data in whole.items() if data is not None}


def test_a_right_repository_passes_every_check_that_needs_no_browser_and_no_model(github: GitHubEmulator) -> None:
    report = make_report(github, make_repo(github, FILES))
    results = evaluated(report)
    assert report.state == "done"
    open_ = {key: result.status for key, result in results.items() if result.status != "pass"}
    assert {key.partition(":")[0] for key in open_} == {CHECK, "page", "judge"}
    assert {status for key, status in open_.items() if key.startswith("judge")} == {"skipped"}
    assert set(results) > SAID_HERE
    assert (report.facts["commits"], report.facts["files"], report.facts["created_from"]) == (1, len(FILES), "github")
    assert set(report.prints["files"]) == {"index.html", "README.md"}
    assert report.prints["marks"]
    assert report.evaluated_at
    assert report.lease_owner == ""


def test_without_a_browser_the_page_and_its_checks_are_our_error_and_not_a_failure(github: GitHubEmulator) -> None:
    report = make_report(github, make_repo(github, FILES))
    results = evaluated(report)
    assert (results["page:the-page-loads"].status, results[CHECK].status) == ("error", "error")
    assert "CHROMIUM_PATH" in results[CHECK].reason or "Chromium" in results[CHECK].reason
    assert list(queue.with_our_errors()) == [report]


Change = Callable[[GitHubEmulator, Repository, RepoReport], Any]


def set_(**fields: Any) -> Change:
    return lambda _github, _repo, report: RepoReport.objects.filter(pk=report.pk).update(**fields)


def private(_github: GitHubEmulator, repo: Repository, _report: RepoReport) -> None:
    repo.private = True


def older(_github: GitHubEmulator, repo: Repository, _report: RepoReport) -> None:
    repo.created_at = datetime.now(UTC) - timedelta(days=3)


def redirected(github: GitHubEmulator, _repo: Repository, _report: RepoReport) -> None:
    github.fault("GET", r"/info/refs$", 1, "status", status=302, headers={"Location": "http://10.0.0.5/a.git/info/refs?service=git-upload-pack"})


def dumb(github: GitHubEmulator, _repo: Repository, _report: RepoReport) -> None:
    github.fault("GET", r"/info/refs$", 1, "html-200")


def limited(github: GitHubEmulator, _repo: Repository, _report: RepoReport) -> None:
    github.fault("GET", r"^/repos/student/sales$", 1, "status", status=403, headers={"Retry-After": "60"}, body=b'{"message": "rate limit exceeded"}')


MISDEEDS: list[tuple[str, dict[str, bytes], Change | None, dict[str, str], str]] = [
    ("private", FILES, private, dict.fromkeys(SAID_HERE, "fail"), "HTTP 401"),
    (
        "another sha",
        FILES,
        set_(commit_sha="b" * 40),
        {PUBLIC: "pass", COMMIT: "fail", MADE: "pass", LICENSE: "fail", ATTACHMENT: "fail"},
        "bbbbbbbbbb",
    ),
    ("no license", changed(LICENSE=None), None, {LICENSE: "fail", COMMIT: "pass"}, "no file LICENSE"),
    ("no LICENSE but its name", changed(LICENSE=b"MIT"), None, {LICENSE: "fail"}, "not the whole text"),
    ("an attachment that is another", changed(data__csv=CSV + b"\n"), None, {ATTACHMENT: "fail"}, "differ"),
    ("an older repository", FILES, older, {MADE: "fail", PUBLIC: "pass"}, "before the request"),
    ("a redirect to a private address", FILES, redirected, dict.fromkeys(SAID_HERE, "fail"), "not at a public address"),
    ("no repository but a page", FILES, dumb, dict.fromkeys(SAID_HERE, "fail"), "not as a git repository"),
    ("a limit of GitHub's", FILES, limited, {MADE: "error", PUBLIC: "pass", LICENSE: "pass"}, "Evaluate it again later"),
    ("an empty repository", {}, None, {PUBLIC: "pass", COMMIT: "fail", MADE: "pass", LICENSE: "fail", HISTORY: "fail"}, "no commit"),
]


@pytest.mark.parametrize(
    ("files", "change", "expected", "word"), [case[1:] for case in MISDEEDS if case[3]], ids=[case[0] for case in MISDEEDS if case[3]]
)
def test_what_is_wrong_fails_where_it_is_wrong(
    github: GitHubEmulator, files: dict[str, bytes], change: Change | None, expected: dict[str, str], word: str
) -> None:
    repo = make_repo(github, files) if files else make_repo(github)
    report = make_report(github, repo, **({} if files else {"pages_url": f"{github.url}/repos/{repo.full_name}"}))
    if change:
        change(github, repo, report)
    results = evaluated(report)
    assert report.state == "done", report.error
    assert {key: results[key].status for key in expected} == expected
    reasons = [results[key].reason for key, status in expected.items() if status != "pass"]
    assert any(word in reason for reason in reasons), reasons


def test_of_a_missing_repository_everything_fails_but_what_the_live_page_shows(github: GitHubEmulator) -> None:
    whole = evaluated(make_report(github, make_repo(github, FILES)))
    report = make_report(github, repo_url=f"{github.url}/student/nothing", pages_url=f"{github.url}/pages/student/sales/")
    results = evaluated(report)
    assert set(whole) == set(results), "the keys are the same for every student"
    assert {key: result.status for key, result in results.items() if result.kind != "page" and result.status != "fail"} == {}
    assert (report.prints, report.facts) == ({"files": {}, "marks": []}, {})


def test_a_secret_that_was_removed_later_is_found_in_the_history_and_not_repeated(github: GitHubEmulator) -> None:
    slip = {**FILES, "config/keys.js": f'const token = "{TOKEN}";'.encode()}
    report = make_report(github, make_repo(github, FILES, slip, FILES))
    results = evaluated(report)
    found = results[HISTORY]
    assert (found.status, results["leaks:no-file-holds-an-access-key"].status) == ("fail", "pass")
    second = github.commits("sales")[1]
    assert f"{second[:10]} config/keys.js" in found.reason
    assert "GitHub token" in found.reason
    assert TOKEN not in str([vars(result) for result in results.values()])


def test_a_secret_on_another_branch_is_found_too(github: GitHubEmulator) -> None:
    repo = make_repo(github, FILES)
    repo.refs["heads/try"] = repo.refs["heads/main"]
    repo.save_file(".env", f"TOKEN={TOKEN}".encode(), "Try", someone(), branch="try")
    assert evaluated(make_report(github, repo))[HISTORY].status == "fail"


def test_a_repository_made_a_minute_before_by_our_clock_is_in_time_and_round_two_is_held_to_the_first_request(github: GitHubEmulator) -> None:
    repo = make_repo(github, FILES)
    first = issue(sent_at=timezone.now() - timedelta(days=2))
    repo.created_at = first.sent_at - timedelta(seconds=60)
    report = make_report(github, repo, issue(first=first, round=2, submission=first.submission, attachments=[], task=first.task))
    results = evaluated(report)
    assert results[MADE].status == "pass"
    assert results[ATTACHMENT].status == "pass", "attachments of round 1 are still to be there"


def test_an_attachment_that_a_brief_asks_to_change_need_not_be_as_it_was_sent(github: GitHubEmulator) -> None:
    issued = issue(brief="Fix the bug in data.csv and publish a page that sums its sales.")
    results = evaluated(make_report(github, make_repo(github, changed(data__csv=b"other\n1\n")), issued))
    assert results["attachments:the-attachment-data-csv-is-published-in-its-revised-form"].status == "pass"


@pytest.mark.parametrize("kind", ["reset", "status"])
def test_trouble_of_the_network_is_tried_three_times_and_is_nobodys_failure(github: GitHubEmulator, kind: str) -> None:
    github.fault("GET", r"/info/refs$", 3, kind, **({"status": 503} if kind == "status" else {}))
    report = make_report(github, make_repo(github, FILES))
    waits = []
    for _ in range(2):
        assert evaluated(report) == {}
        assert (report.state, report.lease_owner) == ("queued", "")
        waits.append(round((report.due_at - timezone.now()).total_seconds(), -1))
    assert waits == [20, 60]
    assert "looked at again" in report.error
    assert evaluated(report) == {}
    assert report.state == "error"
    assert queue.evaluate_again(queue.with_our_errors()) == 1
    assert evaluated(report)[PUBLIC].status == "pass"
    assert (report.state, report.error, report.attempt) == ("done", "", 1)


def test_a_repository_beyond_our_limits_is_an_error_at_once_with_the_former_results_kept(
    github: GitHubEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = make_repo(github, {**FILES, "big.bin": bytes(100_000)})
    report = make_report(github, repo)
    before = evaluated(report)
    for module, name, most in ((pack, "MAX_OBJECT", 50_000), (pack, "MAX_UNPACKED", 50_000), (pack, "MAX_OBJECTS", 3), (git, "MAX_BYTES", 500)):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, most)
            queue.evaluate_again(RepoReport.objects.all())
            after = evaluated(report)
            assert (report.state, set(after)) == ("error", set(before))
            assert "larger than" in report.error


def test_a_bug_of_ours_is_an_error_with_the_trace_in_the_log(github: GitHubEmulator, monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    monkeypatch.setattr("tasks.classroom.evaluating.verdicts.results", lambda *_: 1 / 0)
    report = make_report(github, make_repo(github, FILES))
    evaluated(report)
    assert (report.state, "ZeroDivisionError" in report.error) == ("error", True)
    assert "ZeroDivisionError" in caplog.text


def test_a_broken_evaluator_is_our_error_even_where_it_guards(github: GitHubEmulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.files.mit.is_mit", lambda _: 1 / 0)
    results = evaluated(make_report(github, make_repo(github, FILES)))
    assert results["license:license-evaluator"].status == "error"


def test_a_page_that_is_not_there_is_looked_at_three_times_and_has_then_failed_with_its_checks(github: GitHubEmulator) -> None:
    repo = make_repo(github, FILES)
    repo.pages = None
    report = make_report(github, repo)
    for pause in (20, 60):
        assert evaluated(report) == {}
        assert (report.state, round((report.due_at - timezone.now()).total_seconds(), -1)) == ("queued", pause)
        assert "404" in report.error
    results = evaluated(report)
    assert report.state == "done"
    for key in ("page:the-page-loads", "page:the-page-throws-no-errors", CHECK):
        assert results[key].status == "fail"
        assert "404" in results[key].reason
    assert results[LICENSE].status == "pass"


def test_a_page_that_appears_meanwhile_is_seen_at_the_second_look(github: GitHubEmulator) -> None:
    repo = make_repo(github, FILES)
    site, repo.pages = repo.pages, None
    report = make_report(github, repo)
    evaluated(report)
    repo.pages = site
    assert evaluated(report)[PUBLIC].status == "pass"
    assert (report.state, report.attempt) == ("done", 2)


def test_a_page_at_a_private_address_is_refused_at_once_and_nobody_goes_there(github: GitHubEmulator, settings: LazySettings) -> None:
    settings.ALLOWED_PRIVATE_HOSTS = []
    report = make_report(github, make_repo(github, FILES), pages_url="http://127.0.0.1:9/secret")
    results = evaluated(report)
    assert (report.state, report.attempt) == ("done", 1)
    assert "not at a public address" in results["page:the-page-loads"].reason
    assert "not at a public address" in results[CHECK].reason
    assert results[PUBLIC].status == "pass", "GitHub's own site is the operator's setting"


def test_files_of_the_students_own_make_no_keys_of_their_own(github: GitHubEmulator) -> None:
    files = {**FILES, "my_tool.py": b"x = 1\n", "other.py": b"x = (\n", ".github/workflows/me.yml": b"on: push\n"}
    results = evaluated(make_report(github, make_repo(github, files)))
    found = results["python:a-file-of-the-student-s-own-is-valid-python"]
    assert (found.status, "other.py" in found.reason) == ("fail", True)
    assert not [key for key in results if "my-tool" in key or "other" in key or "me-yml" in key]


def test_each_check_has_its_number_also_twins_and_empty_ones(github: GitHubEmulator) -> None:
    checks = ["data.csv exists", "data.csv exists", "", "README.md is charming", {"js": "1 === 1", "name": "one is one"}]
    results = evaluated(make_report(github, make_repo(github, FILES), issue(checks=checks, attachments=ATTACHED)))
    assert [results[f"v3-check-{number}"].status for number in range(1, 6)] == ["pass", "pass", "skipped", "undecided", "error"]
    assert (results["v3-check-5"].title, results["v3-check-5"].expression) == ("one is one", "1 === 1")
    assert {results[f"v3-check-{number}"].source for number in range(1, 6)} == {"task"}
