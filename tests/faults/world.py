"""The peers of one cell, all real servers on loopback, and the clock."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

import pytest
import time_machine
from django.conf import LazySettings
from django.utils import timezone

from tests.driver import post
from tests.emulators.base import Emulator, Reply, Request, json_reply
from tests.emulators.gemini import GeminiEmulator
from tests.emulators.github import GitHubEmulator
from tests.emulators.openai import OpenAIEmulator
from tests.factories import data_uri
from tests.faults.cells import Cell

NOON = datetime.fromisoformat("2026-11-20T12:00:00+00:00")
KEY = "key-of-the-grid"
PNG = bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001000000010806000000") + bytes(range(256))
CSV = b"product,sales\npen,2\nink,3\n"
README = """# Sales

## Summary
This page adds up the sales column of data.csv and shows the total to the visitor.

## Setup
Nothing needs to be installed: copy the files to any static web server.

## Usage
Open index.html in a browser; the total appears as soon as the file is loaded.

## Code explanation
One page with one inline script that fetches the table and sums the numbers of its last column.

## License
MIT, see LICENSE.
"""
PAGE = '<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>Sales</title></head>\n<body><p id="total-sales">5</p></body>\n</html>\n'
ANSWER = f'<file path="index.html">\n{PAGE}</file>\n<file path="README.md">\n{README}</file>\n'


class Judge(Emulator):
    """The evaluator: takes notifications at any path and answers 200. `accepted` are the bodies that it answered so."""

    def __init__(self) -> None:
        super().__init__()
        self.accepted: list[dict[str, Any]] = []

    def _reply_to(self, request: Request) -> Reply:
        reply = super()._reply_to(request)
        if reply.status == 200 and reply.fault in {"", "drip", "cut"}:
            self.accepted.append(request.json())
        return reply

    def answer(self, request: Request) -> Reply:
        return json_reply({"status": "ok"})

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [request.json() for request in self.requests if request.method == "POST"]


@dataclass
class World:
    cell: Cell
    settings: LazySettings
    patch: pytest.MonkeyPatch
    clock: time_machine.Traveller
    github: GitHubEmulator
    judge: Judge
    model: GeminiEmulator
    chat: OpenAIEmulator
    evaluation_url: str = ""
    judge_is_away: bool = False  # its port refuses connections
    brief: str = "Publish a page that sums the sales column of data.csv inside #total-sales."
    _lifts: list[Callable[[], None]] = field(default_factory=list)
    _stack: ExitStack = field(default_factory=ExitStack)

    @classmethod
    def of(cls, cell: Cell, settings: LazySettings, patch: pytest.MonkeyPatch, clock: time_machine.Traveller) -> Self:
        return cls(cell, settings, patch, clock, GitHubEmulator(), Judge(), GeminiEmulator(), OpenAIEmulator())

    def __enter__(self) -> Self:
        self._stack.enter_context(self.github)
        for name, value in self.github.django_settings().items():
            setattr(self.settings, name, value)
        self.settings.DEMO_API_KEY = KEY
        self.evaluation_url = f"{self.judge.url}/notify"
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def ask_gemini(self, reply: Callable[[dict[str, Any]], str] = lambda _: ANSWER) -> None:
        """Gemini writes the page, from now on."""
        self.model.reply = reply
        self._stack.enter_context(self.model)
        self.settings.GENERATOR, self.settings.GEMINI_API_KEY, self.settings.GEMINI_API_ENDPOINT = "gemini", self.model.key, self.model.url

    def ask_chat(self) -> None:
        """An OpenAI-compatible service does."""
        self._stack.enter_context(self.chat)
        self.settings.GENERATOR, self.settings.OPENAI_API_KEY, self.settings.OPENAI_BASE_URL = "openai", self.chat.key, self.chat.base_url
        self.settings.OPENAI_MODEL = ",".join(self.chat.models)

    def wake_judge(self) -> None:
        self._stack.enter_context(self.judge)
        self.judge_is_away = False

    # -- the trouble -------------------------------------------------------------------------------------------------------------------

    def enter(self, manager: AbstractContextManager[Any]) -> Callable[[], None]:
        """Enter it now; what is returned leaves it, and so does the end of the cell."""
        stack = self._stack.enter_context(ExitStack())
        stack.enter_context(manager)
        return stack.close

    def until_lifted(self, end: Callable[[], None]) -> None:
        self._lifts.append(end)

    def lift(self) -> None:
        """The peer is well again."""
        while self._lifts:
            self._lifts.pop()()

    @property
    def lasting(self) -> bool:
        return self.cell.lasts > 0

    def trouble(self, peer: Emulator, *replies: Reply) -> None:
        """`peer` gives these replies, one after another; when the fault lasts, the last of them until it is lifted."""
        if not self.lasting:
            peer.enqueue(*replies)
            return
        peer.enqueue(*replies[:-1])
        peer.answer = lambda request: replies[-1]  # type: ignore[method-assign]
        self.until_lifted(lambda: delattr(peer, "answer"))

    def github_trouble(self, method: str, path: str, kind: str, times: int = 1, **options: Any) -> None:
        """As `GitHubEmulator.fault`; when the fault lasts, without an end of its own."""
        self.github.fault(method, path, 10**9 if self.lasting else times, kind, **options)
        if self.lasting:
            self.until_lifted(self.github.faults.clear)

    # -- the round ---------------------------------------------------------------------------------------------------------------------

    def post(self, number: int) -> Any:
        """Round `number` of the one task, through /ready."""
        attachments = [{"name": "data.csv", "url": data_uri(CSV, "text/csv")}, {"name": "sample.png", "url": data_uri(PNG, "image/png")}]
        return post(
            {
                "email": "student@example.org",
                "secret": self.settings.STUDENT_SECRET,
                "task": "sum-of-sales-7f3a2",
                "round": number,
                "nonce": f"nonce-{number}",
                "brief": self.brief if number == 1 else "Add a heading that names the product with the highest sales.",
                "checks": [],
                "evaluation_url": self.evaluation_url,
                "attachments": attachments if number == 1 else [],
            }
        )

    @property
    def now(self) -> datetime:
        return timezone.now()

    def travel(self, moment: datetime) -> None:
        self.clock.move_to(moment, tick=False)


def says(message: str, **more: Any) -> bytes:
    """GitHub's error body."""
    return json.dumps({"message": message, "documentation_url": "https://docs.github.com/rest", **more}).encode()
