"""What the API takes and answers."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from tasks.models import Artefact, CodeVersion, ContainerRun, GeneratedFile, Message, Result, Round, TaskRequest
from tasks.orchestrator import uploads
from tasks.orchestrator.assignments import shown_status
from tasks.payload import AttachmentIn, Rejected, check_attachments, check_storable, listed_checks


class Storable(serializers.Serializer[Any]):
    """Refuses what a database cannot hold, with the field's name."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            for key, value in data.items():
                try:
                    check_storable(value, str(key), 64) if not hasattr(value, "read") else None
                except Rejected as error:
                    raise serializers.ValidationError({str(key)[:100]: error.detail}) from None
        return super().to_internal_value(data)


class AttachmentsIn(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=500)
    url = serializers.CharField(help_text="data URI, or an http(s) address")


class TaskIn(Storable):
    name = serializers.CharField(max_length=200)
    dataset = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")
    description = serializers.CharField(max_length=100_000, required=False, allow_blank=True, default="")
    creator_agent = serializers.CharField(max_length=100, required=False, allow_blank=True, help_text="only with DEMO_API_KEY; else the key's name")
    coder = serializers.CharField(max_length=100, required=False, allow_blank=True, default="", help_text="builtin, an agent, or empty: any agent")
    evaluator = serializers.CharField(
        max_length=100, required=False, allow_blank=True, default="", help_text="builtin, an agent, or empty: any agent"
    )
    brief = serializers.CharField(max_length=100_000, required=False, allow_blank=True, default="", help_text="what to build; else the description")
    checks = serializers.ListField(child=serializers.JSONField(), required=False, default=list)
    attachments = AttachmentsIn(many=True, required=False, default=list)

    def validate_checks(self, value: list[Any]) -> list[Any]:
        try:
            return listed_checks(value)
        except Rejected as error:
            raise serializers.ValidationError(error.detail) from None

    def validate_attachments(self, value: list[dict[str, str]]) -> list[AttachmentIn]:
        listed = [AttachmentIn(item["name"], item["url"]) for item in value]
        try:
            check_attachments(listed)
        except Rejected as error:
            raise serializers.ValidationError(error.detail) from None
        return listed


class TaskChange(Storable):
    status = serializers.CharField(max_length=20, help_text="created, running, completed, failed, or a word of your own")
    reason = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")


class RoundOut(serializers.ModelSerializer[Round]):
    id = serializers.UUIDField(source="uuid")
    round = serializers.IntegerField(source="number")
    commit_sha = serializers.SerializerMethodField()

    class Meta:
        model = Round
        fields = (
            *("id", "round", "status", "stage", "waiting_for", "error_id", "error", "degraded_id", "degraded", "commit_sha"),
            *("received_at", "deadline_at", "live_at", "notified_at"),
        )

    def get_commit_sha(self, row: Round) -> str:
        deployment = max(row.deployments.all(), key=lambda deployment: deployment.pk, default=None)
        return deployment.commit_sha if deployment else ""


class TaskOut(serializers.ModelSerializer[TaskRequest]):
    name = serializers.SerializerMethodField()
    status = serializers.SerializerMethodField()
    rounds = RoundOut(many=True)

    class Meta:
        model = TaskRequest
        fields = (
            *("id", "name", "dataset", "description", "creator_agent", "coder", "evaluator", "status", "created_at"),
            *("task", "email", "repo_url", "pages_url", "rounds"),
        )

    def get_name(self, row: TaskRequest) -> str:
        return row.name or row.task

    def get_status(self, row: TaskRequest) -> str:
        return shown_status(row)


class FileOut(serializers.ModelSerializer[GeneratedFile]):
    class Meta:
        model = GeneratedFile
        fields = ("id", "path", "size", "origin", "blob_sha")


class VersionOut(serializers.ModelSerializer[CodeVersion]):
    version = serializers.SerializerMethodField()
    agent = serializers.CharField(source="generator")
    files = FileOut(many=True)

    class Meta:
        model = CodeVersion
        fields = ("id", "version", "number", "kind", "status", "agent", "model", "score", "tokens_in", "tokens_out", "cost", "created_at", "files")

    def get_version(self, row: CodeVersion) -> str:
        return uploads.label_of(row)


class VersionFiles(Storable):
    path = serializers.CharField(max_length=200)
    content = serializers.CharField(allow_blank=True, trim_whitespace=False)
    encoding = serializers.ChoiceField(choices=["utf-8", "base64"], default="utf-8")


class VersionIn(Storable):
    """Files as JSON, as parts of a form (`file`, several allowed), or as one zip (`archive`)."""

    version = serializers.CharField(max_length=100, required=False, allow_blank=True, default="", help_text="your label; empty: the next number")
    note = serializers.CharField(max_length=2000, required=False, allow_blank=True, default="")
    files = VersionFiles(many=True, required=False, default=list)
    file_content = serializers.CharField(required=False, allow_blank=True, trim_whitespace=False)
    filename = serializers.CharField(max_length=200, required=False, default="main.py", help_text="of `file_content`")
    file = serializers.ListField(child=serializers.FileField(allow_empty_file=True), required=False, default=list)
    archive = serializers.FileField(required=False)


class ResultIn(Storable):
    version = serializers.CharField(max_length=100, required=False, allow_blank=True, default="")
    accuracy = serializers.FloatField(required=False, allow_null=True)
    loss = serializers.FloatField(required=False, allow_null=True)
    run_time = serializers.FloatField(required=False, allow_null=True, help_text="seconds")
    metrics = serializers.DictField(child=serializers.JSONField(), required=False, default=dict)
    passed = serializers.BooleanField(required=False, allow_null=True, default=None)
    raw_logs = serializers.CharField(required=False, allow_blank=True, trim_whitespace=False, default="")


class ResultOut(serializers.ModelSerializer[Result]):
    version = serializers.SerializerMethodField()
    log = serializers.SerializerMethodField()

    class Meta:
        model = Result
        fields = ("id", "version", "agent", "accuracy", "loss", "run_time", "metrics", "passed", "log", "created_at")

    def get_version(self, row: Result) -> str:
        return uploads.label_of(row.version) if row.version else ""

    def get_log(self, row: Result) -> str:
        return row.log.filename if row.log else ""


class MessageIn(Storable):
    content = serializers.CharField(max_length=100_000, trim_whitespace=False)
    recipient = serializers.CharField(max_length=100, required=False, allow_blank=True, default="")
    sender = serializers.CharField(max_length=100, required=False, allow_blank=True, help_text="only with DEMO_API_KEY; else the key's name")
    role = serializers.CharField(max_length=50, required=False, allow_blank=True, default="")
    version = serializers.CharField(max_length=100, required=False, allow_blank=True, default="")
    data = serializers.DictField(child=serializers.JSONField(), required=False, default=dict)  # type: ignore[assignment]


class MessageOut(serializers.ModelSerializer[Message]):
    content = serializers.CharField(source="body")
    version = serializers.SerializerMethodField()

    class Meta:
        model = Message
        fields = ("id", "kind", "sender", "recipient", "role", "content", "version", "data", "acknowledged_at", "created_at")

    def get_version(self, row: Message) -> str:
        return uploads.label_of(row.version) if row.version else ""


class LogOut(serializers.Serializer[Any]):
    filename = serializers.CharField()
    modified = serializers.DateTimeField()
    size = serializers.IntegerField(help_text="bytes")
    preview = serializers.CharField(help_text="the first 50 lines, or fewer")


class LimitsIn(serializers.Serializer[Any]):
    """Whatever is missing takes its usual value; see `tasks/runners/base.py`."""

    wall_seconds = serializers.FloatField(required=False)
    cpu_seconds = serializers.FloatField(required=False)
    memory_mb = serializers.IntegerField(required=False)
    processes = serializers.IntegerField(required=False)
    file_mb = serializers.IntegerField(required=False)
    output_kb = serializers.IntegerField(required=False)
    artefacts_mb = serializers.IntegerField(required=False)


class ContainerIn(Storable):
    task_id = serializers.IntegerField(min_value=1)
    version = serializers.CharField(max_length=100, required=False, allow_blank=True, default="", help_text="empty: the newest")
    command = serializers.ListField(child=serializers.CharField(max_length=4000), required=False, default=list, max_length=100)
    files = VersionFiles(many=True, required=False, default=list)
    stdin = serializers.CharField(required=False, allow_blank=True, trim_whitespace=False, default="")
    limits = LimitsIn(required=False, default=dict)


class ArtefactOut(serializers.ModelSerializer[Artefact]):
    class Meta:
        model = Artefact
        fields = ("id", "path", "size", "sha256")


class ContainerOut(serializers.ModelSerializer[ContainerRun]):
    task_id = serializers.IntegerField(source="task_request_id", allow_null=True)
    version = serializers.SerializerMethodField()
    artefacts = ArtefactOut(many=True)

    class Meta:
        model = ContainerRun
        fields = (
            *("id", "task_id", "version", "agent", "runner", "command", "status", "reason", "exit_code", "signal", "wall_ms", "cpu_ms"),
            *("memory_peak_kb", "stdout", "stderr", "stdout_truncated", "stderr_truncated", "limits", "applied", "artefacts", "left_out"),
            *("created_at", "taken_at", "started_at", "finished_at"),
        )

    @extend_schema_field(str)
    def get_version(self, row: ContainerRun) -> str:
        return uploads.label_of(row.version) if row.version else ""
