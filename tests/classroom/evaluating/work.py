"""What a student made, on the emulated GitHub: a repository with its Pages site, and the report on it."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone

from tasks.classroom.evaluating import queue, work
from tasks.files.mit import license_text
from tasks.models import CheckResult, IssuedTask, RepoReport
from tests.emulators.github import GitHubEmulator
from tests.emulators.github_pages import Site
from tests.emulators.github_store import Person, Repository
from tests.factories import make_issued

SENT = timedelta(minutes=5)  # ago
README = b"""# Sales

## Summary

A page that sums the sales column of data.csv and shows the total, for anybody who wants to see it at a glance without a spreadsheet at hand.

## Setup

Nothing is to be installed: copy the files to any static web server, or open the published page.

## Usage

Open index.html in a browser; the total stands below the heading, and it is worked out anew at each visit.

## Code explanation

The script in index.html loads data.csv with fetch, adds the numbers of the second column and writes the sum into the page.

## License

MIT, see LICENSE.
"""
PAGE = b"<!doctype html><html lang=en><head><title>Sales</title></head><body><h1>Sales</h1><p id=total-sales>5</p></body></html>"
CSV = b"product,sales\npen,2\nink,3\n"
FILES = {"index.html": PAGE, "data.csv": CSV, "README.md": README, "LICENSE": license_text(2026, "A Student").encode(), ".nojekyll": b""}
ATTACHED = [{"name": "data.csv", "url": "data:text/csv;base64,cHJvZHVjdCxzYWxlcwpwZW4sMgppbmssMwo="}]


def someone(when: datetime | None = None) -> Person:
    return Person("A Student", "student@example.org", when or datetime.now(UTC).replace(microsecond=0))


def make_repo(github: GitHubEmulator, *versions: dict[str, bytes], name: str = "sales", **fields: Any) -> Repository:
    """A public repository with a commit for each of the versions, and a Pages site of the last."""
    repo = github.add_repository(github.owner, name, **fields)
    head: list[str] = []
    for number, files in enumerate(versions):
        tree = repo.make_tree({path: ("100644", repo.add_blob(data)) for path, data in files.items()})
        person = someone(datetime.now(UTC) - timedelta(seconds=60 - number))
        head = [repo.make_commit(tree, head, f"Version {number}", person, person)]
    if head:
        repo.refs["heads/main"] = head[0]
        repo.pages = Site("main", "/", 0.0)
        repo.pages.build(head[0], versions[-1]).live_from = time.monotonic()
    return repo


def make_report(github: GitHubEmulator | None = None, repo: Repository | None = None, issued: IssuedTask | None = None, **fields: Any) -> RepoReport:
    """A report on the repository's last commit and its page."""
    if github and repo:
        tip = repo.refs.get("heads/main", "0" * 40)
        fields = {"repo_url": f"{github.url}/{repo.full_name}", "commit_sha": tip, "pages_url": github.site_url(repo), **fields}
    fields = {"repo_url": "http://127.0.0.1:9/r", "commit_sha": "0" * 40, "pages_url": "http://127.0.0.1:9/", **fields}
    return RepoReport.objects.create(issued=issued or issue(), **fields)


def issue(**fields: Any) -> IssuedTask:
    now = timezone.now()
    defaults: dict[str, Any] = {"variant": 3, "attachments": ATTACHED, "sent_at": now - SENT, "deadline_at": now + SENT, "status": "accepted"}
    return make_issued(**{**defaults, **fields})


def evaluated(report: RepoReport) -> dict[str, CheckResult]:
    """Evaluate it now, whatever it waits for; its results by key."""
    RepoReport.objects.filter(pk=report.pk).update(due_at=timezone.now())
    lease = queue.claim()
    assert lease is not None
    assert lease.round_id == report.pk
    work.carry_out(lease)
    report.refresh_from_db()
    return {result.key: result for result in report.check_results.all()}
