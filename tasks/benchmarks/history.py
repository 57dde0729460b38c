"""A long history, made by the database itself: one finished round with all that belongs to it, copied as often as is wanted."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from django.db import connection, models, transaction
from django.utils import timezone

from tasks.models import CheckResult, CodeVersion, Deployment, GeneratedFile, Message, NotificationAttempt, Round, StageRun, TaskRequest
from tasks.pipeline import STAGES

APART = timedelta(minutes=20)  # between two rounds; a hundred thousand go back four years


def fill(rounds: int) -> None:
    """Add that many finished rounds, each of a task of its own, the newest of them a day old."""
    first = _template()
    newest = max(model.objects.order_by("-pk").values_list("pk", flat=True).first() or 0 for model in _MODELS)
    base = newest + 1_000_000  # beyond every id in use, so that ids can be computed
    with transaction.atomic():  # at whose end every row has what it refers to
        for model in _MODELS:
            rows = model.objects.filter(**{_OWNER.get(model, "round"): first.pk}).order_by("pk")
            for position, pk in enumerate(rows.values_list("pk", flat=True)):
                _copy(model, pk, position, base, rounds)
    if connection.vendor == "postgresql":  # which else does so by itself, a minute later
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")


_MODELS: tuple[Any, ...] = (
    *(TaskRequest, Round, CodeVersion, GeneratedFile, Deployment),
    *(StageRun, NotificationAttempt, CheckResult, Message),
)
_OWNER: dict[Any, str] = {TaskRequest: "rounds", Round: "pk", GeneratedFile: "version__round"}
_EACH = 8  # at most so many rows of a model belong to one round


def _template() -> Round:
    """One round that went well."""
    then = timezone.now() - timedelta(days=1)
    task = TaskRequest.objects.create(
        email=f"{uuid.uuid4()}@example.com", task="grown", repo_host="local", repo_name=f"grown-{uuid.uuid4()}", repo_created=True, created_at=then
    )
    round_ = Round.objects.create(
        task_request=task,
        number=1,
        nonce="n",
        brief="Publish a page that adds up the sales. " * 20,
        checks=[{"js": "true"}],
        evaluation_url="http://127.0.0.1:9/notify",
        fingerprint="f" * 64,
        status="succeeded",
        stage="notify",
        received_at=then,
        next_run_at=then,
        deadline_at=then + timedelta(seconds=600),
        live_at=then,
        notified_at=then,
        finished_at=then,
    )
    version = CodeVersion.objects.create(
        task_request=task, round=round_, number=1, kind="build", status="ready", generator="offline", prompt="p" * 2000, created_at=then
    )
    Round.objects.filter(pk=round_.pk).update(version=version)
    for path in ("index.html", "README.md", "LICENSE"):
        GeneratedFile.objects.create(version=version, path=path, origin="model", content=b"x" * 500, size=500, blob_sha="b" * 40)
    deployment = Deployment.objects.create(
        round=round_, version=version, host="local", commit_sha="a" * 40, tree_sha="b" * 40, live_at=then, created_at=then
    )
    for stage in STAGES:
        StageRun.objects.create(round=round_, stage=stage, outcome="done", started_at=then, finished_at=then)
    NotificationAttempt.objects.create(round=round_, number=1, payload={}, outcome="delivered", status_code=200, sent_at=then)
    for live in (None, deployment):
        CheckResult.objects.create(round=round_, version=version, deployment=live, kind="page", title="t", status="pass", created_at=then)
    Message.objects.create(task_request=task, round=round_, sender="operator", kind="event", body="b")
    return round_


def _copy(model: type[models.Model], pk: int, position: int, base: int, rounds: int) -> None:
    """One row `rounds` times, with ids and times of its own and bound to the copies of what it belongs to."""
    quote = connection.ops.quote_name
    values = []
    for field in model._meta.concrete_fields:
        column = f"t.{quote(str(field.column))}"
        if field.primary_key:
            column = f"{base} + n * {_EACH} + {position}"
        elif isinstance(field, models.ForeignKey) and field.related_model in _MODELS:
            column = f"CASE WHEN {column} IS NULL THEN NULL ELSE {base} + n * {_EACH} END"
        elif isinstance(field, models.DateTimeField):
            column = _earlier(column, rounds)
        elif isinstance(field, models.UUIDField):
            column = "lower(hex(randomblob(16)))" if connection.vendor == "sqlite" else "gen_random_uuid()"
        elif model is TaskRequest and field.name in {"email", "repo_name"}:
            column = f"n || {column}"
        values.append(column)
    columns = ", ".join(quote(str(field.column)) for field in model._meta.concrete_fields)
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {rounds}) "  # noqa: S608 - numbers and the models' own names  # nosec B608
            f"INSERT INTO {quote(model._meta.db_table)} ({columns}) "
            f"SELECT {', '.join(values)} FROM {quote(model._meta.db_table)} t, numbers WHERE t.id = {pk} AND n <= {rounds}"
        )


def _earlier(column: str, rounds: int) -> str:
    """The time, earlier by as many steps as copies follow: ids grow with time."""
    seconds = int(APART.total_seconds())
    if connection.vendor == "sqlite":
        return f"strftime('%Y-%m-%d %H:%M:%f', {column}, '-' || (({rounds} - n) * {seconds}) || ' seconds')"  # of NULL: NULL
    return f"{column} - ({rounds} - n) * interval '{seconds} seconds'"
