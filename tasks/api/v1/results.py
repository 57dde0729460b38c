"""What was measured."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from tasks.api.agents import EVALUATOR
from tasks.api.schema import example
from tasks.api.v1 import serializers
from tasks.api.v1.base import OF_TASK, Creates
from tasks.api.v1.uploaded import version_named
from tasks.models import Result
from tasks.orchestrator import reports

SAMPLE = {"accuracy": 0.93, "loss": 0.21, "run_time": 12.5, "metrics": {"f1": 0.9}, "passed": True, "raw_logs": "epoch 1: 0.93\n"}


@extend_schema(tags=["results"], parameters=OF_TASK)
class Results(Creates):
    """What evaluators measured."""

    roles = {"create": (EVALUATOR,)}
    serializer_class = serializers.ResultOut
    queryset = Result.objects.all()

    def get_serializer_class(self) -> Any:
        return serializers.ResultIn if self.action == "create" else serializers.ResultOut

    def list(self, request: Request, task_id: str) -> Response:
        return self.pages(self.task().results.select_related("version", "log"))

    @extend_schema(responses={201: serializers.ResultOut}, examples=example(SAMPLE))
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        return super().create(request, *args, **kwargs)

    def make(self, request: Request) -> Response:
        task, body = self.task(), self.valid()
        raw_log, version = body.pop("raw_logs"), version_named(task, body.pop("version"))
        result = reports.report(task, self.agent.name, version=version, raw_log=raw_log, **body)
        return Response(serializers.ResultOut(result).data, status=201)

    @extend_schema(responses=serializers.ResultOut)
    @action(detail=False)
    def latest(self, request: Request, task_id: str) -> Response:
        newest = self.task().results.select_related("version", "log").first()
        if newest is None:
            raise Http404
        return Response(self.get_serializer(newest).data)
