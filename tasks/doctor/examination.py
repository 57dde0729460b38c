"""An examination that goes on while nobody waits for it: a web process has few threads, and one question may take ten seconds."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connections
from django.utils import timezone

from tasks.doctor import QUESTIONS, Finding, Question, ask

log = logging.getLogger(__name__)


@dataclass
class Examination:
    """What is known of one examination; `finished_at` is set when every question is answered."""

    started_at: datetime = field(default_factory=timezone.now)
    finished_at: datetime | None = None
    answers: dict[Question, list[Finding]] = field(default_factory=dict)

    @property
    def findings(self) -> list[Finding]:
        """So far, in the order of the questions."""
        return [finding for question in QUESTIONS for finding in self.answers.get(question, [])]

    @property
    def mark(self) -> str:
        """Tells it from others, and when it began."""
        return f"{self.started_at.timestamp():.6f}"

    @property
    def unanswered(self) -> list[Question]:
        return [question for question in QUESTIONS if question not in self.answers]

    def carry_out(self) -> None:
        try:
            for question, findings in ask():
                self.answers[question] = findings
                if all(question.apart for question in self.unanswered):
                    connections.close_all()  # nothing more is asked of the database, and the slow questions need not hold a connection
        except Exception:
            log.exception("the doctor's examination failed")
        finally:
            connections.close_all()
            self.finished_at = timezone.now()


_lock = threading.Lock()
_latest: Examination | None = None


def latest() -> Examination | None:
    """The last one of this process, whether it goes on or has ended."""
    return _latest


def begin() -> Examination:
    """Start one, unless one is under way."""
    global _latest
    with _lock:
        if _latest is None or _latest.finished_at is not None:
            _latest = Examination()
            threading.Thread(target=_latest.carry_out, name="doctor", daemon=True).start()
        return _latest
