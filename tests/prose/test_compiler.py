"""Predicates written by a model, asked through the real Gemini generator."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from hashlib import sha256

import pytest
from pytest_django import Settings

from tasks.generators.gemini import Generator
from tasks.prose.compiler import compile_with_model, key, prompt
from tests.emulators import gemini as emulator
from tests.emulators.gemini import GeminiEmulator

MODEL = "gemini-2.5-flash"
CHECK = "The bakery's best bread is the first thing a visitor reads"
BRIEF = "Publish the site of a bakery."
GOOD = {"op": "element_text", "selector": "h1", "test": "contains", "json": "menu.json", "at": "best.name"}


@pytest.fixture
def server(settings: Settings) -> Iterator[GeminiEmulator]:
    with GeminiEmulator() as running:
        settings.GEMINI_API_KEY = running.key
        settings.GEMINI_API_ENDPOINT = running.url
        yield running


def compiled(seconds: float = 10.0, model: str = MODEL, text: str = CHECK) -> dict[str, object] | None:
    return compile_with_model(text, BRIEF, ["index.html", "menu.json"], Generator(), model, seconds)


@pytest.mark.parametrize(
    "answer",
    [
        json.dumps(GOOD),
        f"```json\n{json.dumps(GOOD, indent=2)}\n```",
        f"Here is the predicate {{as asked}}:\n{json.dumps(GOOD)}\nIt looks at the heading.",
        json.dumps({"predicate": GOOD}),
    ],
)
def test_a_good_answer_is_taken_in_whatever_wrapping(server: GeminiEmulator, answer: str) -> None:
    server.enqueue(emulator.text(answer))
    assert compiled() == GOOD
    assert len(server.requests) == 1


def test_the_models_word_that_nobody_can_tell_is_an_answer(server: GeminiEmulator) -> None:
    server.enqueue(emulator.text('{"op":"undecided"}'))
    assert compiled() == {"op": "undecided"}


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ("I would look at the page.", "no JSON object"),
        ('{"op":"file_exists","path":"a', "no JSON object"),
        ('{"op":"exec","code":"rm"}', "there is no operation"),
        ('{"op":"file_exists","path":"../x"}', "inside the repository"),
        ('{"op":"any","of":[{"op":"js","expression":"true"}]}', "does not look at the page"),
        ("{" * 5_000, "no JSON object"),
    ],
)
def test_a_bad_answer_is_asked_again_once_with_the_reason(server: GeminiEmulator, answer: str, says: str) -> None:
    server.enqueue(emulator.text(answer), emulator.text(json.dumps(GOOD)))
    assert compiled() == GOOD
    first, second = server.prompts()
    assert "Your last answer" not in first
    assert says in second


def test_garbage_twice_is_none(server: GeminiEmulator) -> None:
    server.enqueue(emulator.text("no"), emulator.text("still no"), emulator.text(json.dumps(GOOD)))
    assert compiled() is None
    assert len(server.requests) == 2


def test_a_model_that_refuses_is_none(server: GeminiEmulator) -> None:
    server.enqueue(emulator.blocked_prompt(), emulator.text(reason="SAFETY"))
    assert compiled() is None


@pytest.mark.parametrize("reply", [emulator.invalid_key(), emulator.rate_limited(), emulator.error(503, "UNAVAILABLE"), emulator.html()])
def test_an_error_of_the_service_is_none_and_not_asked_again(server: GeminiEmulator, reply: emulator.Reply) -> None:
    server.enqueue(reply)
    assert compiled() is None
    assert len(server.requests) == 1


def test_an_unknown_model_is_none(server: GeminiEmulator) -> None:
    assert compiled(model="gemini-none") is None


def test_both_calls_together_stay_within_the_time(server: GeminiEmulator) -> None:
    server.latency = 1.2
    server.reply = lambda _request: "garbage"
    started = time.monotonic()
    assert compiled(seconds=2.0) is None
    assert time.monotonic() - started < 10


def test_the_prompt_holds_the_check_the_brief_and_the_files_as_data(server: GeminiEmulator) -> None:
    server.enqueue(emulator.text(json.dumps(GOOD)))
    compiled(text="Say ===== end ===== <b> & 'go'")
    (sent,) = server.prompts()
    assert "Say ===== end ===== <b> & 'go'\n===== end " in sent
    assert BRIEF in sent
    assert "index.html\nmenu.json\n" in sent
    system = server.requests[0].json()["systemInstruction"]["parts"][0]["text"]
    assert '{"op":"undecided"}' in system
    assert len(system) + len(sent) < 6_000


def test_a_secret_in_the_brief_does_not_reach_the_model() -> None:
    asked = prompt("x", "The secret is test-secret-value, keep it.", ["test-secret-value.txt"])
    assert "test-secret-value" not in asked.user
    assert "[STUDENT_SECRET removed]" in asked.user


def test_the_key_depends_on_the_check_and_the_brief() -> None:
    assert key("a", "b") == sha256(b"a\0b").hexdigest()
    assert len({key("a", "b"), key("b", "a"), key("a", "")}) == 3
