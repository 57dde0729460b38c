"""The instructor's side: who takes part, what was sent to them, what they report back."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone


class OfCourse(models.Manager["Submission"]):
    """Submissions of the course; those that somebody tries out a service with are no part of a class."""

    def get_queryset(self) -> models.QuerySet[Submission]:
        return super().get_queryset().filter(is_practice=False)


class Submission(models.Model):
    """A student's service: where it is and the secret that it wants, encrypted (`tasks.classroom.sealing`) and never shown, logged or exported."""

    class Probe(models.TextChoices):
        UNKNOWN = "", "not asked yet"
        ANSWERS = "answers", "answers"
        WRONG_PLACE = "wrong_place", "wrong address"
        BROKEN = "broken", "broken"
        UNREACHABLE = "unreachable", "unreachable"

    email = models.EmailField(max_length=254)
    endpoint = models.URLField(max_length=500, help_text="the whole address of its /ready")
    sealed_secret = models.TextField(editable=False)
    submitted_at = models.DateTimeField(help_text="the row's timestamp in the form's sheet")
    is_active = models.BooleanField("takes part", default=True, help_text="nothing is sent to those who do not")
    is_practice = models.BooleanField("practice", default=False, editable=False, help_text="made by the practice page: no part of a class")
    note = models.CharField(max_length=500, blank=True)
    probe = models.CharField(max_length=12, choices=Probe.choices, blank=True, default=Probe.UNKNOWN, editable=False)
    probe_detail = models.CharField(max_length=300, blank=True, editable=False)
    probe_ms = models.PositiveIntegerField(null=True, blank=True, editable=False)
    probed_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects = OfCourse()
    every = models.Manager["Submission"]()

    class Meta:
        ordering = ["email"]
        default_manager_name = "every"
        constraints = [models.UniqueConstraint(Lower("email"), "is_practice", name="one_submission_per_email")]
        permissions = [("practise_submission", "Can send a practice task to a service")]

    def __str__(self) -> str:
        return self.email


class IssuedTask(models.Model):
    """One round of one brief for one student: made once, sent until it is accepted. Its row is the state machine."""

    class Status(models.TextChoices):
        PENDING = "pending", "to be sent"
        SENDING = "sending", "being sent"
        ACCEPTED = "accepted", "accepted"
        WAITING = "waiting", "to be tried again"
        GIVEN_UP = "given_up", "given up"
        UNCERTAIN = "uncertain", "sent, answer lost"

    OPEN = (Status.PENDING, Status.SENDING, Status.WAITING)

    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="issued")
    brief_id = models.CharField(max_length=100)
    round = models.PositiveIntegerField()
    variant = models.PositiveIntegerField(default=0, help_text="which of the brief's variants of this round")
    seed = models.CharField(max_length=100, help_text="what the brief's numbers and files were made from")
    first = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="later", help_text="round 1 of the same task")
    task = models.CharField(max_length=200)
    nonce = models.CharField(max_length=100, unique=True)
    brief = models.TextField()
    checks = models.JSONField(default=list, blank=True)
    attachments = models.JSONField(default=list, blank=True, help_text="name and data URI of each")
    evaluation_url = models.URLField(max_length=500)
    endpoint = models.URLField(max_length=500, blank=True, help_text="where it was sent last")

    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PENDING)
    tries = models.PositiveIntegerField(default=0)
    status_code = models.PositiveIntegerField(null=True, blank=True)
    error = models.CharField(max_length=500, blank=True)
    next_try_at = models.DateTimeField(default=timezone.now, null=True, blank=True)
    retry_hours = models.FloatField(default=24.0, help_text="over how many hours the later tries are spread")
    sent_at = models.DateTimeField(null=True, blank=True)
    accepted_at = models.DateTimeField(null=True, blank=True)
    deadline_at = models.DateTimeField(null=True, blank=True, help_text="until when a report is in time")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = "issued task"
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["next_try_at", "id"], condition=models.Q(status__in=["pending", "waiting"]), name="issued_due"),
            models.Index(fields=["sent_at"], condition=models.Q(status="sending"), name="issued_sending"),
            models.Index(fields=["task", "round"], name="issued_task_round"),
        ]

    def __str__(self) -> str:
        return f"{self.task} round {self.round}"


class IssueTry(models.Model):
    """One POST of an issued task. Append-only."""

    issued = models.ForeignKey(IssuedTask, on_delete=models.CASCADE, related_name="history")
    number = models.PositiveIntegerField()
    url = models.URLField(max_length=500)
    started_at = models.DateTimeField(default=timezone.now)
    seconds = models.FloatField(null=True, blank=True)
    status_code = models.PositiveIntegerField(null=True, blank=True)
    answer = models.CharField(max_length=1000, blank=True, help_text="the beginning, redacted")
    error = models.CharField(max_length=500, blank=True)

    class Meta:
        verbose_name = "try to issue"
        verbose_name_plural = "tries to issue"
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"try {self.number}"


class RepoReport(models.Model):
    """What a student's service reported to /notify for an issued task. The same report again counts up `repeats`; another one is another row."""

    class State(models.TextChoices):
        QUEUED = "queued", "to be evaluated"
        RUNNING = "running", "being evaluated"
        DONE = "done", "evaluated"
        ERROR = "error", "could not be evaluated"

    issued = models.ForeignKey(IssuedTask, on_delete=models.CASCADE, related_name="reports")
    repo_url = models.CharField(max_length=500)
    commit_sha = models.CharField(max_length=64)
    pages_url = models.CharField(max_length=500)
    received_at = models.DateTimeField(default=timezone.now)
    is_late = models.BooleanField("late", default=False)
    repeats = models.PositiveIntegerField(default=0)
    state = models.CharField(max_length=8, choices=State.choices, default=State.QUEUED)
    error = models.CharField(max_length=500, blank=True, help_text="why it could not be evaluated: a fault of ours or of the network")
    due_at = models.DateTimeField(default=timezone.now, help_text="when it is to be evaluated, or looked at again")
    attempt = models.PositiveIntegerField(default=0, help_text="looks since its evaluation was asked for")
    lease_owner = models.CharField(max_length=100, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    evaluated_at = models.DateTimeField(null=True, blank=True)
    seconds = models.FloatField(null=True, blank=True, help_text="that its evaluation took")
    facts = models.JSONField(default=dict, blank=True, help_text="of the repository: when it was made, commits, files, bytes")
    prints = models.JSONField(default=dict, blank=True, help_text="of the files: their shas, and marks that similar texts share")

    class Meta:
        verbose_name = "report"
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["due_at", "id"], condition=models.Q(state="queued"), name="report_due"),
            models.Index(fields=["lease_until"], condition=models.Q(state="running"), name="report_leased"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["issued", "repo_url", "commit_sha", "pages_url"], name="one_row_per_report"),
        ]
        permissions = [("evaluate_reporeport", "Can have reports evaluated again")]

    def __str__(self) -> str:
        return f"report on {self.issued}"
