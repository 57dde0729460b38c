"""The generator against the emulator, over HTTP."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pytest_django import Settings

from tasks.errors import Misconfigured, ModelKeyRefused, ModelRefused, ModelUnavailable, RateLimited, TaskError
from tasks.generators.base import Answer, Image, Inputs, Prompt
from tasks.generators.openai import MAX_IMAGE_BYTES, Generator
from tests.emulators import openai as emulator
from tests.emulators.base import Reply
from tests.emulators.openai import OpenAIEmulator

KEY = "a-key-only-for-these-tests"


@pytest.fixture
def server(settings: Settings) -> Iterator[OpenAIEmulator]:
    with OpenAIEmulator(key=KEY) as running:
        settings.OPENAI_API_KEY = KEY
        settings.OPENAI_BASE_URL = running.base_url
        settings.OPENAI_MODEL = "small, large"
        yield running


def ask(seconds: float = 10.0, images: tuple[Image, ...] = (), model: str = "small") -> Answer:
    return Generator().ask(Prompt("You build web pages.", "Make a page.", Inputs("build", "demo", 1, "Make a page."), images), model, seconds)


def test_the_chain_is_the_comma_list_of_the_setting(server: OpenAIEmulator) -> None:
    assert Generator().models() == ("small", "large")


def test_an_empty_setting_is_an_empty_chain(settings: Settings) -> None:
    settings.OPENAI_MODEL = ""
    assert Generator().models() == ()


def test_the_answers_text_model_and_tokens_come_back(server: OpenAIEmulator) -> None:
    answer = ask()
    assert (answer.text, answer.finish, answer.model) == (emulator.PAGE, "stop", "small-2026")
    assert (answer.tokens_in, answer.tokens_out) == (21, 9)
    assert 0 < answer.seconds < 10


def test_an_answer_without_usage_counts_nothing(server: OpenAIEmulator) -> None:
    server.enqueue(emulator.text(usage=False))
    answer = ask()
    assert (answer.tokens_in, answer.tokens_out, answer.model) == (None, None, "small")


def test_the_prompt_goes_out_as_a_system_and_a_user_message(server: OpenAIEmulator) -> None:
    ask()
    assert server.requests[0].json()["messages"] == [
        {"role": "system", "content": "You build web pages."},
        {"role": "user", "content": "Make a page."},
    ]
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"


def test_a_service_without_keys_gets_none(server: OpenAIEmulator, settings: Settings) -> None:
    server.key = settings.OPENAI_API_KEY = ""
    ask()
    assert "authorization" not in server.requests[0].headers


@pytest.mark.parametrize(
    ("reply", "text", "finish"),
    [
        (emulator.text("cut", finish="length"), "cut", "length"),
        (emulator.text("x", finish="content_filter"), "x", "blocked"),
        (emulator.text(None, extra={"refusal": "No."}), "", "blocked"),
        (emulator.text("x", finish=None), "x", "stop"),
        (emulator.text(""), "", "empty"),
        (emulator.text(None), "", "empty"),
        (emulator.text("x", finish="a_word_that_is_longer_than_its_column"), "x", "a_word_that_is_longe"),
        (emulator.text([{"type": "text", "text": "a"}, {"type": "reasoning", "text": "no"}, {"type": "text", "text": "b"}]), "ab", "stop"),
        (emulator.text("<think>\nlet me see\n</think>\n\npage"), "page", "stop"),
        (emulator.text("page", extra={"reasoning_content": "let me see"}), "page", "stop"),
    ],
)
def test_every_kind_of_answer_has_its_text_and_finish(server: OpenAIEmulator, reply: Reply, text: str, finish: str) -> None:
    server.enqueue(reply)
    answer = ask()
    assert (answer.text, answer.finish) == (text, finish)


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (emulator.error(401, f"Incorrect API key provided: {KEY}"), ModelKeyRefused),
        (emulator.error(400), ModelRefused),
        (emulator.error(402, "Insufficient credits"), ModelRefused),
        (emulator.error(403), ModelRefused),
        (emulator.error(404), ModelRefused),
        (emulator.error(408), ModelUnavailable),
        (emulator.error(429), RateLimited),
        (emulator.error(500), ModelUnavailable),
        (emulator.error(503), ModelUnavailable),
        (emulator.error(429, http=200), RateLimited),
        (emulator.error(401, http=200), ModelKeyRefused),
        (emulator.error(500, code="server_error", http=200), ModelUnavailable),
        (Reply(502, b"<html>Bad Gateway</html>", {"Content-Type": "text/html"}), ModelUnavailable),
        (Reply(500, b'{"error": "text"}'), ModelUnavailable),
        (Reply(200, b"<html></html>", {"Content-Type": "text/html"}), ModelUnavailable),
        (Reply(200, b"[]"), ModelUnavailable),
        (Reply(200, b'{"choices": []}'), ModelUnavailable),
        (Reply(200, b'{"choices": [{"message": null}]}'), ModelUnavailable),
        (Reply(302, b"", {"Location": "https://example.org/"}), ModelRefused),
        (Reply(fault="reset"), ModelUnavailable),
        (Reply(200, b"{" + b" " * 5000, fault="cut"), ModelUnavailable),
    ],
)
def test_every_refusal_has_its_error_after_one_request(server: OpenAIEmulator, reply: Reply, error: type[TaskError]) -> None:
    server.enqueue(reply)
    with pytest.raises(error) as caught:
        ask()
    assert caught.value.id == error.id
    assert KEY not in caught.value.message + caught.value.detail
    assert len(server.requests) == 1


def test_a_refused_key_names_the_setting(server: OpenAIEmulator, settings: Settings) -> None:
    settings.OPENAI_API_KEY = "wrong"
    with pytest.raises(ModelKeyRefused, match="OPENAI_API_KEY"):
        ask()


def test_a_model_that_is_not_there_is_named(server: OpenAIEmulator) -> None:
    with pytest.raises(ModelRefused, match="no-such-model"):
        ask(model="no-such-model")


@pytest.mark.parametrize("seconds", [9, 7200])
def test_a_rate_limit_says_when_to_come_back(server: OpenAIEmulator, seconds: int) -> None:
    value = str(seconds) if seconds < 60 else (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    server.enqueue(emulator.error(429, headers={"Retry-After": value}))
    with pytest.raises(RateLimited) as caught:
        ask()
    assert caught.value.retry_at is not None
    assert abs((caught.value.retry_at - datetime.now(UTC)).total_seconds() - seconds) < 5


@pytest.mark.parametrize("reply", [Reply(fault="hang"), Reply(200, b" " * 400, fault="drip", interval=0.05)])
def test_the_call_is_over_at_its_deadline(server: OpenAIEmulator, reply: Reply) -> None:
    server.enqueue(reply)
    started = time.monotonic()
    with pytest.raises(ModelUnavailable):
        ask(seconds=0.4)
    assert time.monotonic() - started < 15


@pytest.mark.parametrize("address", ["", "not an address", "ftp://127.0.0.1/v1"])
def test_a_missing_or_wrong_address_is_a_matter_of_configuration(settings: Settings, address: str) -> None:
    settings.OPENAI_BASE_URL = address
    with pytest.raises(Misconfigured, match="OPENAI_BASE_URL"):
        ask()


# -- images ----------------------------------------------------------------------------------------------------------------------------


def content(server: OpenAIEmulator, index: int = 0) -> Any:
    return server.requests[index].json()["messages"][1]["content"]


def test_images_go_as_data_urls_after_their_names(server: OpenAIEmulator) -> None:
    ask(images=(Image("sample.png", "image/png", b"\x89PNG"),))
    assert content(server) == [
        {"type": "text", "text": "Make a page."},
        {"type": "text", "text": "The attachment sample.png:"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64," + base64.b64encode(b"\x89PNG").decode()}},
    ]


def test_images_that_do_not_fit_or_suit_are_named_instead(server: OpenAIEmulator) -> None:
    ask(images=(Image("huge.png", "image/png", b"\x00" * (MAX_IMAGE_BYTES + 1)), Image("x.heic", "image/heic", b"0")))
    assert content(server) == "Make a page.\n\nThese images are among the attachments but not shown to you: huge.png, x.heic."


def test_a_model_that_takes_no_images_is_asked_again_without(server: OpenAIEmulator) -> None:
    server.enqueue(emulator.error(400, "This model does not support image input."))
    assert ask(images=(Image("a.png", "image/png", b"\x89PNG"),)).text == emulator.PAGE
    assert content(server, 1).endswith("not shown to you: a.png.")
