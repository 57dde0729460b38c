"""No model and no network: an honest page made by fixed rules from the brief, the ids it names and the attachments.

The same inputs give the same answer. It is the generator of an installation without keys, and the last resort of every other one. Tests
queue answers of their own with `Generator.enqueue`, so that the whole pipeline can be driven without a fake of it.
"""

from __future__ import annotations

import time
from collections import deque
from typing import ClassVar

from tasks.generators import base
from tasks.generators.base import Answer, Prompt
from tasks.generators.fallback.site import write


class Generator(base.Generator):
    name = "offline"
    supports_repair = False
    queue: ClassVar[deque[str | Answer | Exception]] = deque()

    @classmethod
    def enqueue(cls, *answers: str | Answer | Exception) -> None:
        """The next answers, before the rules are asked again; an exception is raised instead of an answer."""
        cls.queue.extend(answers)

    def models(self) -> tuple[str, ...]:
        return ("offline",)

    def ask(self, prompt: Prompt, model: str, seconds: float) -> Answer:
        started = time.monotonic()
        queued = self.queue.popleft() if self.queue else write(prompt.inputs)
        if isinstance(queued, Exception):
            raise queued
        if isinstance(queued, Answer):
            return queued
        return Answer(text=queued, model=model, seconds=time.monotonic() - started)
