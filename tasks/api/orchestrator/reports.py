"""What was measured, said and logged."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from tasks.api.agents import EVALUATOR
from tasks.api.content import attachment
from tasks.api.orchestrator.answers import LogRow, MessageRow, ResultRow, answer
from tasks.api.orchestrator.bodies import FeedbackIn, ResultsIn, UploadMessageIn
from tasks.api.orchestrator.call import EVERYBODY, MAX_ROWS, TEXT, Call, documented, plain
from tasks.api.v1.uploaded import version_named
from tasks.models import Message
from tasks.orchestrator import logs, reports

POSTED = answer("Posted", posted=serializers.BooleanField(), id=serializers.IntegerField())
MESSAGE = {"task_id": 1, "sender": "generator", "receiver": "coder", "role": "note", "content": "Use the small data set first."}
RESULT = {"task_id": 1, "accuracy": 0.93, "loss": 0.21, "raw_logs": "epoch 1: 0.93\n", "run_time": 12.5, "f1": 0.9}


@documented(answer("ResultsStored", run_id=serializers.IntegerField()), ResultsIn, RESULT)
class UploadResults(Call):
    shape, roles = ResultsIn, {"POST": (EVALUATOR,)}

    def post(self, request: Request) -> Response:
        """Any number under a name of its own is a metric."""
        body = self.body()
        task = self.task(body.pop("task_id"))
        version = version_named(task, body.pop("version")) or task.versions.first()
        sent = plain(request.data)
        metrics = {name: value for name, value in sent.items() if name not in ResultsIn().fields and isinstance(value, int | float)}
        result = reports.report(task, self.agent.name, version=version, raw_log=body.pop("raw_logs"), metrics=metrics, **body)
        return Response({"run_id": result.pk})


@documented(answer("ResultsList", results=ResultRow(many=True)))
class GetResults(Call):
    def get(self, request: Request, task_id: int) -> Response:
        rows = self.task(task_id).results.select_related("version", "log")[:MAX_ROWS]
        return Response({"results": ResultRow(rows, many=True).data})


@documented(answer("ResultsLatest", latest=ResultRow(allow_null=True)))
class GetLatestResults(Call):
    def get(self, request: Request, task_id: int) -> Response:
        row = self.task(task_id).results.select_related("version", "log").first()
        return Response({"latest": ResultRow(row).data if row else None})


@documented(
    POSTED, UploadMessageIn, {"task_id": 1, "sender": "generator", "receiver": "coder", "role": "note", "content": "Use the small data set first."}
)
class UploadMessage(Call):
    shape, roles = UploadMessageIn, {"POST": EVERYBODY}

    def post(self, request: Request) -> Response:
        body = self.body()
        task = self.task(body["task_id"])
        message = reports.say(task, self.named(body["sender"]), body["content"], recipient=body["receiver"], role=body["role"])
        return Response({"posted": True, "id": message.pk})


@documented(answer("MessageList", messages=MessageRow(many=True)))
class GetMessages(Call):
    def get(self, request: Request, task_id: int) -> Response:
        rows = self.task(task_id).messages.exclude(kind=Message.Kind.EVENT).order_by("id")[:MAX_ROWS]
        return Response({"messages": MessageRow(rows, many=True).data})


@documented(POSTED, FeedbackIn, {"task_id": 1, "evaluator": "evaluator", "feedback": "It overfits after epoch 3: stop earlier."})
class UploadFeedback(Call):
    shape, roles = FeedbackIn, {"POST": (EVALUATOR,)}

    def post(self, request: Request) -> Response:
        body = self.body()
        task = self.task(body["task_id"])
        version = version_named(task, body["version"]) or task.versions.first()
        message = reports.feed_back(task, self.named(body["evaluator"]), body["feedback"], version=version)
        return Response({"posted": True, "id": message.pk})


@documented(answer("FeedbackList", feedback=MessageRow(many=True)))
class GetFeedback(Call):
    def get(self, request: Request, task_id: int) -> Response:
        rows = self.task(task_id).messages.filter(kind=Message.Kind.FEEDBACK).order_by("-id")[:MAX_ROWS]
        return Response({"feedback": MessageRow(rows, many=True).data})


@documented(answer("LogList", logs=LogRow(many=True)))
class GetLogs(Call):
    def get(self, request: Request, task_id: int) -> Response:
        return Response({"logs": LogRow(logs.all_of(self.task(task_id)), many=True).data})


@documented(TEXT)
class DownloadLog(Call):
    def get(self, request: Request, task_id: int, filename: str) -> HttpResponse:
        found = logs.find(self.task(task_id), filename)
        if found is None:
            raise Http404
        return attachment(request._request, found.filename, found.content.encode("utf-8", "replace"), "text/plain; charset=utf-8")
