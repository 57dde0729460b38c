"""Programs run for a task, and the numbers."""

from __future__ import annotations

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from tasks import runs
from tasks.api.agents import CODER, EVALUATOR, visible
from tasks.api.orchestrator.answers import ContainerRow, answer
from tasks.api.orchestrator.bodies import SpawnIn
from tasks.api.orchestrator.call import Call, documented
from tasks.api.v1.stats import StatsOut
from tasks.api.v1.uploaded import version_named
from tasks.models import ContainerRun
from tasks.orchestrator import stats

SPAWNED = answer("Spawned", container_id=serializers.IntegerField(), status=serializers.CharField(), note=serializers.CharField())
IN_THE_ADDRESS = [OpenApiParameter(name, kind, description="here or in the body") for name, kind in (("task_id", int), ("version", str))]


@documented(SPAWNED, SpawnIn, {"task_id": 1, "version": "v1", "command": ["python3", "main.py"]}, parameters=IN_THE_ADDRESS)
class SpawnContainer(Call):
    shape, roles = SpawnIn, {"POST": (CODER, EVALUATOR)}

    def post(self, request: Request) -> Response:
        body = self.body(**{name: request.query_params[name] for name in ("task_id", "version") if name in request.query_params})
        task = self.task(body["task_id"])
        run = runs.submit(
            task=task,
            version=version_named(task, body["version"]) or task.versions.first(),
            command=body["command"],
            stdin=body["stdin"],
            limits=body["limits"],
            agent=self.agent.name,
        )
        return Response({"container_id": run.pk, "status": run.status, "note": f"Runs by {run.runner} as soon as a worker is free."})


class OfRun(Call):
    def run_of(self, container_id: int) -> ContainerRun:
        return get_object_or_404(ContainerRun.objects.filter(task_request__in=visible(self.agent)).select_related("version"), pk=container_id)


@documented(ContainerRow)
class ContainerStatus(OfRun):
    def get(self, request: Request, container_id: int) -> Response:
        return Response(ContainerRow(self.run_of(container_id)).data)


@documented(answer("ContainerDeleted", deleted=serializers.BooleanField()))
class DeleteContainer(OfRun):
    roles = {"DELETE": (CODER, EVALUATOR)}

    def delete(self, request: Request, container_id: int) -> Response:
        runs.remove(self.run_of(container_id))
        return Response({"deleted": True})


@documented(StatsOut)
class GetStats(Call):
    def get(self, request: Request) -> Response:
        return Response(stats.stats())
