"""What a check left to look at: screenshots, and the predicates that English checks were turned into."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from tasks.models.code import CodeVersion
from tasks.models.pipeline import Deployment
from tasks.models.requests import Round


class Screenshot(models.Model):
    """The page as the browser saw it: of a version before publishing, of a deployment on the live address, or of a student's report."""

    round = models.ForeignKey(Round, null=True, blank=True, on_delete=models.CASCADE, related_name="screenshots")
    report = models.ForeignKey("tasks.RepoReport", null=True, blank=True, on_delete=models.CASCADE, related_name="screenshots")
    version = models.ForeignKey(CodeVersion, null=True, blank=True, on_delete=models.CASCADE, related_name="screenshots")
    deployment = models.ForeignKey(Deployment, null=True, blank=True, on_delete=models.CASCADE, related_name="screenshots")
    name = models.CharField(max_length=20, help_text="desktop or phone")
    width = models.PositiveIntegerField(help_text="pixels")
    height = models.PositiveIntegerField(help_text="pixels")
    media_type = models.CharField(max_length=50)
    content = models.BinaryField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(condition=models.Q(round=None) ^ models.Q(report=None), name="picture_of_a_round_or_a_report"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.width}×{self.height}"


class CompiledCheck(models.Model):
    """An English check as a predicate that a program decides, made once by a model and used from then on."""

    key = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the check and the brief")
    text = models.TextField()
    predicate = models.JSONField(null=True, blank=True, help_text="empty: the model could not turn it into one")
    model = models.CharField(max_length=100, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = "compiled check"
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.text[:80]
