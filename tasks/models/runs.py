"""Programs that were run for a task: one row a run, and the files that it left behind."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone

from tasks.models.code import CodeVersion
from tasks.models.requests import Round, TaskRequest


class ContainerRun(models.Model):
    """One run of a program in a sandbox or container. Its row is the state machine: a worker owns it while `lease_until` is ahead.

    The figures are those of the program and all that it started; stdout and stderr grow while it runs."""

    class Status(models.TextChoices):
        QUEUED = "queued", "queued"
        PREPARING = "preparing", "preparing"
        RUNNING = "running", "running"
        SUCCEEDED = "succeeded", "succeeded"
        FAILED = "failed", "failed"
        TIMED_OUT = "timed_out", "timed out"
        OOM_KILLED = "oom_killed", "out of memory"
        OUTPUT_LIMIT = "output_limit", "too much output"
        CANCELLED = "cancelled", "cancelled"
        INTERNAL_ERROR = "internal_error", "internal error"

    OPEN = (Status.QUEUED, Status.PREPARING, Status.RUNNING)

    uuid = models.UUIDField("public id", default=uuid.uuid4, unique=True, editable=False)
    task_request = models.ForeignKey(TaskRequest, null=True, blank=True, on_delete=models.CASCADE, related_name="runs", verbose_name="task")
    round = models.ForeignKey(Round, null=True, blank=True, on_delete=models.CASCADE, related_name="runs")
    version = models.ForeignKey(CodeVersion, null=True, blank=True, on_delete=models.CASCADE, related_name="runs")
    agent = models.CharField(max_length=100, blank=True, help_text="who asked for it")
    runner = models.CharField(max_length=20, help_text="sandbox, docker or cloud_run")
    command = models.JSONField(default=list, help_text="the program and its arguments")
    files = models.JSONField(default=dict, blank=True, help_text="further files that were posted with it: path to base64")
    stdin = models.TextField(blank=True)
    limits = models.JSONField(default=dict, help_text="what it may use, as it was asked")
    applied = models.JSONField(default=dict, blank=True, help_text="the limits as they were set, and by what")

    status = models.CharField(max_length=16, choices=Status.choices, default=Status.QUEUED)
    reason = models.CharField(max_length=500, blank=True, help_text="one sentence; empty when it simply succeeded")
    exit_code = models.IntegerField(null=True, blank=True)
    signal = models.PositiveIntegerField(null=True, blank=True)
    wall_ms = models.PositiveIntegerField(null=True, blank=True)
    cpu_ms = models.PositiveIntegerField(null=True, blank=True)
    memory_peak_kb = models.PositiveIntegerField(null=True, blank=True)
    stdout = models.TextField(blank=True)
    stderr = models.TextField(blank=True)
    stdout_truncated = models.BooleanField(default=False)
    stderr_truncated = models.BooleanField(default=False)
    left_out = models.JSONField(default=dict, blank=True, help_text="files that were not kept, and why")

    created_at = models.DateTimeField(default=timezone.now)
    taken_at = models.DateTimeField(null=True, blank=True, help_text="when a worker took it in hand")
    started_at = models.DateTimeField(null=True, blank=True, help_text="when the program began")
    finished_at = models.DateTimeField(null=True, blank=True)
    cancel_asked_at = models.DateTimeField(null=True, blank=True)
    enqueued_at = models.DateTimeField(null=True, blank=True, editable=False)
    lease_owner = models.CharField(max_length=100, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = "container run"
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["id"], condition=models.Q(status__in=["queued", "preparing", "running"]), name="run_open"),
            models.Index(fields=["-created_at"], name="run_created"),
        ]

    def __str__(self) -> str:
        return f"run {self.pk}"

    @property
    def is_open(self) -> bool:
        return self.status in self.OPEN


class Artefact(models.Model):
    """A file that a run left in its `out` folder."""

    run = models.ForeignKey(ContainerRun, on_delete=models.CASCADE, related_name="artefacts")
    path = models.CharField(max_length=200)
    content = models.BinaryField()
    size = models.PositiveIntegerField(help_text="bytes")
    sha256 = models.CharField(max_length=64)

    class Meta:
        ordering = ["path"]
        constraints = [models.UniqueConstraint(fields=["run", "path"], name="one_artefact_per_path")]

    def __str__(self) -> str:
        return self.path
