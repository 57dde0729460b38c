"""Gemini's generateContent over real HTTP: https://ai.google.dev/api/generate-content

Checks the key in `x-goog-api-key` (400 API_KEY_INVALID as the real one, 403 without a key), knows a list of models (404 for others), keeps the
20 MB cap on a request, and answers from a queue of replies or from `reply(request_json) -> str`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tests.emulators.base import Emulator, Reply, Request, json_reply

PATH = re.compile(r"^/(?:v1|v1beta)/models/([^:/]+):generateContent$")
REASONS = {"STOP": 1, "MAX_TOKENS": 2, "SAFETY": 3, "RECITATION": 4, "OTHER": 5, "PROHIBITED_CONTENT": 8}
BLOCKS = {"SAFETY": 1, "OTHER": 2, "BLOCKLIST": 3, "PROHIBITED_CONTENT": 4}
PAGE = '<file path="index.html">\n<!doctype html>\n<title>Made by the emulator</title>\n</file>\n'
MAX_REQUEST_BYTES = 20 * 1024 * 1024


def text(
    *parts: str, thoughts: tuple[str, ...] = (), reason: str | int = "STOP", version: str = "", tokens: tuple[int, int] = (11, 7), **options: Any
) -> Reply:
    """An answer of these text parts; `thoughts` come first, marked as such. A reason is a name or any number, known or not."""
    said = [{"text": thought, "thought": True} for thought in thoughts] + [{"text": part} for part in parts]
    candidate: dict[str, Any] = {"finishReason": REASONS.get(reason, reason) if isinstance(reason, str) else reason, "index": 0}
    if said:
        candidate["content"] = {"parts": said, "role": "model"}
    usage = {"promptTokenCount": tokens[0], "candidatesTokenCount": tokens[1], "totalTokenCount": sum(tokens)}
    if thoughts:
        usage["thoughtsTokenCount"] = 5
    value = {"candidates": [candidate], "usageMetadata": usage}
    return json_reply({**value, "modelVersion": version} if version else value, **options)


def blocked_prompt(reason: str = "SAFETY") -> Reply:
    return json_reply({"promptFeedback": {"blockReason": BLOCKS[reason]}, "usageMetadata": {"promptTokenCount": 11, "totalTokenCount": 11}})


def empty() -> Reply:
    """200 without a candidate or a reason."""
    return json_reply({"usageMetadata": {"promptTokenCount": 11}})


def error(code: int, status: str, message: str = "", details: list[dict[str, Any]] | None = None, headers: dict[str, str] | None = None) -> Reply:
    """Google's error body: https://cloud.google.com/apis/design/errors"""
    return json_reply({"error": {"code": code, "message": message or status, "status": status, "details": details or []}}, code, headers)


def invalid_key(key: str = "") -> Reply:
    info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID", "domain": "googleapis.com"}
    return error(400, "INVALID_ARGUMENT", f"API key not valid. Please pass a valid API key. {key}".strip(), [info])


def rate_limited(retry_delay: str = "", quota: str = "", headers: dict[str, str] | None = None) -> Reply:
    details: list[dict[str, Any]] = []
    if quota:
        details.append({"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"quotaId": quota}]})
    if retry_delay:
        details.append({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": retry_delay})
    return error(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota.", details, headers)


def html(status: int = 502) -> Reply:
    """A proxy's error page in place of JSON."""
    return Reply(status, b"<html><title>Bad Gateway</title></html>", {"Content-Type": "text/html"})


class GeminiEmulator(Emulator):
    """Set `GEMINI_API_KEY` to `key` and `GEMINI_API_ENDPOINT` to `url`."""

    def __init__(
        self,
        *,
        key: str = "emulated-gemini-key",
        models: tuple[str, ...] = ("gemini-2.5-flash", "gemini-2.5-pro", "gemini-flash-latest"),
        reply: Callable[[dict[str, Any]], str] | None = None,
        latency: float = 0.0,
    ) -> None:
        super().__init__(latency=latency)
        self.key = key
        self.models = models
        self.reply = reply or (lambda _request: PAGE)

    def answer(self, request: Request) -> Reply:
        match = PATH.match(request.path)
        if request.method != "POST" or not match:
            return error(404, "NOT_FOUND")
        if "x-goog-api-key" not in request.headers:
            return error(403, "PERMISSION_DENIED", "Method doesn't allow unregistered callers.")
        if request.headers["x-goog-api-key"] != self.key:
            return invalid_key()
        if match[1] not in self.models:
            return error(404, "NOT_FOUND", f"models/{match[1]} is not found for API version v1beta.")
        if len(request.body) > MAX_REQUEST_BYTES:
            return error(400, "INVALID_ARGUMENT", "Request payload size exceeds the limit: 20971520 bytes.")
        return text(self.reply(request.json()), version=f"{match[1]}-001")

    def prompts(self) -> list[str]:
        """The user's text of every request, in order."""
        return [prompt_of(request.json()) for request in self.requests]


def prompt_of(request: dict[str, Any]) -> str:
    return "\n".join(part["text"] for content in request["contents"] for part in content["parts"] if "text" in part)
