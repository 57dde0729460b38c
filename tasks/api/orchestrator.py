"""The orchestrator's verbs (seeds/003), each by its own name, for clients that were written for it. Errors are `{"detail": …}` as there.

In: JSON, forms and query parameters, as its clients send them. Everything that is done stands in `tasks.orchestrator` and `tasks.runs`, which
`/api/v1` uses too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, serializers
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from tasks import runs
from tasks.api.agents import CODER, EVALUATOR, GENERATOR, Agent, HasRole, KeyAuthentication, visible
from tasks.api.content import attachment
from tasks.api.problems import handler as problem_handler
from tasks.api.v1 import serializers as shapes
from tasks.api.v1.views import files_of, version_named
from tasks.api.views import FormsToo, JsonView
from tasks.errors import Conflict, TaskError, TooLarge
from tasks.models import CodeVersion, ContainerRun, GeneratedFile, Message, Result, TaskRequest
from tasks.orchestrator import assignments, logs, reports, stats, uploads

MAX_ROWS = 1_000  # the original's lists have no pages
EVERYBODY = (GENERATOR, CODER, EVALUATOR)


# -- what its clients send -------------------------------------------------------------------------------------------------------------


class UploadTaskIn(shapes.Storable):
    name = serializers.CharField(max_length=200)
    dataset = serializers.CharField(max_length=500, required=False, allow_blank=True, allow_null=True, default="")
    description = serializers.CharField(max_length=100_000, required=False, allow_blank=True, allow_null=True, default="")
    creator_agent = serializers.CharField(max_length=100, required=False, allow_blank=True, allow_null=True, default="")
    coder = serializers.CharField(max_length=100, required=False, allow_blank=True, default="")
    evaluator = serializers.CharField(max_length=100, required=False, allow_blank=True, default="")
    checks = serializers.ListField(child=serializers.JSONField(), required=False, default=list)


class StatusIn(shapes.Storable):
    status = serializers.CharField(max_length=20)


class CodeIn(shapes.Storable):
    task_id = serializers.IntegerField(min_value=1)
    version = serializers.CharField(max_length=100, required=False, allow_blank=True, default="")
    agent = serializers.CharField(max_length=40, required=False, allow_blank=True, default="")
    file = serializers.ListField(child=serializers.FileField(allow_empty_file=True), required=False, default=list)
    file_content = serializers.CharField(required=False, allow_blank=True, trim_whitespace=False)
    filename = serializers.CharField(max_length=200, required=False, default="main.py")


class ResultsIn(shapes.Storable):
    task_id = serializers.IntegerField(min_value=1)
    version = serializers.CharField(max_length=100, required=False, allow_blank=True, default="")
    accuracy = serializers.FloatField(required=False, allow_null=True)
    loss = serializers.FloatField(required=False, allow_null=True)
    raw_logs = serializers.CharField(required=False, allow_blank=True, allow_null=True, trim_whitespace=False, default="")
    run_time = serializers.FloatField(required=False, allow_null=True)
    passed = serializers.BooleanField(required=False, allow_null=True, default=None)


class UploadMessageIn(shapes.Storable):
    task_id = serializers.IntegerField(min_value=1)
    sender = serializers.CharField(max_length=100, required=False, allow_blank=True, default="")
    receiver = serializers.CharField(max_length=100, required=False, allow_blank=True, allow_null=True, default="")
    role = serializers.CharField(max_length=50, required=False, allow_blank=True, allow_null=True, default="")
    content = serializers.CharField(max_length=100_000, trim_whitespace=False)


class FeedbackIn(shapes.Storable):
    task_id = serializers.IntegerField(min_value=1)
    evaluator = serializers.CharField(max_length=100, required=False, allow_blank=True, allow_null=True, default="")
    feedback = serializers.CharField(max_length=100_000, trim_whitespace=False)
    version = serializers.CharField(max_length=100, required=False, allow_blank=True, default="")


class SpawnIn(shapes.Storable):
    task_id = serializers.IntegerField(min_value=1)
    version = serializers.CharField(max_length=100, required=False, allow_blank=True, default="")
    command = serializers.ListField(child=serializers.CharField(max_length=4000), required=False, default=list, max_length=100)
    stdin = serializers.CharField(required=False, allow_blank=True, trim_whitespace=False, default="")
    limits = shapes.LimitsIn(required=False, default=dict)


# -- what they get ---------------------------------------------------------------------------------------------------------------------


def task_out(task: TaskRequest) -> dict[str, Any]:
    return {
        "id": task.pk,
        "name": task.name or task.task,
        "dataset": task.dataset,
        "description": task.description,
        "creator_agent": task.creator_agent,
        "status": assignments.shown_status(task),
        "created_at": task.created_at,
        "coder": task.coder,
        "evaluator": task.evaluator,
        "repo_url": task.repo_url,
        "pages_url": task.pages_url,
    }


def file_out(file: GeneratedFile, version: CodeVersion) -> dict[str, Any]:
    return {
        "id": file.pk,
        "task_id": version.task_request_id,
        "version": uploads.label_of(version),
        "agent": version.generator,
        "filename": file.path,
        "stored_path": stored_path(version, file.path),
        "uploaded_at": version.created_at,
        "size": file.size,
    }


def stored_path(version: CodeVersion, path: str) -> str:
    """Where the original would have put it. Ours stands in the database; the path is a name, not a place."""
    return f"storage/code/{version.task_request_id}/{uploads.label_of(version)}/{path}"


def result_out(result: Result) -> dict[str, Any]:
    return {
        "id": result.pk,
        "task_id": result.task_request_id,
        "accuracy": result.accuracy,
        "loss": result.loss,
        "raw_logs": result.log.content if result.log else "",
        "run_time": result.run_time,
        "created_at": result.created_at,
        "metrics": result.metrics,
        "passed": result.passed,
        "version": uploads.label_of(result.version) if result.version else "",
    }


def message_out(message: Message) -> dict[str, Any]:
    return {
        "id": message.pk,
        "task_id": message.task_request_id,
        "sender": message.sender,
        "receiver": message.recipient,
        "role": message.role or message.kind,
        "content": message.body,
        "created_at": message.created_at,
    }


def container_out(run: ContainerRun) -> dict[str, Any]:
    return {**shapes.ContainerOut(run).data, "task_id": run.task_request_id, "logs": run.stdout + run.stderr}


class Refusal(serializers.Serializer):
    detail = serializers.JSONField(help_text="what is wrong, or what is wrong with each field")


# -- the calls -------------------------------------------------------------------------------------------------------------------------


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
    refusal = Refusal, "application/json"  # for the API's schema
    shape: type[serializers.Serializer[Any]] | None = None
    roles: dict[str, tuple[str, ...]] = {}

    def get_exception_handler(self) -> Callable[..., Any]:
        return detail

    @property
    def agent(self) -> Agent:
        return cast(Agent, self.request.user)

    def body(self, **more: Any) -> dict[str, Any]:
        assert self.shape is not None  # noqa: S101 - a view that reads a body has a shape  # nosec B101
        reader = self.shape(data={**_plain(self.request.data), **more} if more else self.request.data)
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


def _plain(data: Any) -> dict[str, Any]:
    return data.dict() if hasattr(data, "dict") else dict(data)


@extend_schema(tags=["orchestrator"], request=UploadTaskIn, responses=OpenApiTypes.OBJECT)
class UploadTask(Call):
    shape, roles = UploadTaskIn, {"POST": (GENERATOR,)}

    def post(self, request: Request) -> Response:
        body = self.body()
        task = assignments.create(agent=self.named(body.pop("creator_agent")), **body)
        return Response({"task_id": task.pk})


@extend_schema(tags=["orchestrator"], responses=OpenApiTypes.OBJECT)
class GetTasks(Call):
    def get(self, request: Request) -> Response:
        rows = visible(self.agent).prefetch_related("rounds").order_by("-id")[:MAX_ROWS]
        return Response({"tasks": [task_out(task) for task in rows]})


@extend_schema(tags=["orchestrator"], responses=OpenApiTypes.OBJECT)
class GetTask(Call):
    def get(self, request: Request, task_id: int) -> Response:
        return Response(task_out(self.task(task_id)))


@extend_schema(tags=["orchestrator"], request=StatusIn, responses=OpenApiTypes.OBJECT)
class UpdateTask(Call):
    shape, roles = StatusIn, {"PUT": EVERYBODY}

    def put(self, request: Request, task_id: int) -> Response:
        assignments.set_status(self.task(task_id), self.body()["status"], self.agent.name)
        return Response({"status": "updated"})


@extend_schema(tags=["orchestrator"], request={"multipart/form-data": CodeIn, "application/json": CodeIn}, responses=OpenApiTypes.OBJECT)
class UploadCode(Call):
    shape, roles = CodeIn, {"POST": (CODER,)}

    def post(self, request: Request) -> Response:
        body = self.body()
        task, files = self.task(body["task_id"]), files_of(body)
        if not files:
            return Response({"detail": "Send `file` or `file_content`."}, status=400)
        done = uploads.upload(task, body["version"], files, self.named(body["agent"]))
        paths = [stored_path(done.version, file.path) for file in done.files]
        return Response({"stored_path": paths[0], "stored_paths": paths, "version": uploads.label_of(done.version)})


@extend_schema(tags=["orchestrator"], responses=OpenApiTypes.OBJECT)
class GetVersions(Call):
    @extend_schema(operation_id="get_code_versions")
    def get(self, request: Request, task_id: int) -> Response:
        rows = self.task(task_id).versions.prefetch_related("files").order_by("id")[:MAX_ROWS]
        return Response({"versions": [{"version": uploads.label_of(row), "files": [file.path for file in row.files.all()]} for row in rows]})


@extend_schema(tags=["orchestrator"], responses=OpenApiTypes.OBJECT)
class GetVersion(Call):
    def get(self, request: Request, task_id: int, version: str) -> Response:
        row = self.version(self.task(task_id), version)
        return Response({"items": [file_out(file, row) for file in row.files.all()]})


@extend_schema(tags=["orchestrator"], responses={(200, "text/plain"): OpenApiTypes.BINARY})
class DownloadCode(Call):
    def get(self, request: Request, task_id: int, version: str) -> HttpResponse:
        """The file as text, the one named by `filename`, or a zip of all where there are several."""
        row = self.version(self.task(task_id), version)
        files = {file.path: file for file in row.files.select_related("attachment")}
        name = request.query_params.get("filename") or (next(iter(files)) if len(files) == 1 else "")
        if not name:
            return attachment(request._request, f"task-{task_id}-{uploads.label_of(row)}.zip", uploads.as_zip(row), "application/zip")
        if name not in files:
            raise Http404
        return attachment(request._request, name, files[name].data, "text/plain; charset=utf-8")


@extend_schema(tags=["orchestrator"], responses=OpenApiTypes.OBJECT)
class DeleteCode(Call):
    roles = {"DELETE": (CODER,)}

    def delete(self, request: Request, file_id: int) -> Response:
        file = get_object_or_404(
            GeneratedFile.objects.select_related("version"),
            pk=file_id,
            version__kind=CodeVersion.Kind.UPLOAD,
            version__task_request__in=visible(self.agent),
        )
        uploads.delete_file(file)
        return Response({"deleted": True})


@extend_schema(tags=["orchestrator"], request=ResultsIn, responses=OpenApiTypes.OBJECT)
class UploadResults(Call):
    shape, roles = ResultsIn, {"POST": (EVALUATOR,)}

    def post(self, request: Request) -> Response:
        """Any number under a name of its own is a metric."""
        body = self.body()
        task = self.task(body.pop("task_id"))
        version = version_named(task, body.pop("version")) or task.versions.first()
        sent = _plain(request.data)
        metrics = {name: value for name, value in sent.items() if name not in ResultsIn().fields and isinstance(value, int | float)}
        result = reports.report(task, self.agent.name, version=version, raw_log=body.pop("raw_logs"), metrics=metrics, **body)
        return Response({"run_id": result.pk})


@extend_schema(tags=["orchestrator"], responses=OpenApiTypes.OBJECT)
class GetResults(Call):
    def get(self, request: Request, task_id: int) -> Response:
        rows = self.task(task_id).results.select_related("version", "log")[:MAX_ROWS]
        return Response({"results": [result_out(row) for row in rows]})


@extend_schema(tags=["orchestrator"], responses=OpenApiTypes.OBJECT)
class GetLatestResults(Call):
    def get(self, request: Request, task_id: int) -> Response:
        row = self.task(task_id).results.select_related("version", "log").first()
        return Response({"latest": result_out(row) if row else None})


@extend_schema(tags=["orchestrator"], request=UploadMessageIn, responses=OpenApiTypes.OBJECT)
class UploadMessage(Call):
    shape, roles = UploadMessageIn, {"POST": EVERYBODY}

    def post(self, request: Request) -> Response:
        body = self.body()
        task = self.task(body["task_id"])
        message = reports.say(task, self.named(body["sender"]), body["content"], recipient=body["receiver"], role=body["role"])
        return Response({"posted": True, "id": message.pk})


@extend_schema(tags=["orchestrator"], responses=OpenApiTypes.OBJECT)
class GetMessages(Call):
    def get(self, request: Request, task_id: int) -> Response:
        rows = self.task(task_id).messages.exclude(kind=Message.Kind.EVENT).order_by("id")[:MAX_ROWS]
        return Response({"messages": [message_out(row) for row in rows]})


@extend_schema(tags=["orchestrator"], request=FeedbackIn, responses=OpenApiTypes.OBJECT)
class UploadFeedback(Call):
    shape, roles = FeedbackIn, {"POST": (EVALUATOR,)}

    def post(self, request: Request) -> Response:
        body = self.body()
        task = self.task(body["task_id"])
        version = version_named(task, body["version"]) or task.versions.first()
        message = reports.feed_back(task, self.named(body["evaluator"]), body["feedback"], version=version)
        return Response({"posted": True, "id": message.pk})


@extend_schema(tags=["orchestrator"], responses=OpenApiTypes.OBJECT)
class GetFeedback(Call):
    def get(self, request: Request, task_id: int) -> Response:
        rows = self.task(task_id).messages.filter(kind=Message.Kind.FEEDBACK).order_by("-id")[:MAX_ROWS]
        return Response({"feedback": [message_out(row) for row in rows]})


@extend_schema(tags=["orchestrator"], responses=OpenApiTypes.OBJECT)
class GetLogs(Call):
    def get(self, request: Request, task_id: int) -> Response:
        found = logs.all_of(self.task(task_id))
        return Response(
            {"logs": [{"filename": log.filename, "modified": log.modified.timestamp(), "preview": log.preview, "size": log.size} for log in found]}
        )


@extend_schema(tags=["orchestrator"], responses={(200, "text/plain"): OpenApiTypes.BINARY})
class DownloadLog(Call):
    def get(self, request: Request, task_id: int, filename: str) -> HttpResponse:
        found = logs.find(self.task(task_id), filename)
        if found is None:
            raise Http404
        return attachment(request._request, found.filename, found.content.encode("utf-8", "replace"), "text/plain; charset=utf-8")


@extend_schema(tags=["orchestrator"], request=SpawnIn, responses=OpenApiTypes.OBJECT)
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


@extend_schema(tags=["orchestrator"], responses=OpenApiTypes.OBJECT)
class ContainerStatus(Call):
    def get(self, request: Request, container_id: int) -> Response:
        return Response(container_out(self.run_of(container_id)))

    def run_of(self, container_id: int) -> ContainerRun:
        return get_object_or_404(ContainerRun.objects.filter(task_request__in=visible(self.agent)).select_related("version"), pk=container_id)


@extend_schema(tags=["orchestrator"], responses=OpenApiTypes.OBJECT)
class DeleteContainer(ContainerStatus):
    roles = {"DELETE": (CODER, EVALUATOR)}

    def get(self, request: Request, container_id: int) -> Response:
        raise exceptions.MethodNotAllowed("GET")

    def delete(self, request: Request, container_id: int) -> Response:
        runs.remove(self.run_of(container_id))
        return Response({"deleted": True})


@extend_schema(tags=["orchestrator"], responses=shapes.StatsOut)
class GetStats(Call):
    def get(self, request: Request) -> Response:
        return Response(stats.stats())
