"""Messages and feedback."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers as drf
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from tasks.api.agents import CODER, EVALUATOR
from tasks.api.schema import example
from tasks.api.v1 import serializers
from tasks.api.v1.base import ALL, OF_TASK, Creates
from tasks.api.v1.uploaded import version_named
from tasks.models import Message
from tasks.orchestrator import reports

SINCE = OpenApiParameter("since", str, description="an id or an ISO moment: only what came after it")
MESSAGE = {"recipient": "coder", "role": "note", "content": "Use the small data set first."}
FEEDBACK = {"recipient": "coder", "content": "It overfits after epoch 3: stop earlier.", "data": {"severity": "major", "checks": ["accuracy"]}}


class Said(Creates):
    """Entries of a task's conversation."""

    kinds: tuple[str, ...] = ()
    serializer_class = serializers.MessageOut
    queryset = Message.objects.all()

    def get_serializer_class(self) -> Any:
        return serializers.MessageIn if self.action == "create" else serializers.MessageOut

    def rows(self) -> Any:
        rows = self.task().messages.select_related("version")
        rows = rows.filter(kind__in=self.kinds) if self.kinds else rows
        asked = self.request.query_params
        if agent := asked.get("agent"):
            rows = rows.filter(sender=agent) | rows.filter(recipient=agent)
        if since := asked.get("since"):
            moment = None if since.isdecimal() else parsed(since)
            rows = rows.filter(id__gt=int(since[:18])) if moment is None else rows.filter(created_at__gt=moment)
        return rows

    def sender(self, body: dict[str, Any]) -> str:
        named = str(body.get("sender") or "")
        return named if named and self.agent.is_demo else self.agent.name


def parsed(text: str) -> Any:
    try:
        moment = parse_datetime(text.replace(" ", "+"))
    except ValueError:
        moment = None
    if moment is None:
        raise drf.ValidationError({"since": "Give an id or an ISO moment such as 2026-01-31T12:00:00Z."})
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.get_default_timezone())


@extend_schema(tags=["messages"], parameters=OF_TASK)
class Messages(Said):
    """The conversation: messages, feedback and events. `since` and `agent` narrow it."""

    roles = {"create": ALL}

    @extend_schema(parameters=[SINCE, OpenApiParameter("agent", str, description="sent by or to it")])
    def list(self, request: Request, task_id: str) -> Response:
        return self.pages(self.rows())

    @extend_schema(responses={201: serializers.MessageOut}, examples=example(MESSAGE))
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        return super().create(request, *args, **kwargs)

    def make(self, request: Request) -> Response:
        task, body = self.task(), self.valid()
        message = reports.say(
            task,
            self.sender(body),
            body["content"],
            recipient=body["recipient"],
            role=body["role"],
            version=version_named(task, body["version"]),
            data=body["data"],
        )
        return Response(serializers.MessageOut(message).data, status=201)


@extend_schema(tags=["feedback"], parameters=OF_TASK)
class Feedback(Said):
    """What the coder should change, by an evaluator. The coder acknowledges what it has read."""

    roles = {"create": (EVALUATOR,), "acknowledge": (CODER,)}
    kinds = (Message.Kind.FEEDBACK,)
    lookup_value_regex = r"\d{1,18}"

    @extend_schema(parameters=[SINCE, OpenApiParameter("unread", bool, description="only what nobody acknowledged")])
    def list(self, request: Request, task_id: str) -> Response:
        rows = self.rows()
        if request.query_params.get("unread", "").lower() in {"1", "true", "yes", "on"}:
            rows = rows.filter(acknowledged_at=None)
        return self.pages(rows)

    @extend_schema(responses={201: serializers.MessageOut}, examples=example(FEEDBACK))
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        return super().create(request, *args, **kwargs)

    def make(self, request: Request) -> Response:
        task, body = self.task(), self.valid()
        version = version_named(task, body["version"])
        message = reports.feed_back(task, self.sender(body), body["content"], version=version, data=body["data"])
        return Response(serializers.MessageOut(message).data, status=201)

    @extend_schema(request=None, responses=serializers.MessageOut)
    @action(detail=True, methods=["post"])
    def acknowledge(self, request: Request, task_id: str, pk: str) -> Response:
        message = get_object_or_404(self.rows(), pk=pk)
        self.task().messages.filter(pk=message.pk, acknowledged_at=None).update(acknowledged_at=timezone.now())
        message.refresh_from_db()
        return Response(serializers.MessageOut(message).data)
