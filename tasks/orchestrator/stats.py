"""The numbers of `/stats`: the five that the dashboard of seeds/003 showed, and what an operator wants beside them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Avg, Count, F, Q, Sum
from django.utils import timezone

from tasks.models import CodeVersion, ContainerRun, Result, Round, StageRun, TaskRequest
from tasks.pipeline import STAGES

SAMPLES = 2_000  # stage runs that the percentiles are taken of, the newest


def stats(now: datetime | None = None) -> dict[str, Any]:
    """Counts and means over everything; tokens and cost since midnight UTC; stage times of the newest runs, in seconds."""
    now = now or timezone.now()
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    newest_won = Q(rounds__status=Round.Status.SUCCEEDED)
    tasks = TaskRequest.objects.aggregate(
        total=Count("pk", distinct=True), completed=Count("pk", distinct=True, filter=Q(status="completed") | newest_won)
    )
    results = Result.objects.aggregate(accuracy=Avg("accuracy"), runtime=Avg("run_time"))
    rounds = Round.objects.aggregate(
        succeeded=Count("pk", filter=Q(status=Round.Status.SUCCEEDED)),
        failed=Count("pk", filter=Q(status=Round.Status.FAILED)),
        missed=Count("pk", filter=Q(notified_at__gt=F("deadline_at")) | Q(notified_at=None, deadline_at__lt=now, evaluation_url__gt="")),
    )
    spent = CodeVersion.objects.filter(created_at__gte=midnight).aggregate(tokens_in=Sum("tokens_in"), tokens_out=Sum("tokens_out"), cost=Sum("cost"))
    ended = rounds["succeeded"] + rounds["failed"]
    return {
        "total_tasks": tasks["total"],
        "completed_tasks": tasks["completed"],
        "avg_accuracy": results["accuracy"],
        "avg_runtime": results["runtime"],
        "active_containers": ContainerRun.objects.filter(status__in=ContainerRun.OPEN).count(),
        "success_rate": rounds["succeeded"] / ended if ended else None,
        "deadline_misses": rounds["missed"],
        "tokens_today": (spent["tokens_in"] or 0) + (spent["tokens_out"] or 0),
        "cost_today": float(spent["cost"]) if spent["cost"] is not None else None,
        "stage_seconds": stage_seconds(now),
    }


def stage_seconds(now: datetime) -> dict[str, dict[str, float | int]]:
    """p50 and p95 of each stage's newest finished runs of the last week."""
    rows = StageRun.objects.filter(outcome=StageRun.Outcome.DONE, started_at__gte=now - timedelta(days=7))
    taken: dict[str, list[float]] = {}
    for stage, started, finished in rows.order_by("-id").values_list("stage", "started_at", "finished_at")[:SAMPLES]:
        if finished:
            taken.setdefault(stage, []).append((finished - started).total_seconds())
    return {
        stage: {"runs": len(seconds), "p50": _percentile(seconds, 0.5), "p95": _percentile(seconds, 0.95)}
        for stage in STAGES
        if (seconds := sorted(taken.get(stage, [])))
    }


def _percentile(ordered: list[float], share: float) -> float:
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 3)
