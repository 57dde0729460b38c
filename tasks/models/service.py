"""The service's own state: workers and the write budget of each GitHub token."""

from __future__ import annotations

from django.db import models
from django.utils import timezone


class Worker(models.Model):
    """One running `manage.py worker`. `seen_at` is the supervisor's heartbeat, `progress_at` the last job that its cluster finished."""

    name = models.CharField(max_length=100, unique=True, help_text="host:pid:start, the prefix of every lease it holds")
    host = models.CharField(max_length=100)
    pid = models.PositiveIntegerField()
    processes = models.PositiveIntegerField(default=1)
    restarts = models.PositiveIntegerField(default=0, help_text="times that its cluster made no progress and was started again")
    started_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(default=timezone.now)
    progress_at = models.DateTimeField(null=True, blank=True)
    stopped_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-seen_at"]

    def __str__(self) -> str:
        return self.name


class WriteBudget(models.Model):
    """The writes made with one token in the last hour, shared by every worker that uses it."""

    key = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the token")
    stamps = models.JSONField(default=list, help_text="epoch seconds of the writes of the last hour, oldest first")
    blocked_until = models.DateTimeField(null=True, blank=True, help_text="the limit that the service itself named")

    class Meta:
        verbose_name = "write budget"

    def __str__(self) -> str:
        return self.key[:10]
