"""How the API's schema is made: drf-spectacular's way, and for an operation that names no refusals of its own the document that every refusal is.

A view whose refusals have a form of their own says so: `refusal = Serializer, media type`.
"""

from __future__ import annotations

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiExample, OpenApiResponse

from tasks.api.problems import MEDIA_TYPE


class Schema(AutoSchema):
    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        from tasks.api.documents import Problem

        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        if not any(code >= "400" for code in bodies):
            content: dict[str, Any] = {}
            for document, media_type in {(Problem, MEDIA_TYPE), getattr(self.view, "refusal", (Problem, MEDIA_TYPE))}:
                content |= self._get_response_for_code(OpenApiResponse(document), "default", [media_type], direction)["content"]
            bodies["default"] = {"content": content, "description": "a refusal, with what is wrong"}
        return bodies


def example(body: dict[str, Any]) -> list[OpenApiExample]:
    """A body that works, for `extend_schema(examples=…)`."""
    return [OpenApiExample("example", value=body, request_only=True, media_type="application/json")]
