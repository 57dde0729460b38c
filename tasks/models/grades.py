"""The grade-book: what each check is worth, what a person decided instead, and the grades once they are settled."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone

from tasks.models.classroom import Submission

SHARE = (MinValueValidator(0.0), MaxValueValidator(1.0))


class GradeBook(models.Model):
    """Which briefs count and how. Scores are computed from the check results whenever they are looked at, until the book is locked: then the
    `Grade` rows made at that moment hold."""

    name = models.CharField(max_length=100, unique=True)
    briefs = models.JSONField(default=list, blank=True, help_text="names of the briefs that count; none: every brief that was issued")
    best_of = models.PositiveIntegerField(null=True, blank=True, help_text="so many of a student's briefs count, the best ones; empty: all")
    late_factor = models.FloatField(default=1.0, validators=SHARE, help_text="what a late report's score is multiplied by, 0 to 1")
    publish_at = models.DateTimeField(null=True, blank=True, help_text="from when on students see their own report; empty: never")
    locked_at = models.DateTimeField(null=True, blank=True, editable=False)
    locked_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="+")
    note = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = "grade-book"
        ordering = ["-id"]
        permissions = [("publish_gradebook", "Can lock a grade-book and set when it is published")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_published(self) -> bool:
        return self.publish_at is not None and self.publish_at <= timezone.now()


class GradeColumn(models.Model):
    """One check of one round of a brief, with its weight. A dropped column is shown and counts nothing."""

    book = models.ForeignKey(GradeBook, on_delete=models.CASCADE, related_name="columns")
    brief_id = models.CharField(max_length=100)
    round = models.PositiveIntegerField()
    key = models.CharField(max_length=100, help_text="CheckResult.key")
    title = models.CharField(max_length=500)
    kind = models.CharField(max_length=20)
    weight = models.FloatField(default=1.0, validators=[MinValueValidator(0.0), MaxValueValidator(1000.0)])
    is_dropped = models.BooleanField("dropped", default=False)

    class Meta:
        verbose_name = "grade-book column"
        ordering = ["brief_id", "round", "id"]
        constraints = [models.UniqueConstraint(fields=["book", "brief_id", "round", "key"], name="one_column_per_check")]

    def __str__(self) -> str:
        return f"{self.brief_id} round {self.round}: {self.title}"


class GradeOverride(models.Model):
    """A person's score for one student's check. It hangs on student and column, not on a result, so that evaluating again does not touch it."""

    column = models.ForeignKey(GradeColumn, on_delete=models.CASCADE, related_name="overrides")
    submission = models.ForeignKey(Submission, on_delete=models.CASCADE, related_name="overrides")
    score = models.FloatField(validators=SHARE, help_text="0 to 1")
    note = models.CharField(max_length=500, help_text="the reason, which the student reads too")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "override"
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["column", "submission"], name="one_override_per_cell")]

    def __str__(self) -> str:
        return f"{self.score:g} for {self.column}"


class Grade(models.Model):
    """A student's grade as it was when the book was locked."""

    book = models.ForeignKey(GradeBook, on_delete=models.CASCADE, related_name="grades")
    submission = models.ForeignKey(Submission, on_delete=models.CASCADE, related_name="grades")
    score = models.FloatField(help_text="0 to 100")
    detail = models.JSONField(default=dict, help_text="each cell, each round's and each brief's score")
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["submission__email"]
        constraints = [models.UniqueConstraint(fields=["book", "submission"], name="one_grade_per_student")]

    def __str__(self) -> str:
        return f"{self.score:.1f}"
