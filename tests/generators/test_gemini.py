"""The real SDK against the emulator, over HTTP."""

from __future__ import annotations

import base64
import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from pytest_django import Settings

from tasks.errors import ModelKeyRefused, ModelRefused, ModelUnavailable, RateLimited, TaskError
from tasks.generators import gemini
from tasks.generators.base import Image, Inputs, Prompt
from tasks.generators.gemini import Generator
from tests.emulators import gemini as emulator
from tests.emulators.base import Reply, json_reply
from tests.emulators.gemini import GeminiEmulator

KEY = "AIza-only-for-these-tests-0123456789"
MODEL = "gemini-2.5-flash"


@pytest.fixture
def server(settings: Settings) -> Iterator[GeminiEmulator]:
    with GeminiEmulator(key=KEY) as running:
        settings.GEMINI_API_KEY = KEY
        settings.GEMINI_API_ENDPOINT = running.url
        yield running


def prompt(user: str = "Make a page.", images: tuple[Image, ...] = ()) -> Prompt:
    return Prompt("You build web pages.", user, Inputs("build", "demo", 1, "Make a page."), images)


def ask(seconds: float = 10.0, **fields: object) -> gemini.Answer:
    return Generator().ask(prompt(**fields), MODEL, seconds)  # type: ignore[arg-type]


def test_the_answers_text_model_and_tokens_come_back(server: GeminiEmulator) -> None:
    server.enqueue(emulator.text("<file", ' path="a">', version="gemini-2.5-flash-001", tokens=(12, 34)))
    answer = ask()
    assert (answer.text, answer.finish, answer.model) == ('<file path="a">', "stop", "gemini-2.5-flash-001")
    assert (answer.tokens_in, answer.tokens_out) == (12, 34)
    assert 0 < answer.seconds < 10


def test_an_answer_that_names_no_model_is_from_the_one_that_was_asked(server: GeminiEmulator) -> None:
    server.enqueue(emulator.text("x"))
    assert ask().model == MODEL


def test_the_prompt_goes_out_as_user_text_and_system_instruction(server: GeminiEmulator) -> None:
    ask()
    sent = server.requests[0].json()
    assert server.requests[0].path == f"/v1beta/models/{MODEL}:generateContent"
    assert sent["contents"] == [{"role": "user", "parts": [{"text": "Make a page."}]}]
    assert sent["systemInstruction"]["parts"] == [{"text": "You build web pages."}]
    assert sent["generationConfig"]["maxOutputTokens"] == gemini.MAX_OUTPUT_TOKENS
    assert sent["generationConfig"]["temperature"] == pytest.approx(gemini.TEMPERATURE)


def test_the_key_travels_in_the_header_alone(server: GeminiEmulator) -> None:
    ask()
    request = server.requests[0]
    assert request.headers["x-goog-api-key"] == KEY
    assert KEY not in request.path + json.dumps(request.query) + request.body.decode()


def test_a_models_thoughts_are_not_part_of_the_text(server: GeminiEmulator) -> None:
    server.enqueue(emulator.text("page", thoughts=("I think first.",), tokens=(3, 4)))
    answer = ask()
    assert answer.text == "page"
    assert answer.tokens_out == 9  # four of text, five of thought: both are paid for


def test_a_cut_answer_keeps_its_text_and_says_length(server: GeminiEmulator) -> None:
    server.enqueue(emulator.text("half a pa", reason="MAX_TOKENS"))
    answer = ask()
    assert (answer.text, answer.finish) == ("half a pa", "length")


def test_an_answer_cut_before_its_first_word_says_length(server: GeminiEmulator) -> None:
    server.enqueue(emulator.text(reason="MAX_TOKENS"))
    answer = ask()
    assert (answer.text, answer.finish) == ("", "length")


@pytest.mark.parametrize(
    ("reason", "word"),
    [("SAFETY", "safety"), ("RECITATION", "recitation"), ("PROHIBITED_CONTENT", "prohibited_content"), (47, "reason-47"), ("NEW_WORD", "new_word")],
)
def test_a_withheld_answer_says_why(server: GeminiEmulator, reason: str | int, word: str) -> None:
    server.enqueue(emulator.text(reason=reason))
    answer = ask()
    assert (answer.text, answer.finish) == ("", word)


def test_every_finish_reason_of_the_sdk_fits_its_column() -> None:
    assert all(len(gemini.finish_word(reason.value, False)) <= 20 for reason in gemini.genai.protos.Candidate.FinishReason)


def test_a_blocked_prompt_is_an_answer_that_says_so(server: GeminiEmulator) -> None:
    server.enqueue(emulator.blocked_prompt("PROHIBITED_CONTENT"))
    answer = ask()
    assert (answer.text, answer.finish) == ("", "blocked")


def test_no_candidate_at_all_is_an_empty_answer(server: GeminiEmulator) -> None:
    server.enqueue(emulator.empty(), json_reply({}), emulator.text(""))
    assert [ask().finish for _ in range(3)] == ["empty", "empty", "empty"]


# -- errors ----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (emulator.invalid_key(KEY), ModelKeyRefused),
        (emulator.error(401, "UNAUTHENTICATED"), ModelKeyRefused),
        (emulator.error(400, "INVALID_ARGUMENT"), ModelRefused),
        (emulator.error(400, "FAILED_PRECONDITION", "User location is not supported."), ModelRefused),
        (emulator.error(403, "PERMISSION_DENIED"), ModelRefused),
        (emulator.error(404, "NOT_FOUND"), ModelRefused),
        (emulator.rate_limited(), RateLimited),
        (emulator.error(500, "INTERNAL"), ModelUnavailable),
        (emulator.error(503, "UNAVAILABLE", "The model is overloaded."), ModelUnavailable),
        (emulator.error(504, "DEADLINE_EXCEEDED"), ModelUnavailable),
        (emulator.html(502), ModelUnavailable),
        (emulator.html(200), ModelUnavailable),
        (Reply(500, b"[]"), ModelUnavailable),
        (Reply(500, b'{"error": "text"}'), ModelUnavailable),
        (Reply(403, b"\xff\xfe"), ModelRefused),
        (Reply(200, b"[1]"), ModelUnavailable),
        (Reply(200, b'{"candidates": 3}'), ModelUnavailable),
        (Reply(200, b"\xff{}"), ModelUnavailable),
        (Reply(200, b""), ModelUnavailable),
        (Reply(302, b"", {"Location": "/v1beta/elsewhere"}), ModelRefused),
        (Reply(fault="reset"), ModelUnavailable),
        (Reply(200, b"{" + b" " * 5000, fault="cut"), ModelUnavailable),
    ],
)
def test_every_refusal_has_its_error_after_one_request(server: GeminiEmulator, reply: Reply, error: type[TaskError]) -> None:
    server.enqueue(reply)
    with pytest.raises(error) as caught:
        ask()
    assert type(caught.value).id == error.id
    assert len(server.requests) == 1


def test_no_error_holds_the_key(server: GeminiEmulator, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        for reply in (emulator.invalid_key(KEY), emulator.error(403, "PERMISSION_DENIED", f"key {KEY}"), Reply(fault="reset")):
            server.enqueue(reply)
            with pytest.raises(TaskError) as caught:
                ask()
            assert KEY not in caught.value.message + caught.value.detail + str(caught.value)
    assert KEY not in caplog.text


def test_a_refused_key_names_the_setting(server: GeminiEmulator, settings: Settings) -> None:
    settings.GEMINI_API_KEY = "AIza-another-key-that-is-wrong-000000"
    with pytest.raises(ModelKeyRefused, match="GEMINI_API_KEY"):
        ask()


def test_without_a_key_nothing_is_sent(server: GeminiEmulator, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.GEMINI_API_KEY = ""
    monkeypatch.setenv("GOOGLE_API_KEY", "a-key-of-something-else")
    with pytest.raises(ModelKeyRefused, match="not set"):
        ask()
    assert server.requests == []


def test_a_model_that_is_not_there_is_named(server: GeminiEmulator) -> None:
    with pytest.raises(ModelRefused, match=r"gemini-1\.0-gone"):
        Generator().ask(prompt(), "gemini-1.0-gone", 10)


@pytest.mark.parametrize(
    ("reply", "seconds"),
    [
        (emulator.rate_limited("7s"), 7),
        (emulator.rate_limited("1.5s"), 1.5),
        (emulator.rate_limited(headers={"Retry-After": "30"}), 30),
        (emulator.rate_limited("2s", quota="GenerateRequestsPerDayPerProjectPerModel-FreeTier"), gemini.DAY_QUOTA_SECONDS),
    ],
)
def test_a_rate_limit_says_when_to_come_back(server: GeminiEmulator, reply: Reply, seconds: float) -> None:
    server.enqueue(reply)
    before = datetime.now(UTC)
    with pytest.raises(RateLimited) as caught:
        ask()
    assert caught.value.retry_at is not None
    assert timedelta(0) <= caught.value.retry_at - before - timedelta(seconds=seconds) < timedelta(seconds=5)


def test_a_rate_limit_without_a_time_has_none(server: GeminiEmulator) -> None:
    server.enqueue(emulator.rate_limited("soon"))
    with pytest.raises(RateLimited) as caught:
        ask()
    assert caught.value.retry_at is None


def test_nobody_at_the_address_is_unavailable(settings: Settings) -> None:
    with GeminiEmulator() as gone:
        address = gone.url
    settings.GEMINI_API_KEY = KEY
    settings.GEMINI_API_ENDPOINT = address
    with pytest.raises(ModelUnavailable, match="could not be asked"):
        ask()


# -- time ------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reply", [Reply(fault="hang"), Reply(200, b" " * 400, fault="drip", interval=0.05)])
def test_the_call_is_over_at_its_deadline(server: GeminiEmulator, reply: Reply) -> None:
    server.enqueue(reply)
    started = time.monotonic()
    with pytest.raises(ModelUnavailable, match=r"within|ReadTimeout"):  # whichever of the two limits is met first
        ask(seconds=0.4)
    assert time.monotonic() - started < 15


def test_an_abandoned_call_ends_by_itself(server: GeminiEmulator) -> None:
    server.enqueue(Reply(200, b" " * 4000, fault="drip", interval=0.05))
    with pytest.raises(ModelUnavailable):
        ask(seconds=0.3)
    limit = time.monotonic() + 3
    while any(thread.name == "within" for thread in threading.enumerate()) and time.monotonic() < limit:
        time.sleep(0.02)
    assert not [thread for thread in threading.enumerate() if thread.name == "within"]


def test_calls_in_several_threads_keep_their_answers_apart(server: GeminiEmulator) -> None:
    server.reply = lambda request: emulator.prompt_of(request).upper()
    server.latency = 0.05
    answers: dict[str, str] = {}

    def run(word: str) -> None:
        answers[word] = ask(user=word).text

    threads = [threading.Thread(target=run, args=(f"word{n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {f"word{n}": f"WORD{n}" for n in range(8)}


# -- images ----------------------------------------------------------------------------------------------------------------------------


def test_images_go_inline_after_their_names(server: GeminiEmulator) -> None:
    ask(images=(Image("sample.png", "image/png", b"\x89PNG"), Image("b.webp", "image/webp", b"RIFF")))
    parts = server.requests[0].json()["contents"][0]["parts"]
    assert [part.get("text") for part in parts] == ["Make a page.", "The attachment sample.png:", None, "The attachment b.webp:", None]
    assert parts[2]["inlineData"] == {"mimeType": "image/png", "data": base64.b64encode(b"\x89PNG").decode()}


def test_images_that_do_not_fit_or_suit_are_named_instead(server: GeminiEmulator) -> None:
    big = Image("big.png", "image/png", b"\x00" * (9 * 1024 * 1024))
    ask(images=(big, Image("second.png", "image/png", big.content), Image("anim.gif", "image/gif", b"GIF89a"), Image("x.bmp", "image/bmp", b"BM")))
    request = server.requests[0]
    parts = request.json()["contents"][0]["parts"]
    assert [part["text"] for part in parts if "text" in part][1:] == ["The attachment big.png:"]
    assert parts[0]["text"].endswith("not shown to you: second.png, anim.gif, x.bmp.")
    assert len(request.body) < gemini.MAX_REQUEST_BYTES


def test_a_picture_that_the_model_cannot_read_does_not_cost_the_page(server: GeminiEmulator) -> None:
    server.enqueue(emulator.error(400, "INVALID_ARGUMENT", "Unable to process input image."))
    answer = ask(images=(Image("broken.png", "image/png", b"\x89PNG"),))
    assert answer.text == emulator.PAGE
    assert "broken.png" in server.prompts()[1]
    assert b"inlineData" not in server.requests[1].body


# -- start-up --------------------------------------------------------------------------------------------------------------------------


def test_the_models_are_the_settings_ones(settings: Settings) -> None:
    settings.GEMINI_MODELS = ["one", "two"]
    assert Generator().models() == ("one", "two")


def test_importing_the_module_warns_of_nothing_and_starts_no_thread() -> None:
    code = (
        "import django, threading; django.setup(); before = threading.active_count();"
        "import tasks.generators.gemini; assert threading.active_count() == before"
    )
    done = subprocess.run([sys.executable, "-W", "error::FutureWarning", "-c", code], capture_output=True, text=True, env=_environment())
    assert (done.returncode, done.stderr) == (0, "")


def _environment() -> dict[str, str]:
    return {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
