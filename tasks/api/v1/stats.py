"""The numbers of the dashboard."""

from __future__ import annotations

from typing import Any

from drf_spectacular.helpers import forced_singular_serializer
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from tasks.api.v1.base import Resource
from tasks.orchestrator import stats


class StageSeconds(serializers.Serializer[Any]):
    runs = serializers.IntegerField()
    p50 = serializers.FloatField()
    p95 = serializers.FloatField()


class StatsOut(serializers.Serializer[Any]):
    total_tasks = serializers.IntegerField()
    completed_tasks = serializers.IntegerField()
    avg_accuracy = serializers.FloatField(allow_null=True)
    avg_runtime = serializers.FloatField(allow_null=True, help_text="seconds")
    active_containers = serializers.IntegerField()
    success_rate = serializers.FloatField(allow_null=True, help_text="of the rounds that ended")
    deadline_misses = serializers.IntegerField()
    tokens_today = serializers.IntegerField()
    cost_today = serializers.FloatField(allow_null=True, help_text="US dollars")
    stage_seconds = serializers.DictField(child=StageSeconds())


@extend_schema(tags=["stats"])
class Stats(Resource):
    """The numbers of the dashboard."""

    serializer_class = StatsOut
    pagination_class = None  # type: ignore[assignment]
    filter_backends = []

    @extend_schema(responses=forced_singular_serializer(StatsOut))
    def list(self, request: Request) -> Response:
        return Response(stats.stats())
