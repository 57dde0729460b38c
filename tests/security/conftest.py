"""What the security tests share: the doors of the service, a record of every connection that this process opens, and the figures at the end."""

from __future__ import annotations

import itertools
import json
import socket
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tasks.deadline import Deadline
from tasks.errors import NotificationRefused
from tasks.lease import Lease
from tasks.models import Attachment, Deployment, Message, NotificationAttempt, Round
from tasks.stages import attachments, notify
from tasks.stages.base import Work
from tests.admin.conftest import boss, skin
from tests.factories import make_round, make_version
from tests.peers import peer
from tests.security.chromium import chromium

__all__ = ["boss", "chromium", "peer", "skin"]

# -- what this process connects to -----------------------------------------------------------------------------------------------------

_watched: list[tuple[str, int]] | None = None


def _audit(event: str, args: tuple[Any, ...]) -> None:
    if _watched is not None and event == "socket.connect" and args[0].type & socket.SOCK_STREAM and isinstance(args[1], tuple):
        _watched.append(args[1][:2])


sys.addaudithook(_audit)  # the interpreter's own record of every connect, whoever calls it: https://docs.python.org/3/library/audit_events.html


@pytest.fixture
def connects() -> Iterator[list[tuple[str, int]]]:
    """(address, port) of every TCP connection that Python code of this process tries to open."""
    global _watched
    _watched = []
    yield _watched
    _watched = None


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Make the resolver answer for these names alone, each with its lists of addresses in turn, the last one for ever; what was asked."""
    asked: list[str] = []
    genuine = socket.getaddrinfo

    def install(table: dict[str, list[list[str]]]) -> list[str]:
        def getaddrinfo(host: str, port: int, *args: Any, **kwargs: Any) -> list[Any]:
            if ":" in host or host.replace(".", "").isdigit():
                return genuine(host, port, *args, **kwargs)
            asked.append(host)
            if host not in table:
                raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
            answers = table[host]
            addresses = answers[min(asked.count(host), len(answers)) - 1]
            families = [socket.AF_INET6 if ":" in address else socket.AF_INET for address in addresses]
            return [(family, socket.SOCK_STREAM, 6, "", (address, port)) for family, address in zip(families, addresses, strict=True)]

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        return asked

    return install


# -- the doors -------------------------------------------------------------------------------------------------------------------------

_numbers = itertools.count(1)
_own = threading.local()


def ask(method: str, path: str, **more: Any) -> Any:
    """One request of a stranger: no session, no cookie from the one before. A new client would first read the whole folder of static files."""
    if not hasattr(_own, "client"):
        _own.client = Client(raise_request_exception=False)
    _own.client.cookies.clear()
    return getattr(_own.client, method)(path, **more)


def ready(payload: dict[str, Any], **change: Any) -> Any:
    """POST a task of its own to /ready."""
    return ask("post", "/ready", data=json.dumps({**payload, "nonce": f"n{next(_numbers)}", **change}), content_type="application/json")


def work_on(round_: Round) -> Work:
    Round.objects.filter(pk=round_.pk).update(next_run_at=timezone.now() - timedelta(seconds=1))
    lease = Lease.claim(round_.pk)
    assert lease is not None
    return Work(Round.objects.get(pk=round_.pk), lease, Deadline(round_.received_at))


@dataclass
class Doors:
    """The three ways for a request to name an address: each through POST /ready and the stage that goes there."""

    payload: dict[str, Any]
    deployed: Round | None = field(default=None)

    def evaluation_url(self, url: str) -> tuple[int, str]:
        """Status and code of /ready's answer."""
        answer = ready(self.payload, evaluation_url=url)
        return answer.status_code, answer.json().get("code", "")

    def notify(self, url: str) -> NotificationAttempt:
        """One delivery to that address, however it came to be stored."""
        if self.deployed is None:
            self.deployed = make_round(stage="notify")
            version = make_version(self.deployed)
            Deployment.objects.create(
                round=self.deployed, version=version, host="local", repo_url="http://r/", pages_url="http://p/", commit_sha="a" * 40,
                tree_sha="b" * 40, pages_enabled=True, live_at=timezone.now(),
            )  # fmt: skip
        round_ = self.deployed
        NotificationAttempt.objects.filter(round=round_).delete()
        Round.objects.filter(pk=round_.pk).update(evaluation_url=url, lease_owner="", lease_until=None, status="queued", notified_at=None)
        with suppress(NotificationRefused):
            notify.Stage().run(work_on(round_))
        return NotificationAttempt.objects.get(round=round_)

    def fetch(self, *, attachment: str = "", brief: str = "") -> tuple[int, Attachment | None, list[Attachment], list[Message]]:
        """Post a task with that attachment or with that address in its brief, and run the stage that fetches both.

        Status of /ready, the attachment, what was read from the brief's address, and what was said of an address that was not."""
        change: dict[str, Any] = {"attachments": [{"name": "data.csv", "url": attachment}] if attachment else []}
        if brief:
            change["brief"] = f"Fetch {brief} and show its data in a table."
        answer = ready(self.payload, evaluation_url="http://8.8.8.8/notify", **change)
        if answer.status_code != 200:
            return answer.status_code, None, [], []
        round_ = Round.objects.get(uuid=answer.json()["id"])
        attachments.Stage().run(work_on(round_))
        said = Message.objects.filter(round=round_, data__has_key="address")
        return 200, round_.attachments.filter(fetched=False).first(), list(round_.attachments.filter(fetched=True)), list(said)


@pytest.fixture
def doors(payload: dict[str, Any], db: None) -> Doors:
    return Doors(payload)


# -- figures ---------------------------------------------------------------------------------------------------------------------------


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """The count of guard vectors by family, from what each test recorded."""
    tried: Counter[str] = Counter()
    held: Counter[str] = Counter()
    doors = 0
    for outcome in ("passed", "failed", "error"):
        for report in terminalreporter.stats.get(outcome, []):
            recorded = dict(getattr(report, "user_properties", []))
            if "vector" in recorded:
                tried[recorded["vector"]] += 1
                held[recorded["vector"]] += outcome == "passed"
                doors += recorded.get("doors", 0)
    if not tried:
        return
    terminalreporter.section("address guard")
    for family, count in tried.items():
        terminalreporter.write_line(f"{family:<46}{held[family]:>4} of {count:>3} held")
    terminalreporter.write_line(
        f"{sum(tried.values())} vectors, {doors} attempts through the doors of a request, {sum((tried - held).values())} got through"
    )
