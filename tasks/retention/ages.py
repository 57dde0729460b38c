"""How old things may get. A pure value; the defaults are the ones that the README names."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

ROUNDS_DAYS = 365  # a year of the course
ANSWERS_DAYS = 30
LOGS_DAYS = 30
IDLE_DAYS = 7  # workers that are gone, messages that nobody took


@dataclass(frozen=True)
class Ages:
    """Moments: what is older goes."""

    rounds: datetime
    answers: datetime
    logs: datetime
    idle: datetime
    now: datetime

    @classmethod
    def of_days(cls, rounds: float = ROUNDS_DAYS, answers: float = ANSWERS_DAYS, logs: float = LOGS_DAYS, now: datetime | None = None) -> Ages:
        now = now or timezone.now()

        def ago(days: float) -> datetime:
            return now - timedelta(days=days)

        return cls(ago(rounds), ago(answers), ago(logs), ago(IDLE_DAYS), now)
