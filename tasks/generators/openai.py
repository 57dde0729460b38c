"""Any endpoint that speaks OpenAI's chat completions: https://platform.openai.com/docs/api-reference/chat/create

Gemini's own compatible endpoint, Ollama, OpenRouter, AI Pipe and others: whatever OPENAI_BASE_URL names. Neither a temperature nor a limit of
tokens is sent: newer models refuse the one, the name of the other differs from service to service, and the services' defaults are right here.
"""

from __future__ import annotations

import base64
import json
import re
import time
from typing import Any

from django.conf import settings

from tasks.errors import AddressRefused, Misconfigured, RemoteUnavailable, TooLarge
from tasks.generators import base
from tasks.generators.base import Answer, Image, Prompt, token_count
from tasks.http import Response, fetch
from tasks.model_errors import RequestRefused, refusal, retry_after, unavailable
from tasks.prompts import fit_images, not_shown

SERVICE = "The OpenAI-compatible service"
MAX_ANSWER_BYTES = 16 * 1024 * 1024
MAX_IMAGE_BYTES = 13 * 1024 * 1024  # all images of a request together, 18 MB as base64
IMAGE_TYPES = frozenset({"image/png", "image/jpeg", "image/webp", "image/gif"})
FINISH = {"stop": "stop", "end_turn": "stop", "length": "length", "max_tokens": "length", "content_filter": "blocked"}
THOUGHTS = re.compile(r"\A\s*<think>.*?</think>\s*", re.DOTALL)  # reasoning models behind Ollama think aloud before they answer


class Generator(base.Generator):
    """The models of OPENAI_MODEL (a comma list), with OPENAI_API_KEY, at OPENAI_BASE_URL."""

    name = "openai"
    supports_images = True

    def models(self) -> tuple[str, ...]:
        return tuple(model.strip() for model in settings.OPENAI_MODEL.split(",") if model.strip())

    def ask(self, prompt: Prompt, model: str, seconds: float) -> Answer:
        if not settings.OPENAI_BASE_URL:
            raise Misconfigured("OPENAI_BASE_URL is not set; set it to the address before /chat/completions.")
        started = time.monotonic()
        images, left_out = fit_images(prompt.images, IMAGE_TYPES, MAX_IMAGE_BYTES)
        try:
            response = self._post(prompt.system, content_of(prompt.user, images, left_out), model, seconds)
            return answer_of(response, model, time.monotonic() - started)
        except RequestRefused:
            # Many models behind such endpoints take text only; they still can do most of the work.
            if not images:
                raise
        left_out = [image.path for image in prompt.images]
        response = self._post(prompt.system, content_of(prompt.user, [], left_out), model, seconds - (time.monotonic() - started))
        return answer_of(response, model, time.monotonic() - started)

    def _post(self, system: str, content: Any, model: str, seconds: float) -> Response:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if settings.OPENAI_API_KEY:
            headers["Authorization"] = f"Bearer {settings.OPENAI_API_KEY}"
        body = {"model": model, "messages": [{"role": "system", "content": system}, {"role": "user", "content": content}], "stream": False}
        if seconds <= 0:
            raise unavailable(SERVICE, model, "did not answer in time")
        try:
            return fetch(
                f"{settings.OPENAI_BASE_URL}/chat/completions",
                method="POST",
                body=json.dumps(body).encode(),
                headers=headers,
                seconds=seconds,
                max_bytes=MAX_ANSWER_BYTES,
                trusted=True,
            )
        except AddressRefused as error:
            raise Misconfigured("OPENAI_BASE_URL is not an http(s) address; set it to the address before /chat/completions.") from error
        except RemoteUnavailable as error:
            raise unavailable(SERVICE, model, f"could not be asked ({error.message.rstrip('.')})") from error
        except TooLarge:
            raise unavailable(SERVICE, model, f"answered more than {MAX_ANSWER_BYTES // 2**20} MB") from None


def content_of(user: str, images: list[Image], left_out: list[str]) -> str | list[dict[str, Any]]:
    """A plain string when there is no image: some services know nothing else."""
    text = user + not_shown(left_out)
    if not images:
        return text
    parts: list[dict[str, Any]] = [{"type": "text", "text": text}]
    for image in images:
        url = f"data:{image.media_type};base64,{base64.b64encode(image.content).decode()}"
        parts += [{"type": "text", "text": f"The attachment {image.path}:"}, {"type": "image_url", "image_url": {"url": url}}]
    return parts


def answer_of(response: Response, model: str, seconds: float) -> Answer:
    """The answer, or the error that the service states: with a status, or inside a 200 as OpenRouter does."""
    try:
        value = json.loads(response.body)
    except ValueError:
        value = None
    error = value.get("error") if isinstance(value, dict) else None
    status = response.status
    if error and status == 200:
        code = error.get("code") if isinstance(error, dict) else None
        status = code if isinstance(code, int) and 400 <= code < 600 else 502
    if status != 200:
        said = error.get("message") if isinstance(error, dict) else error
        raise refusal(
            status,
            str(said or response.body[:2000].decode("utf-8", "replace")),
            service=SERVICE,
            key_setting="OPENAI_API_KEY",
            model=model,
            wait=retry_after(response.headers.get("retry-after", "")),
        )
    try:
        choice = value["choices"][0]
        message = choice["message"]
        usage = value.get("usage") or {}
        return Answer(
            text=(text := text_of(message.get("content"))),
            model=str(value.get("model") or model),
            finish=finish_word(choice.get("finish_reason"), bool(text), bool(message.get("refusal"))),
            tokens_in=token_count(usage.get("prompt_tokens")),
            tokens_out=token_count(usage.get("completion_tokens")),
            seconds=seconds,
        )
    except (KeyError, IndexError, TypeError, AttributeError):
        raise unavailable(SERVICE, model, "answered something that is not a chat completion") from None


def text_of(content: Any) -> str:
    """The text of a message: a string, or a list of parts of which only the text ones count."""
    if isinstance(content, list):
        content = "".join(
            part.get("text") or "" for part in content if isinstance(part, dict) and part.get("type", "text") in {"text", "output_text"}
        )
    return THOUGHTS.sub("", content) if isinstance(content, str) else ""


def finish_word(reason: Any, has_text: bool, refused: bool) -> str:
    """Our word for a finish_reason. At most 20 characters, as its column."""
    if refused:
        return "blocked"
    word = FINISH.get(str(reason or "stop"), str(reason)[:20])
    return "empty" if word == "stop" and not has_text else word
