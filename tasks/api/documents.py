"""What the service's own routes take and answer, for the API's schema. `tasks.payload` reads, the views write; the fuzz run holds them together.

Fields that only staff and key holders are sent are not required.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from drf_spectacular.utils import OpenApiResponse, extend_schema_field
from rest_framework import serializers

from tasks.api.problems import MEDIA_TYPE
from tasks.classroom import reports
from tasks.models import CheckResult, Round
from tasks.payload import LIMITS, MAX_CHECKS
from tasks.pipeline import STAGES

STATUSES = [(status, status) for status in Round.Status.values]


class FieldProblem(serializers.Serializer):
    field = serializers.CharField(help_text="where in the body")
    code = serializers.CharField()
    message = serializers.CharField()


class Problem(serializers.Serializer):
    """RFC 9457. `code` is stable, `detail` names the cure."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    code = serializers.CharField()
    errors = FieldProblem(many=True, required=False)  # type: ignore[assignment]


class Refusal(Problem):
    """A problem with its sentence also as `reason`, where the course's evaluator has it."""

    reason = serializers.CharField()


def problems(reasons: dict[int, str]) -> dict[Any, OpenApiResponse]:
    """Status to reason, as responses of an operation."""
    return {(status, MEDIA_TYPE): OpenApiResponse(Problem, description=reason) for status, reason in reasons.items()}


def refusals(reasons: dict[int, str]) -> dict[Any, OpenApiResponse]:
    return {(status, MEDIA_TYPE): OpenApiResponse(Refusal, description=reason) for status, reason in reasons.items()}


@extend_schema_field({"oneOf": [{"type": "integer", "minimum": 1, "maximum": 1000}, {"type": "string", "pattern": "^(1000|[1-9][0-9]{0,2})$"}]})
class RoundNumber(serializers.Field):
    """`2` or `"2"`."""


@extend_schema_field(
    {"oneOf": [{"type": ["string", "object", "null"]}, {"type": "array", "items": {"type": ["string", "object"]}, "maxItems": MAX_CHECKS}]}
)
class Checks(serializers.Field):
    """A list of `{"js": …}`, `"js: …"`, bare JavaScript or plain English; a single one need not stand in a list."""


@extend_schema_field(
    {
        "oneOf": [
            {
                "type": "array",
                "maxItems": settings.MAX_ATTACHMENTS,
                "items": {
                    "type": "object",
                    "properties": {
                        "name": {"type": "string", "minLength": 1, "maxLength": 500},
                        "url": {"type": "string", "description": "data URI, or an http(s) address"},
                    },
                    "required": ["name", "url"],
                },
            },
            {"type": ["object", "null"], "maxProperties": 0},
        ]
    }
)
class Attachments(serializers.Field):
    """A list of `{"name", "url"}`; null and `{}` are as good as none."""


class Ready(serializers.Serializer):
    """The request; `tasks.payload` reads it. Unknown keys are tolerated."""

    email = serializers.EmailField(max_length=LIMITS["email"])
    secret = serializers.CharField()
    task = serializers.CharField(min_length=1, max_length=LIMITS["task"])
    round = RoundNumber()
    nonce = serializers.CharField(min_length=1, max_length=LIMITS["nonce"])
    brief = serializers.CharField(min_length=1, max_length=LIMITS["brief"])
    evaluation_url = serializers.URLField(max_length=LIMITS["evaluation_url"])
    checks = Checks(required=False)
    attachments = Attachments(required=False)


class Accepted(serializers.Serializer):
    status = serializers.ChoiceField(choices=[("ready", "ready")])
    message = serializers.CharField()
    id = serializers.UUIDField()
    status_url = serializers.URLField()


class Report(serializers.Serializer):
    """What a student's service made of a task; `tasks.classroom.reports` reads it. Unknown keys are tolerated."""

    email = serializers.EmailField(max_length=reports.LIMITS["email"])
    task = serializers.CharField(min_length=1, max_length=reports.LIMITS["task"])
    round = RoundNumber()
    nonce = serializers.CharField(min_length=1, max_length=reports.LIMITS["nonce"])
    repo_url = serializers.URLField(max_length=reports.LIMITS["repo_url"])
    commit_sha = serializers.RegexField(r"^[0-9a-fA-F]{40}$")
    pages_url = serializers.URLField(max_length=reports.LIMITS["pages_url"])


class Reported(serializers.Serializer):
    status = serializers.ChoiceField(choices=[("ok", "ok")])
    message = serializers.CharField()
    late = serializers.BooleanField(help_text="it came after the time that the request gave")
    repeated = serializers.BooleanField(help_text="this very report was there before")


class Named(serializers.Serializer):
    id = serializers.CharField()
    message = serializers.CharField()


class RoundCheck(serializers.Serializer):
    kind = serializers.CharField()
    status = serializers.ChoiceField(choices=CheckResult.Status.choices)
    live = serializers.BooleanField(help_text="seen on the published page, as against the files")
    title = serializers.CharField(required=False)
    reason = serializers.CharField(required=False, allow_blank=True)


class RoundStageRun(serializers.Serializer):
    stage = serializers.ChoiceField(choices=[(stage, stage) for stage in STAGES])
    attempt = serializers.IntegerField()
    outcome = serializers.CharField()
    summary = serializers.CharField()
    seconds = serializers.FloatField()


class RoundNotification(serializers.Serializer):
    number = serializers.IntegerField()
    outcome = serializers.CharField()
    status_code = serializers.IntegerField(allow_null=True)
    answer = serializers.CharField()
    error = serializers.CharField()
    sent_at = serializers.DateTimeField()


class OpenRound(serializers.Serializer):
    id = serializers.UUIDField()
    task = serializers.CharField()
    round = serializers.IntegerField()
    status = serializers.ChoiceField(choices=STATUSES)
    stage = serializers.ChoiceField(choices=[(stage, stage) for stage in STAGES])
    waiting_for = serializers.CharField(allow_null=True)
    seconds_left = serializers.IntegerField(help_text="to the deadline; negative after it")


class RoundDocument(serializers.Serializer):
    """One round. Without a session or a key it holds no e-mail, brief or payload."""

    id = serializers.UUIDField()
    task = serializers.CharField()
    round = serializers.IntegerField()
    status = serializers.ChoiceField(choices=STATUSES)
    stage = serializers.ChoiceField(choices=[(stage, stage) for stage in STAGES])
    degraded = Named(allow_null=True)
    error = Named(allow_null=True)
    waiting_for = serializers.CharField(allow_null=True)
    received_at = serializers.DateTimeField()
    next_run_at = serializers.DateTimeField(allow_null=True)
    deadline_at = serializers.DateTimeField()
    repo_url = serializers.CharField(allow_null=True)
    commit_sha = serializers.CharField(allow_null=True)
    pages_url = serializers.CharField(allow_null=True)
    live_at = serializers.DateTimeField(allow_null=True)
    notified_at = serializers.DateTimeField(allow_null=True)
    checks = RoundCheck(many=True)
    email = serializers.CharField(required=False)
    nonce = serializers.CharField(required=False)
    brief = serializers.CharField(required=False)
    evaluation_url = serializers.CharField(required=False)
    stage_runs = RoundStageRun(many=True, required=False)
    notifications = RoundNotification(many=True, required=False)


class Status(serializers.Serializer):
    counts = serializers.DictField(child=serializers.IntegerField(), help_text="rounds by status; overdue: past the deadline, nobody notified")
    running = OpenRound(many=True)
    last_task = RoundDocument(allow_null=True)


class Health(serializers.Serializer):
    status = serializers.ChoiceField(choices=[("ok", "ok"), ("not well", "not well")])
    problems = serializers.ListField(child=serializers.CharField(), required=False)
    database = serializers.CharField()
    disk_free_bytes = serializers.IntegerField()
    oldest_due_seconds = serializers.FloatField(required=False)
    worker_seen_seconds = serializers.FloatField(required=False, allow_null=True)
    redis = serializers.CharField(required=False, help_text="with REDIS_URL")


class Banner(serializers.Serializer):
    service = serializers.CharField()
    message = serializers.CharField()
    generator = serializers.CharField()
    host = serializers.CharField()
    links = serializers.DictField(child=serializers.CharField())


class LogLines(serializers.Serializer):
    lines = serializers.ListField(child=serializers.CharField())
