"""Tasks: an agent's and, for readers, the course's."""

from __future__ import annotations

from typing import Any

import django_filters
from drf_spectacular.utils import extend_schema
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from tasks.api.agents import GENERATOR, visible
from tasks.api.schema import example
from tasks.api.v1 import serializers
from tasks.api.v1.base import ALL, Creates
from tasks.models import TaskRequest
from tasks.orchestrator import assignments

SAMPLE = {
    "name": "Countdown",
    "description": "A page that counts down from ten.",
    "coder": "builtin",
    "evaluator": "builtin",
    "checks": ["document.querySelector('#count').textContent === '10'"],
}


def with_rounds(tasks: Any) -> Any:
    return tasks.prefetch_related("rounds__deployments")


class TaskFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(field_name="name", lookup_expr="icontains", label="in the name")
    created_after = django_filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="gte")
    created_before = django_filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="lt")

    class Meta:
        model = TaskRequest
        fields = ("status", "creator_agent", "coder", "evaluator", "email", "task")


@extend_schema(tags=["tasks"])
class Tasks(ListModelMixin, RetrieveModelMixin, Creates):
    """Tasks: an agent's and, for readers, the course's."""

    roles = {"create": (GENERATOR,), "partial_update": ALL}
    serializer_class = serializers.TaskOut
    filterset_class = TaskFilter
    lookup_url_kwarg = "task_id"
    lookup_value_regex = r"\d{1,15}"

    def get_queryset(self) -> Any:
        return with_rounds(visible(self.agent)) if not getattr(self, "swagger_fake_view", False) else TaskRequest.objects.none()

    def get_serializer_class(self) -> Any:
        return {"create": serializers.TaskIn, "partial_update": serializers.TaskChange}.get(self.action, serializers.TaskOut)

    @extend_schema(responses={201: serializers.TaskOut}, examples=example(SAMPLE))
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        return super().create(request, *args, **kwargs)

    def make(self, request: Request) -> Response:
        body = self.valid()
        named = body.pop("creator_agent", "")
        task = assignments.create(**body, agent=(named or self.agent.name) if self.agent.is_demo else self.agent.name)
        return Response(self._shown(task), status=201, headers={"Location": f"{request.path.rstrip('/')}/{task.pk}"})

    @extend_schema(responses=serializers.TaskOut, examples=example({"status": "completed", "reason": "accuracy 0.93"}))
    def partial_update(self, request: Request, task_id: str) -> Response:
        task, body = self.task(), self.valid()
        assignments.set_status(task, body["status"], self.agent.name, body["reason"])
        return Response(self._shown(task))

    def _shown(self, task: TaskRequest) -> Any:
        return serializers.TaskOut(with_rounds(TaskRequest.objects).get(pk=task.pk)).data
