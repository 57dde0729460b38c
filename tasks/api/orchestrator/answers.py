"""What the orchestrator's clients get: the original's keys, and ours beside them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

from tasks.api.v1 import serializers as shapes
from tasks.models import CodeVersion, ContainerRun, GeneratedFile, Message, Result, TaskRequest
from tasks.orchestrator import uploads
from tasks.orchestrator.assignments import shown_status
from tasks.orchestrator.logs import Log


def answer(name: str, **fields: serializers.Field[Any, Any, Any, Any]) -> serializers.Serializer[Any]:
    """A plain answer, for the schema alone."""
    return inline_serializer(name, fields)


class TaskRow(serializers.ModelSerializer[TaskRequest]):
    name = serializers.SerializerMethodField()
    status = serializers.SerializerMethodField()

    class Meta:
        model = TaskRequest
        fields = ("id", "name", "dataset", "description", "creator_agent", "status", "created_at", "coder", "evaluator", "repo_url", "pages_url")

    def get_name(self, row: TaskRequest) -> str:
        return row.name or row.task

    def get_status(self, row: TaskRequest) -> str:
        return shown_status(row)


class FileRow(serializers.ModelSerializer[GeneratedFile]):
    """Needs `version` in the context."""

    task_id = serializers.SerializerMethodField()
    version = serializers.SerializerMethodField()
    agent = serializers.SerializerMethodField()
    filename = serializers.CharField(source="path")
    stored_path = serializers.SerializerMethodField()
    uploaded_at = serializers.SerializerMethodField()

    class Meta:
        model = GeneratedFile
        fields = ("id", "task_id", "version", "agent", "filename", "stored_path", "uploaded_at", "size")

    @property
    def _version(self) -> CodeVersion:
        version: CodeVersion = self.context["version"]
        return version

    def get_task_id(self, row: GeneratedFile) -> int:
        return self._version.task_request_id

    def get_version(self, row: GeneratedFile) -> str:
        return uploads.label_of(self._version)

    def get_agent(self, row: GeneratedFile) -> str:
        return self._version.generator

    def get_stored_path(self, row: GeneratedFile) -> str:
        return stored_path(self._version, row.path)

    def get_uploaded_at(self, row: GeneratedFile) -> str:
        return self._version.created_at.isoformat()


def stored_path(version: CodeVersion, path: str) -> str:
    """Where the original would have put it. Ours stands in the database; the path is a name, not a place."""
    return f"storage/code/{version.task_request_id}/{uploads.label_of(version)}/{path}"


class ResultRow(serializers.ModelSerializer[Result]):
    task_id = serializers.IntegerField(source="task_request_id")
    raw_logs = serializers.SerializerMethodField()
    version = serializers.SerializerMethodField()

    class Meta:
        model = Result
        fields = ("id", "task_id", "accuracy", "loss", "raw_logs", "run_time", "created_at", "metrics", "passed", "version")

    def get_raw_logs(self, row: Result) -> str:
        return row.log.content if row.log else ""

    def get_version(self, row: Result) -> str:
        return uploads.label_of(row.version) if row.version else ""


class MessageRow(serializers.ModelSerializer[Message]):
    task_id = serializers.IntegerField(source="task_request_id")
    receiver = serializers.CharField(source="recipient")
    role = serializers.SerializerMethodField()
    content = serializers.CharField(source="body")

    class Meta:
        model = Message
        fields = ("id", "task_id", "sender", "receiver", "role", "content", "created_at")

    def get_role(self, row: Message) -> str:
        return row.role or row.kind


class LogRow(shapes.LogOut):
    modified = serializers.SerializerMethodField(help_text="seconds since 1970")  # type: ignore[assignment]

    def get_modified(self, log: Log) -> float:
        return log.modified.timestamp()


class ContainerRow(shapes.ContainerOut):
    logs = serializers.SerializerMethodField()

    class Meta(shapes.ContainerOut.Meta):
        fields = (*shapes.ContainerOut.Meta.fields, "logs")  # type: ignore[assignment]

    def get_logs(self, row: ContainerRun) -> str:
        return row.stdout + row.stderr
