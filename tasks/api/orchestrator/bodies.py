"""What the orchestrator's clients send."""

from __future__ import annotations

from rest_framework import serializers

from tasks.api.v1 import serializers as shapes


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
