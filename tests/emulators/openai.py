"""An OpenAI-compatible chat endpoint over real HTTP: https://platform.openai.com/docs/api-reference/chat/create"""

from __future__ import annotations

from typing import Any

from tests.emulators.base import Emulator, Reply, Request, json_reply
from tests.emulators.gemini import PAGE


def text(
    content: Any = PAGE, *, finish: str | None = "stop", model: str = "", usage: bool = True, extra: dict[str, Any] | None = None, **options: Any
) -> Reply:
    """A completion; `extra` goes into the message (refusal, reasoning_content)."""
    value: dict[str, Any] = {
        "object": "chat.completion",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": content, **(extra or {})}, "finish_reason": finish}],
    }
    if model:
        value["model"] = model
    if usage:
        value["usage"] = {"prompt_tokens": 21, "completion_tokens": 9, "total_tokens": 30}
    return json_reply(value, **options)


def error(status: int, message: str = "refused", code: str | int | None = None, headers: dict[str, str] | None = None, http: int = 0) -> Reply:
    """The error body; `http` is the status line when it differs (some routers answer 200 with an error inside)."""
    return json_reply({"error": {"message": message, "type": "error", "code": code or status}}, http or status, headers)


class OpenAIEmulator(Emulator):
    """Set `OPENAI_BASE_URL` to `base_url` and `OPENAI_API_KEY` to `key`."""

    def __init__(self, *, key: str = "emulated-openai-key", models: tuple[str, ...] = ("small", "large"), latency: float = 0.0) -> None:
        super().__init__(latency=latency)
        self.key = key
        self.models = models

    @property
    def base_url(self) -> str:
        return f"{self.url}/v1"

    def answer(self, request: Request) -> Reply:
        if request.method != "POST" or request.path != "/v1/chat/completions":
            return error(404, "no such route")
        if self.key and request.headers.get("authorization") != f"Bearer {self.key}":
            return error(401, "Incorrect API key provided.", "invalid_api_key")
        asked = request.json()
        if asked["model"] not in self.models:
            return error(404, f"The model `{asked['model']}` does not exist.", "model_not_found")
        return text(model=f"{asked['model']}-2026")
