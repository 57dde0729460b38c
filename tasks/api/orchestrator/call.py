"""What the verbs have in common: how a body is read, whose name counts, and errors as `{"detail": …}`, as the original's were."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from django.core.exceptions import RequestDataTooBig
from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, serializers
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.response import Response

from tasks.api.agents import CODER, EVALUATOR, GENERATOR, Agent, HasRole, KeyAuthentication, visible
from tasks.api.problems import handler as problem_handler
from tasks.api.schema import example
from tasks.api.views import FormsToo, JsonView
from tasks.errors import Conflict, TaskError, TooLarge
from tasks.models import CodeVersion, TaskRequest
from tasks.orchestrator import uploads

MAX_ROWS = 1_000  # the original's lists have no pages
EVERYBODY = (GENERATOR, CODER, EVALUATOR)
TEXT = {(200, "text/plain"): OpenApiTypes.BINARY}


class Detail(serializers.Serializer[Any]):
    detail = serializers.JSONField(help_text="what is wrong, or what is wrong with each field")


def documented(answer: Any, takes: Any = None, sample: dict[str, Any] | None = None, **more: Any) -> Callable[..., Any]:
    """The verb's entry in the schema; `sample` is a body that works for task 1."""
    return extend_schema(tags=["orchestrator"], request=takes, responses=answer, examples=example(sample) if sample else None, **more)


def detail(error: Exception, context: dict[str, Any]) -> Any:
    """Errors as `{"detail": …}`."""
    if isinstance(error, RequestDataTooBig | TooLarge):
        return Response({"detail": str(getattr(error, "message", "")) or "The body is too large."}, status=413)
    if isinstance(error, TaskError) and error.family == "content":
        return Response({"detail": error.message}, status=422)
    if isinstance(error, Conflict):
        return Response({"detail": str(error)}, status=409)
    if isinstance(error, Http404):
        return Response({"detail": "There is nothing here by that name, or your key's role may not see it."}, status=404)
    if isinstance(error, exceptions.APIException):
        answer = Response({"detail": error.detail}, status=422 if isinstance(error, exceptions.ValidationError) else error.status_code)
        if challenge := getattr(error, "auth_header", None):
            answer["WWW-Authenticate"] = challenge
        return answer
    return problem_handler(error, context)


class Call(JsonView):
    """One verb. `shape` reads the body; `roles` says who may."""

    content_negotiation_class = FormsToo
    authentication_classes = [KeyAuthentication]
    permission_classes = [HasRole]
    parser_classes = [JSONParser, MultiPartParser, FormParser]
    refusal = Detail, "application/json"  # for the API's schema
    shape: type[serializers.Serializer[Any]] | None = None
    roles: dict[str, tuple[str, ...]] = {}

    def get_exception_handler(self) -> Callable[..., Any]:
        return detail

    @property
    def agent(self) -> Agent:
        return cast(Agent, self.request.user)

    def body(self, **more: Any) -> dict[str, Any]:
        assert self.shape is not None  # noqa: S101 - a view that reads a body has a shape  # nosec B101
        reader = self.shape(data={**plain(self.request.data), **more} if more else self.request.data)
        reader.is_valid(raise_exception=True)
        return {
            name: "" if value is None and name not in {"accuracy", "loss", "run_time", "passed"} else value
            for name, value in reader.validated_data.items()
        }

    def named(self, given: str) -> str:
        """The name that a program gives itself counts only with DEMO_API_KEY; a key has its own."""
        return given or self.agent.name if self.agent.is_demo else self.agent.name

    def task(self, pk: int) -> TaskRequest:
        return get_object_or_404(visible(self.agent).prefetch_related("rounds"), pk=pk)

    def version(self, task: TaskRequest, label: str) -> CodeVersion:
        found = uploads.find(task, label)
        if found is None:
            raise Http404
        return found


def plain(data: Any) -> dict[str, Any]:
    return data.dict() if hasattr(data, "dict") else dict(data)
