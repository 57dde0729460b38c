"""What a browser saw, as plain values; and how they grow, event by event, so that a browser that had to be killed still leaves what it had seen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

CheckStatus = Literal["pass", "fail", "error"]
Place = Literal["site", "remote", "private"]


@dataclass(frozen=True)
class Failure:
    """A request that came to nothing. `place` is where it went: to the site itself, to another public address, or to one that no visitor could
    reach. `unreachable` is a remote one that got no answer at all: that may be the network here, and not the page."""

    url: str
    reason: str
    place: Place
    kind: str = ""  # Script, Stylesheet, Image, Fetch, …

    @property
    def local(self) -> bool:
        return self.place == "site"

    @property
    def unreachable(self) -> bool:
        return self.place == "remote" and not self.reason.startswith("answered")


@dataclass(frozen=True)
class CheckOutcome:
    """One JavaScript check. `value` is what the expression was worth at the end; `seen` what the page held where the expression looks: the title,
    and per selector the number of elements and the first one's HTML. `error`: the check could not be tried (not JavaScript, or our fault)."""

    expression: str
    status: CheckStatus
    reason: str = ""
    value: str = ""
    seconds: float = 0.0
    seen: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Shot:
    name: str  # desktop or phone
    width: int
    height: int
    media_type: str
    content: bytes


@dataclass(frozen=True)
class Violation:
    """One broken rule of axe-core: `impact` is minor, moderate, serious or critical, `count` the number of elements, `target` its first selector."""

    id: str
    impact: str
    help: str
    count: int
    target: str = ""


@dataclass(frozen=True)
class Report:
    """`available` is False where no browser could be had, with the cure in `reason`. Sizes in bytes, times in seconds, memory in 10⁶ bytes."""

    available: bool
    reason: str = ""
    loaded: bool = False
    status: int | None = None
    title: str = ""
    errors: tuple[str, ...] = ()  # uncaught exceptions, crashes, endless scripts
    console: tuple[str, ...] = ()  # "level: text"
    failed: tuple[Failure, ...] = ()
    checks: tuple[CheckOutcome, ...] = ()
    shots: tuple[Shot, ...] = ()
    axe: tuple[Violation, ...] | None = None  # None: not looked at
    overflow: dict[int, bool] = field(default_factory=dict)  # width in pixels: is the page wider than the window
    widest: dict[int, str] = field(default_factory=dict)  # width in pixels: selector of the element that makes it so
    bytes: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    memory_peak_mb: float = 0.0
    stopped: str = ""  # why the browser was killed before it was done
    ours: bool = False  # and that was no doing of the page
    isolation: tuple[str, ...] = ()  # of "namespace", "nobody", "sandbox": what kept the page in, beside the proxy


class Collected:
    """Takes the runner's events and makes the report of them."""

    def __init__(self, expressions: tuple[str, ...]) -> None:
        self.expressions = expressions
        self.values: dict[str, Any] = {}
        self.errors: list[str] = []
        self.console: list[str] = []
        self.failed: list[Failure] = []
        self.checks: dict[int, CheckOutcome] = {}
        self.shots: list[Shot] = []
        self.axe: tuple[Violation, ...] | None = None
        self.done = False
        self.unavailable = ""

    def take(self, event: dict[str, Any], blob: bytes) -> None:
        getattr(self, f"_{event.pop('event')}")(blob=blob, **event)

    def _done(self, blob: bytes) -> None:
        self.done = True

    def _unavailable(self, blob: bytes, reason: str) -> None:
        self.unavailable = reason

    def _page(self, blob: bytes, **values: Any) -> None:
        self.values |= values

    def _overflow(self, blob: bytes, width: int, over: bool, widest: str) -> None:
        self.values.setdefault("overflow", {})[width] = over
        if over:
            self.values.setdefault("widest", {})[width] = widest

    def _error(self, blob: bytes, text: str) -> None:
        self.errors.append(text)

    def _console(self, blob: bytes, text: str) -> None:
        self.console.append(text)

    def _failed(self, blob: bytes, **failure: Any) -> None:
        self.failed.append(Failure(**failure))

    def _check(self, blob: bytes, index: int, **outcome: Any) -> None:
        self.checks[index] = CheckOutcome(self.expressions[index], **outcome)

    def _shot(self, blob: bytes, **shot: Any) -> None:
        self.shots.append(Shot(content=blob, **shot))

    def _axe(self, blob: bytes, violations: list[dict[str, Any]]) -> None:
        self.axe = tuple(Violation(**violation) for violation in violations)

    def report(self, stopped: str, *, ours: bool, **measured: float) -> Report:
        """`stopped` says why the checks that are left have no outcome; `ours`: it was no doing of the page."""
        if self.unavailable:
            return Report(available=False, reason=self.unavailable, **measured)  # type: ignore[arg-type]
        rest: CheckStatus = "error" if ours else "fail"
        checks = (
            self.checks.get(index) or CheckOutcome(expression, rest, f"No outcome: {stopped}") for index, expression in enumerate(self.expressions)
        )
        self.values["isolation"] = tuple(self.values.get("isolation", ()))
        return Report(
            available=True,
            errors=tuple(self.errors),
            console=tuple(self.console),
            failed=tuple(self.failed),
            checks=tuple(checks),
            shots=tuple(self.shots),
            axe=self.axe,
            stopped=stopped,
            ours=ours,
            **self.values,
            **measured,  # type: ignore[arg-type]
        )
