"""What a generator is asked and what it answers.

A backend makes exactly one call to one model and reports what happened; the chain of models, the deadline, retries, storing and parsing belong
to `stages/generate.py`. No secret ever enters a prompt: `Inputs` holds nothing but what is here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar

MOST_TOKENS = 100_000_000


@dataclass(frozen=True)
class AttachedFile:
    """An attachment as the model may know it."""

    path: str
    media_type: str
    size: int
    profile: str  # head of a text, columns and sums of a table, size of an image
    content: bytes = field(repr=False, default=b"")


@dataclass(frozen=True)
class Image:
    """An image that goes to the model as it is."""

    path: str
    media_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True)
class Inputs:
    """Everything a generator may know of a round."""

    kind: str  # build, revise or repair
    task: str
    round: int
    brief: str
    checks: tuple[str, ...] = ()
    attachments: tuple[AttachedFile, ...] = ()
    required: tuple[str, ...] = ()  # file names that the brief or the checks name
    files: dict[str, bytes] = field(default_factory=dict)  # the present files, for revise and repair
    feedback: str = ""  # what failed, for repair


@dataclass(frozen=True)
class Prompt:
    """`system` and `user` are rendered from templates/prompts; `inputs` is what they were rendered from."""

    system: str
    user: str
    inputs: Inputs
    images: tuple[Image, ...] = ()


@dataclass(frozen=True)
class Answer:
    """One answer, as it came. `finish` is stop, length, blocked or the vendor's own word; only stop and length carry usable text."""

    text: str
    model: str
    finish: str = "stop"
    tokens_in: int | None = None
    tokens_out: int | None = None
    seconds: float = 0.0


def token_count(value: object) -> int | None:
    """A number of tokens as a service states it; None for anything that is none, or that no answer can have."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_TOKENS else None


class Generator(ABC):
    name: ClassVar[str]
    supports_images: ClassVar[bool] = False
    supports_repair: ClassVar[bool] = True  # False: asking again would give the same answer

    @abstractmethod
    def models(self) -> tuple[str, ...]:
        """The chain of models, the preferred one first."""

    @abstractmethod
    def ask(self, prompt: Prompt, model: str, seconds: float) -> Answer:
        """One call, over after `seconds` of wall-clock time whatever the other side does.

        Raises `ModelKeyRefused` (stop: nobody's call will work), `ModelRefused` (this model never), `ModelUnavailable` or `RateLimited`
        with `retry_at` (this model not now). An empty or blocked answer is an `Answer` with its `finish`, not an error."""
