"""One GitHub token's connection: sends through PyGithub's requester, counts calls, turns every trouble into one of our errors, and hands out
only answers that hold what they must.

PyGithub's own pacing and retries are off: it repeats POSTs on 5xx, sleeps for an hour inside the worker when limited, and takes an HTML page
for an empty object. Waits are rows here (`RemoteUnavailable`, `RateLimited`), and the pace is the budget that all workers share."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils import timezone
from github import Auth, Github

from tasks.errors import GitHubRefused, Misconfigured, RateLimited, RemoteUnavailable, TaskError
from tasks.hosts import write_budget
from tasks.hosts.github_errors import classify, from_exception
from tasks.wall_clock import within

TIMEOUT_SECONDS = 20  # to connect, and between two bytes; GitHub itself cuts a request after ten seconds
CALL_SECONDS = 30.0  # for the whole call: an answer that comes byte by byte meets no other limit
# A repository just made can answer 404 for some seconds, mostly fewer than three. This much is waited for in the call, by one connection in
# all; beyond it the row waits.
WAITS = (0.25, 0.5, 1.0, 1.0)
SETTING_UP = "GitHub is still setting up the new repository; the round tries again by itself."


@dataclass(frozen=True)
class Answer:
    """What GitHub answered: status, headers with lower-case names, body as text."""

    status: int
    headers: dict[str, Any]
    text: str

    @property
    def data(self) -> Any:
        """The JSON of the body; `RemoteUnavailable` when it is something else."""
        try:
            return json.loads(self.text)
        except ValueError:
            raise unexpected(self, "is not JSON") from None

    def find(self, *path: str) -> Any:
        """The value below these keys, None when there is none."""
        value = self.data
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        return value

    def get(self, *path: str, kind: type = str) -> Any:
        """The value below these keys, of that type; `RemoteUnavailable` when it is missing (a gateway's page with status 200, say)."""
        value = self.find(*path)
        if not isinstance(value, kind) or value == "":
            raise unexpected(self, f"has no {'.'.join(path)}")
        return value

    def sha(self, *path: str) -> str:
        value: str = self.get(*path)
        if not re.fullmatch(r"[0-9a-f]{40}", value):
            raise unexpected(self, f"has no sha in {'.'.join(path)}")
        return value


def unexpected(answer: Answer, what: str) -> RemoteUnavailable:
    return RemoteUnavailable(
        f"GitHub's answer {what}; the round tries again by itself.", detail=f"{answer.status} {' '.join(answer.text.split())[:300]}"
    )


class Client:
    _streaks: dict[str, int] = {}  # token key -> limits without a named time in a row, in this process

    def __init__(self) -> None:
        self.token = settings.GITHUB_TOKEN
        if not self.token:
            raise Misconfigured("GITHUB_TOKEN is not set; set it, or set REPO_HOST=local.")
        self.requests = 0
        self._waits = iter(WAITS)
        self._github = Github(
            auth=Auth.Token(self.token),
            base_url=settings.GITHUB_API_URL,
            retry=None,
            timeout=TIMEOUT_SECONDS,
            seconds_between_requests=None,
            seconds_between_writes=None,
        )

    def reserve(self, writes: int) -> None:
        """Take writes from the token's budget before they are made."""
        write_budget.reserve(self.token, writes)

    def call(self, verb: str, path: str, body: dict[str, Any] | None = None, *, allow: tuple[int, ...] = (), young: bool = False) -> Answer:
        """One call, repeated only while a `young` repository is not visible yet. Statuses below 300 and those in `allow` are returned, the
        rest are raised."""
        while True:
            answer = self._send(verb, path, body)
            if answer.status < 300 or (answer.status in allow and not (young and answer.status == 404)):
                if verb != "GET":
                    self._streaks.pop(self.token, None)
                return answer
            error = self.error(answer)
            early = young and (answer.status == 404 or (answer.status == 409 and isinstance(error, RemoteUnavailable)))
            if not early:
                raise error
            pause = next(self._waits, None)
            if pause is None:
                if answer.status in allow:
                    return answer
                raise RemoteUnavailable(SETTING_UP, detail=error.detail)
            time.sleep(pause)

    def error(self, answer: Answer) -> TaskError:
        """The error that an answer stands for; a limit is noted for every worker."""
        return self._noted(classify(answer.status, answer.headers, answer.text, now=timezone.now(), streak=self._streaks.get(self.token, 0)))

    def _send(self, verb: str, path: str, body: dict[str, Any] | None) -> Answer:
        if not self.requests:
            write_budget.check(self.token)
        self.requests += 1
        try:
            status, headers, text = within(CALL_SECONDS, lambda: self._github.requester.requestJson(verb, path, input=body))
        except Exception as raised:
            error = from_exception(raised, now=timezone.now())
            if error is None:
                raise
            raise self._noted(error) from raised
        return Answer(status, headers, text)

    def _noted(self, error: TaskError) -> TaskError:
        if isinstance(error, RateLimited) and error.retry_at is not None:
            self._streaks[self.token] = self._streaks.get(self.token, 0) + 1
            write_budget.note_limit(self.token, error.retry_at)
        return error


def is_missing_object(error: GitHubRefused) -> bool:
    """Whether a tree was refused because an object that it names is not there."""
    return "is not a valid" in error.detail and "tree.sha" in error.detail
