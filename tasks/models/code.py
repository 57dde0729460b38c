"""What was written: versions of the code and their files."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from tasks.models.requests import Attachment, Round, TaskRequest


class CodeVersion(models.Model):
    """One answer of a generator (or one upload): prompt, raw answer, and the complete file set made of it.

    The raw answer is committed before it is parsed, so that a crash never asks (and pays) twice."""

    class Kind(models.TextChoices):
        BUILD = "build", "build"
        REVISE = "revise", "revise"
        REPAIR = "repair", "repair"
        FALLBACK = "fallback", "fallback"
        UPLOAD = "upload", "upload"

    class Status(models.TextChoices):
        ANSWERED = "answered", "answered"
        READY = "ready", "ready"
        UNUSABLE = "unusable", "unusable"
        REFUSED = "refused", "refused"

    task_request = models.ForeignKey(TaskRequest, on_delete=models.CASCADE, related_name="versions", verbose_name="task")
    round = models.ForeignKey(Round, null=True, blank=True, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField(help_text="counts within the task")
    run = models.PositiveIntegerField(default=0, help_text="the round's count of re-runs when it was made")
    label = models.CharField(max_length=100, blank=True, help_text="what an agent calls it; otherwise v and its number")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.ANSWERED)
    generator = models.CharField(max_length=40)
    model = models.CharField(max_length=100, blank=True)
    inputs_hash = models.CharField(max_length=64, blank=True, help_text="SHA-256 of everything asked; equal inputs reuse the version")
    based_on = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    base_commit = models.CharField(max_length=40, blank=True, help_text="the repository's HEAD that it was written for")
    base_tree = models.CharField(max_length=40, blank=True)
    prompt = models.TextField(blank=True)
    raw_answer = models.TextField(blank=True)
    finish = models.CharField(max_length=20, blank=True, help_text="why the model stopped: stop, length, blocked, …")
    tokens_in = models.PositiveIntegerField(null=True, blank=True)
    tokens_out = models.PositiveIntegerField(null=True, blank=True)
    seconds = models.FloatField(null=True, blank=True)
    cost = models.DecimalField(
        max_digits=10, decimal_places=6, null=True, blank=True, help_text="US dollars; empty where the model's price is not known"
    )
    score = models.FloatField(null=True, blank=True, help_text="share of checks passed, 0 to 1")
    notes = models.TextField(blank=True, help_text="what was dropped or renamed, and why")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = "code version"
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["task_request", "number"], name="one_version_per_number")]
        indexes = [
            models.Index(fields=["task_request", "inputs_hash"], name="version_inputs"),
            models.Index(
                fields=["created_at", "tokens_in", "tokens_out", "cost"], name="version_cost"
            ),  # the day's tokens and cost, without the texts
        ]

    def __str__(self) -> str:
        return f"{self.task_request} v{self.number}"

    def tree(self) -> dict[str, bytes]:
        """Every file of the version: path to bytes."""
        return {file.path: file.data for file in self.files.select_related("attachment")}


class GeneratedFile(models.Model):
    """One file of a version. A verbatim attachment is a reference, so its bytes are stored once."""

    class Origin(models.TextChoices):
        MODEL = "model", "model"
        SERVICE = "service", "service"
        ATTACHMENT = "attachment", "attachment"
        BASE = "base", "kept from before"
        UPLOAD = "upload", "upload"

    version = models.ForeignKey(CodeVersion, on_delete=models.CASCADE, related_name="files")
    path = models.CharField(max_length=200)
    origin = models.CharField(max_length=10, choices=Origin.choices)
    content = models.BinaryField(null=True, blank=True)
    attachment = models.ForeignKey(Attachment, null=True, blank=True, on_delete=models.RESTRICT, related_name="+")
    size = models.PositiveIntegerField(help_text="bytes")
    blob_sha = models.CharField(max_length=40, help_text="git's sha of the content")

    class Meta:
        verbose_name = "file"
        ordering = ["path"]
        constraints = [models.UniqueConstraint(fields=["version", "path"], name="one_file_per_path")]

    def __str__(self) -> str:
        return self.path

    @property
    def data(self) -> bytes:
        if self.attachment_id and self.attachment is not None:
            return bytes(self.attachment.content or b"")
        return bytes(self.content or b"")
