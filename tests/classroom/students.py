"""A class on loopback: students' services that keep what they are sent, and a brief that needs no file."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any

import pytest

from tasks.classroom import briefs
from tasks.classroom.briefs import BriefError, Made
from tests.emulators.base import Emulator, Reply, Request, json_reply

BRIEF = "sum-of-sales"


def make(name: str, email: str, seed: str, round: int = 1, variant: int | None = None) -> Made:
    """Deterministic, and different for each student and round."""
    if round not in (1, 2):
        raise BriefError(f"{name} has no round {round}: use 1 to 2.")
    text = f"{name} for {email}, made from {seed}, round {round}."
    attachments = [{"name": f"round{round}.csv", "url": "data:text/csv;base64,YQ=="}]
    return Made(brief_id=name, round=round, variant=round + 10, seed=seed, brief=text, checks=[{"js": "true"}], attachments=attachments)


def use_brief(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(briefs, "names", lambda: [BRIEF])
    monkeypatch.setattr(briefs, "make", make)


class Students(Emulator):
    """All services of a class; `most` is how many requests were answered at once to one host name."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.most: Counter[str] = Counter()
        self._now: Counter[str] = Counter()
        self._lock = threading.Lock()

    def endpoint(self, host: str = "127.0.0.1") -> str:
        return f"{self.url.replace('127.0.0.1', host)}/ready"

    def _reply_to(self, request: Request) -> Reply:
        host = request.headers["host"]
        with self._lock:
            self._now[host] += 1
            self.most[host] = max(self.most[host], self._now[host])
        try:
            return super()._reply_to(request)
        finally:
            with self._lock:
                self._now[host] -= 1

    def answer(self, request: Request) -> Reply:
        return json_reply({"status": "ready"})

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [request.json() for request in self.requests]
