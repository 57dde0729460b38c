"""What was asked: a task, its rounds, their attachments."""

from __future__ import annotations

import secrets
import uuid

from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from tasks.querysets import RoundQuerySet


def new_marker() -> str:
    """Twelve hex digits that mark a repository as ours (it stands in the repository's description)."""
    return secrets.token_hex(6)


class TaskRequest(models.Model):
    """One assignment of one person: (email, task). Every round of it goes to the same repository.

    A task posted by an agent over the API has no e-mail; it has a name, a dataset, a description and its creator instead."""

    email = models.CharField(max_length=254, blank=True)
    task = models.CharField(max_length=200, blank=True, help_text="the course's task id, the same in every round")
    name = models.CharField(max_length=200, blank=True, help_text="title, for tasks posted by an agent")
    dataset = models.CharField(max_length=500, blank=True)
    description = models.TextField(blank=True)
    creator_agent = models.CharField(max_length=100, blank=True)
    status = models.CharField(max_length=20, default="created", help_text="of an agent's task, as agents set it; a course's task has its rounds")
    coder = models.CharField(max_length=100, blank=True, help_text="who writes an agent's task: builtin, an agent's name, empty: any agent")
    evaluator = models.CharField(max_length=100, blank=True, help_text="who judges it: builtin, an agent's name, empty: any agent")
    marker = models.CharField(max_length=12, default=new_marker, editable=False)
    repo_host = models.CharField("host", max_length=20, blank=True, help_text="backend that holds the repository: github or local")
    repo_owner = models.CharField(max_length=100, blank=True)
    repo_name = models.CharField("repository", max_length=100, blank=True, help_text="chosen and stored before it is created")
    repo_created = models.BooleanField("repository exists", default=False)
    repo_url = models.URLField(max_length=500, blank=True)
    pages_url = models.URLField(max_length=500, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = "task"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["email", "task"], condition=~models.Q(task=""), name="one_task_per_email"),
            models.UniqueConstraint("repo_host", Lower("repo_name"), condition=~models.Q(repo_name=""), name="one_task_per_repo"),
        ]

    def __str__(self) -> str:
        return self.task or self.name


class Round(models.Model):
    """One posted request: brief, checks, where to report, and the state of the work on it.

    `stage` says where it is, `status` how it stands. Work is due when `next_run_at` has passed; a worker owns the row while `lease_until` is
    ahead. Every write of a worker repeats its `lease_owner`."""

    class Status(models.TextChoices):
        QUEUED = "queued", "queued"
        RUNNING = "running", "running"
        WAITING = "waiting", "waiting"
        SUCCEEDED = "succeeded", "succeeded"
        FAILED = "failed", "failed"

    OPEN = (Status.QUEUED, Status.RUNNING, Status.WAITING)

    uuid = models.UUIDField("public id", default=uuid.uuid4, unique=True, editable=False)
    task_request = models.ForeignKey(TaskRequest, on_delete=models.CASCADE, related_name="rounds", verbose_name="task")
    number = models.PositiveIntegerField("round")
    nonce = models.CharField(max_length=200)
    brief = models.TextField()
    checks = models.JSONField(default=list, blank=True)
    evaluation_url = models.CharField(max_length=2000, blank=True, help_text="empty: nobody is to be told")
    extra = models.JSONField(default=dict, blank=True, help_text="unknown keys of the request, kept as they came")
    fingerprint = models.CharField(max_length=64, editable=False, help_text="SHA-256 of the request's content, to tell a repeat from a change")

    status = models.CharField(max_length=10, choices=Status.choices, default=Status.QUEUED)
    stage = models.CharField(max_length=12, default="attachments")
    attempt = models.PositiveIntegerField(default=0, help_text="starts of the present stage without an outcome")
    waiting_for = models.CharField(max_length=300, blank=True)
    degraded_id = models.CharField(max_length=40, blank=True, help_text="set when less than asked was delivered")
    degraded = models.CharField(max_length=500, blank=True)
    error_id = models.CharField(max_length=40, blank=True)
    error = models.CharField(max_length=500, blank=True)

    received_at = models.DateTimeField(default=timezone.now)
    deadline_at = models.DateTimeField()
    next_run_at = models.DateTimeField(default=timezone.now)
    enqueued_at = models.DateTimeField(null=True, blank=True, editable=False, help_text="when the queue last got a message for it")
    lease_owner = models.CharField(max_length=100, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    version = models.ForeignKey(
        "CodeVersion", null=True, blank=True, on_delete=models.SET_NULL, related_name="+", help_text="the version that is (to be) published"
    )
    reruns = models.PositiveIntegerField(default=0, help_text="times that generation was asked for anew")
    notify_asked_at = models.DateTimeField(null=True, blank=True, editable=False, help_text="when a further notification was asked for")
    live_at = models.DateTimeField(null=True, blank=True)
    notified_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = RoundQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["task_request", "number", "nonce"], name="one_round_per_nonce")]
        indexes = [
            models.Index(fields=["next_run_at"], condition=models.Q(status__in=["queued", "running", "waiting"]), name="round_due"),
            models.Index(fields=["status", "-received_at"], name="round_status_received"),
            models.Index(fields=["-received_at"], name="round_received"),
            models.Index(fields=["degraded_id"], name="round_degraded"),
        ]

    def __str__(self) -> str:
        return f"{self.task_request} round {self.number}"

    @property
    def is_open(self) -> bool:
        return self.status in self.OPEN


class Attachment(models.Model):
    """A file that came with a round. `content` is set by the attachments stage; the data URI itself is then dropped."""

    round = models.ForeignKey(Round, on_delete=models.CASCADE, related_name="attachments")
    position = models.PositiveIntegerField(default=0)
    name = models.CharField(max_length=500, help_text="as it was posted")
    fetched = models.BooleanField(
        default=False, help_text="read from an address in the brief for the model; not committed unless the model asks for it"
    )
    path = models.CharField(max_length=200, blank=True, help_text="the name it has in the repository")
    url = models.TextField(help_text="http(s) address, or the data URI until it is decoded")
    declared_type = models.CharField(max_length=200, blank=True)
    media_type = models.CharField(max_length=100, blank=True, help_text="sniffed from the content")
    content = models.BinaryField(null=True, blank=True)
    size = models.PositiveIntegerField(null=True, blank=True, help_text="bytes")
    sha256 = models.CharField(max_length=64, blank=True)
    profile = models.TextField(blank=True, help_text="what the model is told of it")
    error_id = models.CharField(max_length=40, blank=True)
    error = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["round_id", "position"]

    def __str__(self) -> str:
        return self.path or self.name
