"""A whole class: ten POSTs at once and two to a host, in little memory, each task once, also when the sender is killed in the middle.

An ordinary run takes 150; ISSUE=all takes 3,000 and is what the README's figures are from.
"""

from __future__ import annotations

import os
import secrets
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from tests.classroom.students import Students

COUNT = 3_000 if os.environ.get("ISSUE") == "all" else 150
HOSTS = 30
MEMORY_MB = 40  # that a class may take beyond ten students
BRIEF = "sales-total"
SETUP = """
from datetime import datetime, UTC
from tasks.classroom.sealing import seal
from tasks.models import Submission
now, emails = datetime.now(UTC), ["s%d@example.org" % n for n in range({count})]
sealed = [seal("secret-of-%d" % n, email) for n, email in enumerate(emails)]
urls = ["http://127.0.1.%d:{port}/ready" % (n % {hosts} + 1) for n in range({count})]
made = [Submission(email=email, endpoint=url, sealed_secret=secret, submitted_at=now) for email, url, secret in zip(emails, urls, sealed)]
Submission.objects.bulk_create(made)
"""
MEASURED = """
import resource, sys
from django.core.management import call_command
import django
django.setup()
try:
    call_command("issue_round", "{brief}", "--json", *{args!r})
finally:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, file=sys.stderr)
"""


class Installation:
    """A data folder with a database of its own, and commands on it as child processes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        given = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL", "LOG_FILE")}
        own = {
            "DJANGO_SETTINGS_MODULE": "deployer.settings",
            "ENV_FILE": os.devnull,
            "DATA_DIR": str(folder),
            "SECRET_KEY": secrets.token_urlsafe(50),
        }
        self.env = given | own | {"ALLOWED_PRIVATE_HOSTS": "127.0.0.0/16", "PUBLIC_URL": "http://127.0.0.1:9", "LOG_LEVEL": "WARNING"}
        self.run("manage.py", "migrate", "--noinput", "--verbosity", "0")

    def start(self, *args: str) -> subprocess.Popen[str]:
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen([sys.executable, *args], cwd=settings.BASE_DIR, env=self.env, **pipes)

    def run(self, *args: str) -> tuple[str, str]:
        child = self.start(*args)
        out, err = child.communicate(timeout=900)
        assert child.returncode == 0, err[-2000:]
        return out, err

    def rows(self, question: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.folder / "deployer.sqlite3", timeout=30, isolation_level=None)) as database:
            return database.execute(question).fetchall()

    def statuses(self) -> dict[str, int]:
        return dict(self.rows("select status, count(*) from tasks_issuedtask group by status"))

    def issue(self, *args: str) -> tuple[int, float]:
        """(largest resident set in MB, seconds)"""
        began = time.monotonic()
        _, err = self.run("-c", MEASURED.format(brief=BRIEF, args=args))
        return int(err.split()[-1]), time.monotonic() - began


@pytest.mark.timeout(900)
def test_a_class_is_sent_each_task_once_in_little_memory_also_after_a_kill(tmp_path: Path, capsys: Any) -> None:
    installation = Installation(tmp_path)
    with Students(host="0.0.0.0", latency=0.02) as students:
        port = int(students.url.rpartition(":")[2])
        installation.run("manage.py", "shell", "--no-imports", "--command", SETUP.format(port=port, hosts=HOSTS, count=COUNT))
        few, _ = installation.issue("--limit", "10")

        killed = installation.start("manage.py", "issue_round", BRIEF, "--json")
        end = time.monotonic() + 300
        while len(students.requests) < COUNT // 3 and time.monotonic() < end:
            time.sleep(0.01)
        os.kill(killed.pid, signal.SIGKILL)
        killed.communicate()
        left = installation.statuses()
        assert left["pending"] > 0
        assert 0 < left["sending"] <= 10  # their answers are lost

        most, seconds = installation.issue()
        assert installation.statuses() == {"accepted": COUNT - left["sending"], "sending": left["sending"]}
        installation.rows("update tasks_issuedtask set sent_at = datetime('now', '-1 hour') where status = 'sending'")
        installation.issue()
        assert installation.statuses() == {"accepted": COUNT - left["sending"], "uncertain": left["sending"]}
        sent = Counter(body["nonce"] for body in students.bodies)
        assert COUNT - left["sending"] <= len(sent) <= COUNT
        assert set(sent.values()) == {1}

        installation.issue("--again-uncertain")
        assert installation.statuses() == {"accepted": COUNT}
        assert len({body["email"] for body in students.bodies}) == COUNT
        assert {body["secret"] for body in students.bodies} == {f"secret-of-{number}" for number in range(COUNT)}
    assert max(students.most.values()) <= 2
    assert most - few <= MEMORY_MB
    with capsys.disabled():
        sys.stdout.write(f"\n{left['pending']:,} tasks in {seconds:.1f} s, {most} MB (ten: {few} MB)\n")
