"""The resources. Each action translates between HTTP and `tasks.orchestrator` or `tasks.runs`."""

from __future__ import annotations

import base64
import binascii
from typing import Any

import django_filters
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from drf_spectacular.helpers import forced_singular_serializer
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers as drf
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from tasks import runs
from tasks.api.agents import CODER, EVALUATOR, GENERATOR, visible
from tasks.api.content import attachment
from tasks.api.v1 import serializers
from tasks.api.v1.base import Creates, Resource
from tasks.files.media_types import media_type
from tasks.models import CodeVersion, ContainerRun, Message, Result, TaskRequest
from tasks.orchestrator import assignments, logs, reports, stats, uploads

FILE = {(200, "application/octet-stream"): OpenApiTypes.BINARY, (206, "application/octet-stream"): OpenApiTypes.BINARY}
WORKING = (CODER, EVALUATOR)
ALL = (GENERATOR, CODER, EVALUATOR)
SINCE = OpenApiParameter("since", str, description="an id or an ISO moment: only what came after it")


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

    @extend_schema(responses={201: serializers.TaskOut})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        return super().create(request, *args, **kwargs)

    def make(self, request: Request) -> Response:
        body = self.valid()
        named = body.pop("creator_agent", "")
        task = assignments.create(**body, agent=(named or self.agent.name) if self.agent.is_demo else self.agent.name)
        return Response(self._shown(task), status=201, headers={"Location": f"{request.path.rstrip('/')}/{task.pk}"})

    @extend_schema(responses=serializers.TaskOut)
    def partial_update(self, request: Request, task_id: str) -> Response:
        task, body = self.task(), self.valid()
        assignments.set_status(task, body["status"], self.agent.name, body["reason"])
        return Response(self._shown(task))

    def _shown(self, task: TaskRequest) -> Any:
        return serializers.TaskOut(with_rounds(TaskRequest.objects).get(pk=task.pk)).data


@extend_schema(tags=["versions"], parameters=[OpenApiParameter("task_id", int, OpenApiParameter.PATH)])
class Versions(Creates):
    """A task's code: what agents uploaded and what the service's own coder wrote."""

    roles = {"create": (CODER,), "destroy": (CODER,)}
    serializer_class = serializers.VersionOut
    parser_classes = [JSONParser, MultiPartParser, FormParser]
    queryset = CodeVersion.objects.all()
    lookup_field = "version"
    lookup_value_regex = r"[^/]{1,100}"

    def get_serializer_class(self) -> Any:
        return serializers.VersionIn if self.action == "create" else serializers.VersionOut

    def list(self, request: Request, task_id: str) -> Response:
        return self.pages(self.task().versions.prefetch_related("files"))

    def retrieve(self, request: Request, task_id: str, version: str) -> Response:
        return Response(self.get_serializer(self._version(version)).data)

    @extend_schema(responses={201: serializers.VersionOut})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        return super().create(request, *args, **kwargs)

    def make(self, request: Request) -> Response:
        task, body = self.task(), self.valid()
        done = uploads.upload(task, body["version"], files_of(body), self.agent.name, body["note"])
        return Response(serializers.VersionOut(done.version).data, status=201)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, task_id: str, version: str) -> Response:
        for file in self._version(version, kind=CodeVersion.Kind.UPLOAD).files.all():
            uploads.delete_file(file)
        return Response(status=204)

    @extend_schema(responses=FILE, parameters=[OpenApiParameter("filename", str, description="one file; else a zip of all")])
    @action(detail=True, filter_backends=[], pagination_class=None)
    def download(self, request: Request, task_id: str, version: str) -> HttpResponse:
        row = self._version(version)
        name = request.query_params.get("filename")
        if name is None:
            return attachment(request._request, f"task-{row.task_request_id}-{uploads.label_of(row)}.zip", uploads.as_zip(row), "application/zip")
        file = get_object_or_404(row.files.select_related("attachment"), path=name)
        return attachment(request._request, file.path, file.data, media_type(file.path, file.data))

    def _version(self, label: str, **more: Any) -> CodeVersion:
        found = uploads.find(self.task(), label)
        if found is None or any(getattr(found, name) != value for name, value in more.items()):
            raise Http404
        return found


def files_of(body: dict[str, Any]) -> dict[str, bytes]:
    """The uploaded files, in whichever of the forms they came."""
    files = {item["path"]: decoded(item) for item in body.get("files", ())}
    if "file_content" in body:
        files[body.get("filename") or "main.py"] = body["file_content"].encode()
    for file in body.get("file", ()):
        files[file.name or "main.py"] = file.read()
    if body.get("archive") is not None:
        files |= uploads.unpack(body["archive"].read())
    return files


def decoded(item: dict[str, str]) -> bytes:
    if item["encoding"] == "utf-8":
        return item["content"].encode()
    try:
        return base64.b64decode(item["content"], validate=True)
    except (binascii.Error, ValueError):
        raise drf.ValidationError({item["path"]: "The content is not base64."}) from None


@extend_schema(tags=["results"], parameters=[OpenApiParameter("task_id", int, OpenApiParameter.PATH)])
class Results(Creates):
    """What evaluators measured."""

    roles = {"create": (EVALUATOR,)}
    serializer_class = serializers.ResultOut
    queryset = Result.objects.all()

    def get_serializer_class(self) -> Any:
        return serializers.ResultIn if self.action == "create" else serializers.ResultOut

    def list(self, request: Request, task_id: str) -> Response:
        return self.pages(self.task().results.select_related("version", "log"))

    @extend_schema(responses={201: serializers.ResultOut})
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


def version_named(task: TaskRequest, label: str) -> CodeVersion | None:
    """The version of that label; none for an empty one."""
    if not label:
        return None
    found = uploads.find(task, label)
    if found is None:
        raise drf.ValidationError({"version": f"The task has no version {label!r}."})
    return found


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


@extend_schema(tags=["messages"], parameters=[OpenApiParameter("task_id", int, OpenApiParameter.PATH)])
class Messages(Said):
    """The conversation: messages, feedback and events. `since` and `agent` narrow it."""

    roles = {"create": ALL}

    @extend_schema(parameters=[SINCE, OpenApiParameter("agent", str, description="sent by or to it")])
    def list(self, request: Request, task_id: str) -> Response:
        return self.pages(self.rows())

    @extend_schema(responses={201: serializers.MessageOut})
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


@extend_schema(tags=["feedback"], parameters=[OpenApiParameter("task_id", int, OpenApiParameter.PATH)])
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

    @extend_schema(responses={201: serializers.MessageOut})
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


@extend_schema(tags=["logs"], parameters=[OpenApiParameter("task_id", int, OpenApiParameter.PATH)])
class Logs(Resource):
    """Logs that agents posted, the output of runs, and the stages of rounds."""

    serializer_class = serializers.LogOut
    pagination_class = None  # type: ignore[assignment]
    filter_backends = []
    lookup_field = "filename"
    lookup_value_regex = r"[^/]{1,200}"

    @extend_schema(responses=serializers.LogOut(many=True))
    def list(self, request: Request, task_id: str) -> Response:
        return Response(self.get_serializer(logs.all_of(self.task()), many=True).data)

    @extend_schema(responses=FILE, parameters=[OpenApiParameter("filename", str, OpenApiParameter.PATH)])
    def retrieve(self, request: Request, task_id: str, filename: str) -> HttpResponse:
        found = logs.find(self.task(), filename)
        if found is None:
            raise Http404
        return attachment(request._request, found.filename, found.content.encode("utf-8", "replace"), "text/plain; charset=utf-8")


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

    @extend_schema(responses={202: serializers.ContainerOut})
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


@extend_schema(tags=["stats"])
class Stats(Resource):
    """The numbers of the dashboard."""

    serializer_class = serializers.StatsOut
    pagination_class = None  # type: ignore[assignment]
    filter_backends = []

    @extend_schema(responses=forced_singular_serializer(serializers.StatsOut))
    def list(self, request: Request) -> Response:
        return Response(stats.stats())
