"""Is everything there that this installation needs? One finding a question, each with the cure.

Asks from outside what settings and system checks cannot know: keys, rights, programs, clock, disk, reachability. It writes nothing. The command
`doctor` and the page of the same name show the same findings; `here` asks this service and this machine, `elsewhere` asks other services.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace

from tasks.doctor import elsewhere, here
from tasks.doctor.finding import MARKS, Finding, State, as_text
from tasks.redaction import redact

__all__ = ["MARKS", "QUESTIONS", "Finding", "Question", "State", "as_text", "ask", "examine"]


@dataclass(frozen=True)
class Question:
    """`apart`: it waits for other programs or services and asks nothing of the database, so a thread of its own asks it."""

    group: str
    find: Callable[[], Iterator[Finding]]
    apart: bool = False

    @property
    def name(self) -> str:
        return self.find.__name__.replace("_", " ")

    def answer(self) -> list[Finding]:
        """Its findings; a fault of ours is one of them. Never raises."""
        found: list[Finding] = []
        try:
            found.extend(self.find())
        except Exception as error:
            reason = redact(f"{type(error).__name__}: {error}")[:300]
            found.append(Finding(self.name, "error", reason, "Report this: it is a fault of ours."))
        return [replace(finding, group=self.group) for finding in found]


QUESTIONS = (
    Question("This service", here.configuration),
    Question("This service", here.keys),
    Question("This service", here.database),
    Question("This service", here.worker),
    Question("This service", here.queue),
    Question("This machine", here.chromium, apart=True),
    Question("This machine", here.runner, apart=True),
    Question("This machine", here.disk),
    Question("Other services", elsewhere.model, apart=True),
    Question("Other services", elsewhere.github, apart=True),
    Question("Other services", elsewhere.public_url, apart=True),
)


def ask() -> Iterator[tuple[Question, list[Finding]]]:
    """Each question with its findings, as soon as it is answered."""
    with ThreadPoolExecutor(max_workers=len(QUESTIONS)) as pool:
        waiting = {pool.submit(question.answer): question for question in QUESTIONS if question.apart}
        for question in QUESTIONS:
            if not question.apart:
                yield question, question.answer()
        for future in as_completed(waiting):
            yield waiting[future], future.result()


def examine() -> list[Finding]:
    """All findings, in the order of the questions. Never raises."""
    answers = dict(ask())
    return [finding for question in QUESTIONS for finding in answers[question]]
