"""The models: Gemini, and any service with OpenAI's interface. Each has a chain of models, so that one which fails gives way to the next."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from tasks.models import Round
from tests.emulators import gemini, openai
from tests.emulators.base import Reply, json_reply
from tests.faults.cells import FOR_EVER, LIVE, Cell, Ends, Waits, degraded
from tests.faults.world import ANSWER, World

FALLBACK = degraded("fallback-page")
ASLEEP = "Every model asks to slow down or is not available"
CUT = ANSWER[: len(ANSWER) // 2]
PROSE = "I would start with a table of the products. Then I would add up their sales."
GARBAGE = "\ufffd\x07 {]] <<<<<<< " * 40


@dataclass(frozen=True)
class Fault:
    """One answer. `seconds`: what the row waits when the whole chain gives it (None: it does not wait for that, it falls back)."""

    name: str
    reply: Reply
    seconds: float | None = None
    asked_again: bool = False  # the answer is kept, and the next model asked, whatever the chain
    asks: int = 1  # of one model: a request that is refused is sent again without its pictures


def of_gemini(world: World) -> object:
    world.ask_gemini()
    return world.model


def of_chat(world: World) -> object:
    world.ask_chat()
    return world.chat


SERVICES = {"gemini": (of_gemini, 3), "openai": (of_chat, 2)}


def cell(service: str, place: str, fault: Fault, times: int, **more: Any) -> Cell:
    ask, _ = SERVICES[service]

    def start(world: World) -> None:
        world.trouble(ask(world), *[fault.reply] * times)  # type: ignore[arg-type]

    return Cell(service, place, fault.name, start, **more)


def once(service: str, fault: Fault, limit: float = 2.0) -> Cell:
    """The first model fails, the second one writes the page: nobody waits, nothing is lost."""
    return cell(service, "first-model", fault, fault.asks, limit=limit)


def all_models(service: str, fault: Fault) -> Cell:
    """Every model fails once: the row waits, or falls back where waiting cannot help."""
    chain = SERVICES[service][1] * fault.asks
    if fault.seconds is None:
        return cell(service, "all-models", fault, chain, ends=FALLBACK)
    return cell(service, "all-models", fault, chain, waits=Waits("generate", "rate-limited", fault.seconds, ASLEEP))


def lasting(service: str, fault: Fault, seconds: float, ends: Ends = LIVE, limit: float = 2.0) -> Cell:
    """Every model fails for so long: the page is the model's if it comes back in time, else the fallback."""
    waits = None if fault.seconds is None else Waits("generate", "rate-limited", fault.seconds, ASLEEP)
    return cell(service, "all-models", fault, 1, waits=waits, ends=ends, lasts=seconds, limit=limit)


def with_oddities(reply: Reply, **changes: Any) -> Reply:
    """The answer with other values at its top level; half characters stay as JSON escapes them."""
    return json_reply({**json.loads(reply.body), **changes})


def odd(service: str, name: str, reply: Reply) -> Cell:
    """A page, with something around or inside it that no column takes: it is the model's page all the same."""
    return cell(service, "answer", Fault(name, reply), 1, also=one_ask)


def one_ask(world: World, round_: Round) -> None:
    assert len(world.model.requests) + len(world.chat.requests) == 1


UNSTORABLE = ANSWER.replace("Sales", "Sales \ud83d\0")
HTML_200 = Reply(200, b"<html>Sign in</html>", {"Content-Type": "text/html"})

GEMINI = {
    fault.name: fault
    for fault in (
        Fault("400-key-invalid", gemini.invalid_key()),
        Fault("400-invalid-argument", gemini.error(400, "INVALID_ARGUMENT"), asks=2),
        Fault("400-region", gemini.error(400, "FAILED_PRECONDITION", "User location is not supported for the API use."), asks=2),
        Fault("401", gemini.error(401, "UNAUTHENTICATED")),
        Fault("403", gemini.error(403, "PERMISSION_DENIED")),
        Fault("404-model", gemini.error(404, "NOT_FOUND", "models/x is not found for API version v1beta.")),
        Fault("429-retry-info", gemini.rate_limited("20s"), 20),
        Fault("429-retry-after", gemini.rate_limited(headers={"Retry-After": "25"}), 25),
        Fault("429-bare", gemini.rate_limited(), 1),
        Fault("429-day", gemini.rate_limited("20s", "GenerateRequestsPerDayPerProjectPerModel-FreeTier")),
        Fault("500", gemini.error(500, "INTERNAL"), 1),
        Fault("502-html", gemini.html(), 1),
        Fault("503", gemini.error(503, "UNAVAILABLE", "The model is overloaded. Please try again later."), 1),
        Fault("504", gemini.error(504, "DEADLINE_EXCEEDED"), 1),
        Fault("html-with-200", HTML_200, 1),
        Fault("reset", Reply(fault="reset"), 1),
        Fault("cut-body", gemini.text(ANSWER, fault="cut"), 1),
        Fault("hang", Reply(fault="hang"), 1),
        Fault("endless", gemini.text(ANSWER, fault="drip"), 1),
        Fault("half-a-character", gemini.text(ANSWER.replace("Sales", "Sales \ud83d")), 1),
        Fault("empty", gemini.empty(), asked_again=True),
        Fault("empty-object", json_reply({}), asked_again=True),
        Fault("blocked", gemini.blocked_prompt(), asked_again=True),
        Fault("safety", gemini.text(reason="SAFETY"), asked_again=True),
        Fault("recitation", gemini.text(reason="RECITATION"), asked_again=True),
        Fault("unknown-reason", gemini.text(reason=4711), asked_again=True),
        Fault("cut-at-max-tokens", gemini.text(CUT, reason="MAX_TOKENS"), asked_again=True),
        Fault("garbage", gemini.text(GARBAGE), asked_again=True),
        Fault("prose-only", gemini.text(PROSE), asked_again=True),
    )
}
CHAT = {
    fault.name: fault
    for fault in (
        Fault("400", openai.error(400), asks=2),
        Fault("401-key", openai.error(401, "Incorrect API key provided.", "invalid_api_key")),
        Fault("402-credit", openai.error(402)),
        Fault("404-model", openai.error(404)),
        Fault("429-retry-after", openai.error(429, headers={"Retry-After": "20"}), 20),
        Fault("429-bare", openai.error(429), 1),
        Fault("500", openai.error(500), 1),
        Fault("503", openai.error(503), 1),
        Fault("error-in-200", openai.error(502, http=200), 1),
        Fault("html-with-200", HTML_200, 1),
        Fault("reset", Reply(fault="reset"), 1),
        Fault("cut-body", openai.text(ANSWER, fault="cut"), 1),
        Fault("hang", Reply(fault="hang"), 1),
        Fault("empty", openai.text(""), asked_again=True),
        Fault("blocked", openai.text("", finish="content_filter"), asked_again=True),
        Fault("cut-at-length", openai.text(CUT, finish="length"), asked_again=True),
        Fault("prose-only", openai.text(PROSE), asked_again=True),
    )
}
KEYS = {"400-key-invalid", "401", "401-key"}  # a refused key is refused for every model
NEVER = {"hang", "endless"}

CELLS: list[Cell] = [
    *(once("gemini", fault, limit=1.0 if fault.name in NEVER else 2.0) for fault in GEMINI.values() if fault.name not in KEYS),
    *(cell("gemini", "any-model", fault, 1, ends=FALLBACK) for fault in GEMINI.values() if fault.name in KEYS),
    *(all_models("gemini", fault) for fault in GEMINI.values() if not fault.asked_again and fault.name not in KEYS | NEVER),
    *(
        lasting("gemini", fault, FOR_EVER, FALLBACK)
        for fault in GEMINI.values()
        if fault.asked_again or fault.name in {"503", "429-retry-info", "reset"}
    ),
    *(lasting("gemini", GEMINI[name], 120.0) for name in ("500", "503", "429-retry-info", "429-bare", "reset")),
    lasting("gemini", GEMINI["hang"], FOR_EVER, FALLBACK, limit=0.1),
    *(once("openai", fault, limit=1.0 if fault.name in NEVER else 2.0) for fault in CHAT.values() if fault.name not in KEYS),
    cell("openai", "any-model", CHAT["401-key"], 1, ends=FALLBACK),
    *(all_models("openai", fault) for fault in CHAT.values() if not fault.asked_again and fault.name not in KEYS | NEVER),
    *(lasting("openai", CHAT[name], FOR_EVER, FALLBACK) for name in ("503", "429-retry-after", "prose-only")),
    lasting("openai", CHAT["503"], 120.0),
    # answers that hold a page, and something that no column of a database takes
    odd("gemini", "nul", gemini.text(ANSWER.replace("Sales", "Sal\0es"))),
    odd("gemini", "long-model-version", gemini.text(ANSWER, version="m" * 500)),
    odd("gemini", "negative-tokens", gemini.text(ANSWER, tokens=(-1, -1))),
    odd("gemini", "too-many-tokens", gemini.text(ANSWER, version="gemini-2.5-pro", tokens=(10**9, 10**9))),
    odd("openai", "half-a-character-and-nul", openai.text(UNSTORABLE)),
    odd("openai", "long-model-name", openai.text(ANSWER, model="m" * 500)),
    odd("openai", "odd-usage", with_oddities(openai.text(ANSWER), usage={"prompt_tokens": "many", "completion_tokens": -5})),
    odd("openai", "huge-usage", with_oddities(openai.text(ANSWER), usage={"prompt_tokens": 10**20, "completion_tokens": 0.5})),
]
