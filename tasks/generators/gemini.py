"""Gemini through google-generativeai over REST: https://ai.google.dev/api/generate-content

Importing this module imports the SDK (0.6 s, 50 MiB): the worker does it before it forks, nothing else may at start-up. What the SDK leaves open
is closed here: it would retry a 503 for ten minutes (`retry: None`), its time-out counts per socket read (`wall_clock`), it merges a model's
thoughts into the text and hides why an answer is empty (the JSON is read here), and it would follow a redirect with the key in the header.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
import warnings
from typing import Any

from django.conf import settings
from google.api_core.exceptions import GoogleAPIError
from google.auth.exceptions import GoogleAuthError
from google.protobuf.json_format import ParseError
from requests import RequestException, Response

from tasks.errors import ModelKeyRefused, TaskError
from tasks.generators import base
from tasks.generators.base import Answer, Image, Prompt, token_count
from tasks.model_errors import RequestRefused, refusal, retry_after, seconds_of, unavailable
from tasks.prompts import fit_images, not_shown
from tasks.wall_clock import within

with warnings.catch_warnings():
    warnings.simplefilter("ignore", FutureWarning)  # notices about the ends of life of the SDK and of Python 3.11
    import google.generativeai as genai
    from google.generativeai import client as genai_client

SERVICE = "Gemini"
TEMPERATURE = 0.4
MAX_OUTPUT_TOKENS = 65_536  # a model's thoughts count as output
MAX_REQUEST_BYTES = 18 * 1024 * 1024  # the API takes 20 MB a request
IMAGE_TYPES = frozenset({"image/png", "image/jpeg", "image/webp", "image/heic", "image/heif"})  # a GIF is answered with 400
DAY_QUOTA_SECONDS = 3600.0  # a quota counted by the day: come back in an hour, whatever the answer says

_configuring = threading.Lock()
_configured: tuple[int, str, str] | None = None
_thread = threading.local()  # .answers: the HTTP answers to the call that runs in this thread


class Generator(base.Generator):
    """The models of GEMINI_MODELS, with GEMINI_API_KEY, at GEMINI_API_ENDPOINT."""

    name = "gemini"
    supports_images = True

    def models(self) -> tuple[str, ...]:
        return tuple(settings.GEMINI_MODELS)

    def ask(self, prompt: Prompt, model: str, seconds: float) -> Answer:
        if not settings.GEMINI_API_KEY:  # the SDK would take a key of its own choice from the environment
            raise ModelKeyRefused("GEMINI_API_KEY is not set; set it and re-run from generate.")
        started = time.monotonic()
        images, left_out = choose_images(prompt)
        try:
            raw = self._call(prompt.system, parts_of(prompt.user, images, left_out), model, seconds)
        except RequestRefused:
            # One broken picture among the attachments must not cost the whole page.
            if not images:
                raise
            left_out = [image.path for image in prompt.images]
            raw = self._call(prompt.system, parts_of(prompt.user, [], left_out), model, seconds - (time.monotonic() - started))
        return answer_of(raw, model, time.monotonic() - started)

    def _call(self, system: str, parts: list[Any], model: str, seconds: float) -> dict[str, Any]:
        """The answer's JSON, which the SDK has found to be a GenerateContentResponse."""
        answers: list[Response] = []

        def call() -> dict[str, Any]:
            _thread.answers = answers
            _thread.model = model
            genai.GenerativeModel(
                model,
                system_instruction=system or None,
                generation_config={"temperature": TEMPERATURE, "max_output_tokens": MAX_OUTPUT_TOKENS},
            ).generate_content(parts, request_options={"timeout": max(seconds, 0.001), "retry": None})
            return dict(answers[-1].json())

        def cut() -> None:
            for answer in answers:
                with contextlib.suppress(ValueError, RuntimeError, OSError):  # not connected any more
                    answer.raw.shutdown()

        configure()
        try:
            return within(seconds, call, abandoned=cut)
        except TaskError:
            raise
        except TimeoutError:
            raise unavailable(SERVICE, model, f"did not answer within {seconds:.0f} s") from None
        except (ParseError, UnicodeDecodeError):
            raise unavailable(SERVICE, model, "answered something that is not its JSON") from None
        except (RequestException, GoogleAuthError, GoogleAPIError, ValueError) as error:
            raise unavailable(SERVICE, model, f"could not be asked ({type(error).__name__})") from None


def configure() -> None:
    """Set up the SDK's client once for each process and each configuration."""
    global _configured
    wanted = (os.getpid(), settings.GEMINI_API_KEY, settings.GEMINI_API_ENDPOINT.rstrip("/"))
    with _configuring:
        if _configured == wanted:
            return
        genai.configure(api_key=wanted[1], transport="rest", client_options={"api_endpoint": wanted[2]})
        session = genai_client.get_default_generative_client().transport._session  # the SDK offers no other way to the answer's JSON
        session.hooks["response"].append(receive)
        _configured = wanted


def receive(response: Response, *args: Any, **kwargs: Any) -> None:
    """requests calls this when the head of an answer is there: before a redirect is followed, and before the SDK turns a 401 into three calls."""
    _thread.answers.append(response)
    if response.status_code != 200:
        raise refused(response, _thread.model)


def refused(response: Response, model: str) -> TaskError:
    """https://ai.google.dev/gemini-api/docs/troubleshooting; the body's form: https://cloud.google.com/apis/design/errors"""
    try:
        error = response.json()["error"]
        details = [detail for detail in error.get("details") or [] if isinstance(detail, dict)]
        said = str(error.get("message") or "")
    except (ValueError, KeyError, TypeError, AttributeError):
        details, said = [], response.text
    wait = next(filter(None, (seconds_of(str(detail.get("retryDelay", ""))) for detail in details)), None)
    if wait is None:
        wait = retry_after(response.headers.get("Retry-After", ""))
    if "PerDay" in json.dumps(details):
        wait = max(wait or 0.0, DAY_QUOTA_SECONDS)
    return refusal(
        response.status_code,
        said,
        service=SERVICE,
        key_setting="GEMINI_API_KEY",
        model=model,
        key_invalid=any(detail.get("reason") == "API_KEY_INVALID" for detail in details),
        wait=wait,
    )


def choose_images(prompt: Prompt) -> tuple[list[Image], list[str]]:
    """The images that the API takes and that fit into one request as base64, and the names of the others."""
    room = MAX_REQUEST_BYTES - len(json.dumps(prompt.system)) - len(json.dumps(prompt.user)) - 64 * 1024
    return fit_images(prompt.images, IMAGE_TYPES, room * 3 // 4)


def parts_of(user: str, images: list[Image], left_out: list[str]) -> list[Any]:
    parts: list[Any] = [user + not_shown(left_out)]
    for image in images:
        parts += [f"The attachment {image.path}:", {"inline_data": {"mime_type": image.media_type, "data": image.content}}]
    return parts


def answer_of(raw: dict[str, Any], model: str, seconds: float) -> Answer:
    """https://ai.google.dev/api/generate-content#v1beta.GenerateContentResponse"""
    usage = raw.get("usageMetadata") or {}
    tokens_out = [tokens for name in ("candidatesTokenCount", "thoughtsTokenCount") if (tokens := token_count(usage.get(name))) is not None]
    candidates = raw.get("candidates") or []
    if candidates:
        parts = (candidates[0].get("content") or {}).get("parts") or []
        text = "".join(part.get("text") or "" for part in parts if not part.get("thought"))
        finish = finish_word(candidates[0].get("finishReason"), bool(text))
    else:
        text = ""
        finish = "blocked" if (raw.get("promptFeedback") or {}).get("blockReason") else "empty"
    return Answer(
        text=text,
        model=str(raw.get("modelVersion") or model),
        finish=finish,
        tokens_in=token_count(usage.get("promptTokenCount")),
        tokens_out=sum(tokens_out) if tokens_out else None,
        seconds=seconds,
    )


def finish_word(reason: int | str | None, has_text: bool) -> str:
    """Our word for a finishReason, which comes as a number or a name, known to this SDK or not. At most 20 characters, as its column."""
    if isinstance(reason, int):
        try:
            reason = genai.protos.Candidate.FinishReason(reason).name
        except ValueError:
            return f"reason-{reason}"[:20]
    word = {"STOP": "stop", "MAX_TOKENS": "length"}.get(str(reason or "STOP"), str(reason).lower()[:20])
    return "empty" if word == "stop" and not has_text else word
