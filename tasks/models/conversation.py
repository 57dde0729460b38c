"""What was said: messages and feedback between the parts of the pipeline, outside agents and people, and the pipeline's own events."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from tasks.models.code import CodeVersion
from tasks.models.requests import Round, TaskRequest


class Message(models.Model):
    """One entry of a task's conversation."""

    class Kind(models.TextChoices):
        MESSAGE = "message", "message"
        FEEDBACK = "feedback", "feedback"
        EVENT = "event", "event"

    task_request = models.ForeignKey(TaskRequest, on_delete=models.CASCADE, related_name="messages", verbose_name="task")
    round = models.ForeignKey(Round, null=True, blank=True, on_delete=models.CASCADE, related_name="messages")
    version = models.ForeignKey(CodeVersion, null=True, blank=True, on_delete=models.CASCADE, related_name="messages")
    sender = models.CharField(max_length=100)
    recipient = models.CharField(max_length=100, blank=True)
    role = models.CharField(max_length=50, blank=True, help_text="as the agent gave it")
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.MESSAGE)
    body = models.TextField()
    data = models.JSONField(default=dict, blank=True)
    acknowledged_at = models.DateTimeField(null=True, blank=True, help_text="when the recipient said that it was read")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.body[:80]
