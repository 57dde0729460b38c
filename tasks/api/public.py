"""What a stranger may read of a round: sentences of this service's own, chosen by id or stage.

The stored texts name attachments, checks and hosts of the request, and quote what the evaluator and other services answered; an evaluator's refusal
often repeats the e-mail. Those are for staff (`tasks.api.access.is_trusted`).
"""

from __future__ import annotations

from tasks import errors
from tasks.models import Round
from tasks.pipeline import BLOCKED

DEGRADED = {
    "attachment-missing": "An attachment could not be used.",
    "checks-failed": "Some checks of the page fail.",
    "fallback-page": "The page was written without a model.",
    "live-checks-failed": "Some checks fail on the live page.",
    "page-not-live": "The page was not live in time.",
    "repair-stopped": "A last repair of the page was not made.",
    "version-refused": "A version was refused by the checks that guard publishing; an earlier one is published.",
    "workflow-failed": "The workflow that publishes the page failed.",
}
WAITING = {
    "attachments": "an attachment's server",
    "generate": "the model",
    "evaluate": "the checks",
    "publish": "the repository's host",
    "verify": "the page to go live",
    "notify": "the evaluator",
}
_ERRORS = {kind.id: kind("").message for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.TaskError)}


def error(id: str) -> str:
    """The sentence that every error of this id begins as, with its cure."""
    return _ERRORS.get(id, _ERRORS["internal"])


def degraded(id: str) -> str:
    return DEGRADED.get(id, "Less than what was asked is delivered.")


def waiting_for(round_: Round) -> str | None:
    """What the round waits for, by its stage."""
    if not round_.waiting_for:
        return None
    return BLOCKED if round_.waiting_for == BLOCKED else WAITING.get(round_.stage, "its turn")
