"""What was done: stage runs, deployments, deliveries and check results. History is append-only."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from tasks.models.code import CodeVersion
from tasks.models.requests import Round


class StageRun(models.Model):
    """One attempt at a stage. A stage that polls (Pages, rate limits) keeps one row and counts its looks in `polls`."""

    class Outcome(models.TextChoices):
        RUNNING = "running", "running"
        DONE = "done", "done"
        WAITING = "waiting", "waiting"
        BACK = "back", "sent back"
        ERROR = "error", "error"
        INTERRUPTED = "interrupted", "interrupted"

    round = models.ForeignKey(Round, on_delete=models.CASCADE, related_name="stage_runs")
    stage = models.CharField(max_length=12)
    attempt = models.PositiveIntegerField(default=1)
    polls = models.PositiveIntegerField(default=1)
    outcome = models.CharField(max_length=12, choices=Outcome.choices, default=Outcome.RUNNING)
    summary = models.CharField(max_length=500, blank=True, help_text="what came of it, in one line")
    error_id = models.CharField(max_length=40, blank=True)
    detail = models.TextField(blank=True)
    worker = models.CharField(max_length=100, blank=True)
    started_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "stage run"
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.stage} #{self.attempt}"


class Deployment(models.Model):
    """One commit of one version in the task's repository, and whether the public page serves it."""

    round = models.ForeignKey(Round, on_delete=models.CASCADE, related_name="deployments")
    version = models.ForeignKey(CodeVersion, on_delete=models.RESTRICT, related_name="deployments")
    host = models.CharField(max_length=20)
    repo_url = models.URLField(max_length=500)
    pages_url = models.URLField(max_length=500)
    commit_sha = models.CharField(max_length=40)
    tree_sha = models.CharField(max_length=40)
    changed = models.JSONField(default=list, help_text="paths that this commit changed; the page is live when all of them are served")
    removed = models.JSONField(default=list, blank=True, help_text="paths that this commit removed")
    created = models.BooleanField("new commit", default=True, help_text="false when the content was there already")
    pages_enabled = models.BooleanField(default=False)
    requests = models.PositiveIntegerField(default=0, help_text="calls made to the host for this deployment")
    created_at = models.DateTimeField(default=timezone.now)
    live_at = models.DateTimeField(null=True, blank=True)
    last_look = models.CharField(max_length=300, blank=True, help_text="what the public page last answered")

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.commit_sha[:10]


class NotificationAttempt(models.Model):
    """One POST to the evaluation_url. The row is written before the request is sent."""

    class Outcome(models.TextChoices):
        SENDING = "sending", "sending"
        DELIVERED = "delivered", "delivered"
        REJECTED = "rejected", "rejected"
        UNREACHABLE = "unreachable", "unreachable"

    round = models.ForeignKey(Round, on_delete=models.CASCADE, related_name="notifications")
    number = models.PositiveIntegerField(help_text="counts since this notification was asked for")
    url = models.CharField(max_length=2000)
    payload = models.JSONField()
    outcome = models.CharField(max_length=12, choices=Outcome.choices, default=Outcome.SENDING)
    status_code = models.PositiveIntegerField(null=True, blank=True)
    answer = models.TextField(blank=True, help_text="the first 2,000 characters of the answer's body")
    error_id = models.CharField(max_length=40, blank=True)
    error = models.CharField(max_length=500, blank=True)
    sent_at = models.DateTimeField(default=timezone.now)
    seconds = models.FloatField(null=True, blank=True)

    class Meta:
        verbose_name = "delivery"
        verbose_name_plural = "deliveries"
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"delivery {self.number}"


class CheckResult(models.Model):
    """What one check said: of one version of a round (before publishing), of one deployment (on the live page), or of what a student reported."""

    class Status(models.TextChoices):
        PASS = "pass", "pass"
        FAIL = "fail", "fail"
        ERROR = "error", "error"
        SKIPPED = "skipped", "skipped"
        UNDECIDED = "undecided", "undecided"

    class Source(models.TextChoices):
        TASK = "task", "task"
        COMMON = "common", "common"
        REGRESSION = "regression", "regression"

    round = models.ForeignKey(Round, null=True, blank=True, on_delete=models.CASCADE, related_name="check_results")
    report = models.ForeignKey("tasks.RepoReport", null=True, blank=True, on_delete=models.CASCADE, related_name="check_results")
    version = models.ForeignKey(CodeVersion, null=True, blank=True, on_delete=models.CASCADE, related_name="check_results")
    deployment = models.ForeignKey(Deployment, null=True, blank=True, on_delete=models.CASCADE, related_name="check_results")
    source = models.CharField(max_length=10, choices=Source.choices, default=Source.COMMON)
    kind = models.CharField(max_length=20, help_text="the evaluator: license, readme, files, leaks, …")
    key = models.CharField(
        max_length=100, blank=True, help_text="of a report's check: the same for every student of a brief, the grade-book's column"
    )
    title = models.CharField(max_length=500)
    expression = models.TextField(blank=True)
    status = models.CharField(max_length=10, choices=Status.choices)
    guards = models.BooleanField("guards publishing", default=False, help_text="a failure keeps the version from being published")
    score = models.FloatField(default=0.0)
    reason = models.CharField(max_length=1000, blank=True)
    evidence = models.JSONField(default=dict, blank=True)
    seconds = models.FloatField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = "check result"
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(condition=models.Q(round=None) ^ models.Q(report=None), name="check_of_a_round_or_a_report"),
        ]

    def __str__(self) -> str:
        return self.title
