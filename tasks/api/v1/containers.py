"""Programs that are run."""

from __future__ import annotations

from typing import Any

import django_filters
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from tasks import runs
from tasks.api.agents import CODER, EVALUATOR, visible
from tasks.api.content import attachment
from tasks.api.schema import example
from tasks.api.v1 import serializers
from tasks.api.v1.base import FILE, Creates
from tasks.api.v1.uploaded import decoded, version_named
from tasks.models import ContainerRun

WORKING = (CODER, EVALUATOR)
SAMPLE = {"task_id": 1, "version": "v1", "command": ["python3", "main.py"], "stdin": "", "limits": {"wall_seconds": 20, "memory_mb": 256}}


class ContainerFilter(django_filters.FilterSet):
    task_id = django_filters.NumberFilter(field_name="task_request_id", min_value=0, max_value=2**63 - 1)

    class Meta:
        model = ContainerRun
        fields = ("status", "agent", "runner")


@extend_schema(tags=["containers"])
class Containers(ListModelMixin, RetrieveModelMixin, Creates):
    """Programs that were run in a sandbox or a container."""

    roles = {"create": WORKING, "destroy": WORKING, "cancel": WORKING}
    serializer_class = serializers.ContainerOut
    filterset_class = ContainerFilter
    lookup_value_regex = r"\d{1,18}"

    def get_serializer_class(self) -> Any:
        return serializers.ContainerIn if self.action == "create" else serializers.ContainerOut

    def get_queryset(self) -> Any:
        if getattr(self, "swagger_fake_view", False):
            return ContainerRun.objects.none()
        return ContainerRun.objects.filter(task_request__in=visible(self.agent)).select_related("version").prefetch_related("artefacts")

    @extend_schema(responses={202: serializers.ContainerOut}, examples=example(SAMPLE))
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        return super().create(request, *args, **kwargs)

    def make(self, request: Request) -> Response:
        body = self.valid()
        task = get_object_or_404(visible(self.agent), pk=body["task_id"])
        run = runs.submit(
            task=task,
            version=version_named(task, body["version"]) or task.versions.first(),
            command=body["command"],
            files={item["path"]: decoded(item) for item in body["files"]},
            stdin=body["stdin"],
            limits=body["limits"],
            agent=self.agent.name,
        )
        return Response(serializers.ContainerOut(run).data, status=202, headers={"Location": f"{request.path.rstrip('/')}/{run.pk}"})

    @extend_schema(request=None, responses=serializers.ContainerOut)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        run = self.get_object()
        runs.cancel(run)
        return Response(serializers.ContainerOut(self.get_object()).data)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """End it if it runs, and remove its record."""
        runs.remove(self.get_object())
        return Response(status=204)

    @extend_schema(responses=FILE, parameters=[OpenApiParameter("path", str, required=True)])
    @action(detail=True, filter_backends=[], pagination_class=None)
    def artefact(self, request: Request, pk: str) -> HttpResponse:
        file = get_object_or_404(self.get_object().artefacts, path=request.query_params.get("path", ""))
        return attachment(request._request, file.path, bytes(file.content), "application/octet-stream")
