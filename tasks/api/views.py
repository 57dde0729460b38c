"""What the service's own views have in common: JSON whatever the caller's Accept header says, and the admin's session for staff."""

from __future__ import annotations

from typing import Any

from rest_framework.authentication import SessionAuthentication
from rest_framework.negotiation import BaseContentNegotiation, DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.permissions import AllowAny
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.views import APIView


class AlwaysJson(BaseContentNegotiation):
    """An evaluator that accepts only text/html still gets its JSON, not a 406."""

    def select_parser(self, request: Request, parsers: Any) -> BaseParser:
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> tuple[BaseRenderer, str]:
        return renderers[0], renderers[0].media_type


class FormsToo(AlwaysJson):
    """Answers JSON as well, and reads the body as its Content-Type says."""

    def select_parser(self, request: Request, parsers: Any) -> BaseParser | None:  # type: ignore[override]
        return DefaultContentNegotiation().select_parser(request, parsers)


class JsonView(APIView):
    """A view for anyone. It looks at no session."""

    content_negotiation_class = AlwaysJson


class StaffAwareView(JsonView):
    """A view that tells staff more (`tasks.api.access.is_trusted`)."""

    authentication_classes = [SessionAuthentication]
    permission_classes = [AllowAny]  # says in the schema that the session may be missing
