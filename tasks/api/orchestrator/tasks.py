"""Tasks: posted, listed, shown, their status set."""

from __future__ import annotations

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from tasks.api.agents import GENERATOR, visible
from tasks.api.orchestrator.answers import TaskRow, answer
from tasks.api.orchestrator.bodies import StatusIn, UploadTaskIn
from tasks.api.orchestrator.call import EVERYBODY, MAX_ROWS, Call, documented
from tasks.orchestrator import assignments

SAMPLE = {"name": "Tell digits apart", "dataset": "mnist", "description": "Train a model.", "creator_agent": "generator"}


@documented(answer("TaskPosted", task_id=serializers.IntegerField()), UploadTaskIn, SAMPLE)
class UploadTask(Call):
    shape, roles = UploadTaskIn, {"POST": (GENERATOR,)}

    def post(self, request: Request) -> Response:
        body = self.body()
        task = assignments.create(agent=self.named(body.pop("creator_agent")), **body)
        return Response({"task_id": task.pk})


@documented(answer("TaskList", tasks=TaskRow(many=True)))
class GetTasks(Call):
    def get(self, request: Request) -> Response:
        rows = visible(self.agent).prefetch_related("rounds").order_by("-id")[:MAX_ROWS]
        return Response({"tasks": TaskRow(rows, many=True).data})


@documented(TaskRow)
class GetTask(Call):
    def get(self, request: Request, task_id: int) -> Response:
        return Response(TaskRow(self.task(task_id)).data)


@documented(answer("TaskUpdated", status=serializers.CharField()), StatusIn, {"status": "running"})
class UpdateTask(Call):
    shape, roles = StatusIn, {"PUT": EVERYBODY}

    def put(self, request: Request, task_id: int) -> Response:
        assignments.set_status(self.task(task_id), self.body()["status"], self.agent.name)
        return Response({"status": "updated"})
