"""Programs that take part over the API: their keys, what they measured, what they logged."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from rest_framework_api_key.models import AbstractAPIKey, BaseAPIKeyManager

from tasks.models.code import CodeVersion
from tasks.models.requests import TaskRequest


class AgentKey(AbstractAPIKey):
    """A key for the header `X-API-KEY`. Only its hash is stored; the key itself is shown once. Its name is the agent's name."""

    class Role(models.TextChoices):
        GENERATOR = "generator", "generator: posts tasks"
        CODER = "coder", "coder: uploads code"
        EVALUATOR = "evaluator", "evaluator: posts results and feedback, has code run"
        READER = "reader", "reader: sees everything, changes nothing"

    role = models.CharField(max_length=10, choices=Role.choices, default=Role.READER)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = BaseAPIKeyManager()  # type: ignore[assignment, misc]

    class Meta(AbstractAPIKey.Meta):
        verbose_name = "agent key"
        verbose_name_plural = "agent keys"
        constraints = [models.UniqueConstraint(fields=["name"], condition=models.Q(revoked=False), name="one_valid_key_per_agent")]


class Result(models.Model):
    """What an evaluator measured: any metrics, accuracy and loss among them, and the raw log as a file of the task."""

    task_request = models.ForeignKey(TaskRequest, on_delete=models.CASCADE, related_name="results", verbose_name="task")
    version = models.ForeignKey(CodeVersion, null=True, blank=True, on_delete=models.SET_NULL, related_name="results")
    agent = models.CharField(max_length=100, blank=True)
    accuracy = models.FloatField(null=True, blank=True)
    loss = models.FloatField(null=True, blank=True)
    run_time = models.FloatField(null=True, blank=True, help_text="seconds")
    metrics = models.JSONField(default=dict, blank=True, help_text="all further numbers, by name")
    passed = models.BooleanField(null=True, blank=True, help_text="the evaluator's verdict; empty: none given")
    log = models.ForeignKey("LogFile", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"result {self.pk}"


class LogFile(models.Model):
    """A log that belongs to a task, kept in the database so that every machine has it."""

    task_request = models.ForeignKey(TaskRequest, on_delete=models.CASCADE, related_name="logs", verbose_name="task")
    filename = models.CharField(max_length=200)
    agent = models.CharField(max_length=100, blank=True)
    content = models.TextField(blank=True)
    size = models.PositiveIntegerField(default=0, help_text="bytes in UTF-8")
    modified_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = "log"
        ordering = ["-modified_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["task_request", "filename"], name="one_log_per_name")]

    def __str__(self) -> str:
        return self.filename


class IdempotencyKey(models.Model):
    """A create that carried `Idempotency-Key`: the same key, agent and body get the same answer again."""

    agent = models.CharField(max_length=100)
    key = models.CharField(max_length=200)
    route = models.CharField(max_length=200)
    body_sha256 = models.CharField(max_length=64)
    status_code = models.PositiveIntegerField()
    answer = models.JSONField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = "idempotency key"
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["agent", "key"], name="one_answer_per_idempotency_key")]

    def __str__(self) -> str:
        return self.key
