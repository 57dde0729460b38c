"""`/`, `/status`, `/status/<uuid>`, `/health`, `/logs`: what is going on, without a person's data for anonymous readers."""

from __future__ import annotations

import shutil
import uuid
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError
from django.db.models import Count
from django.http import Http404, HttpResponse, HttpResponseBase, JsonResponse
from django.template.loader import render_to_string
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from tasks import logs
from tasks.api import documents, public
from tasks.api.access import is_trusted, wants_html
from tasks.api.problems import problem
from tasks.api.views import JsonView, StaffAwareView
from tasks.models import Round, Worker

WORKER_SECONDS = 15.0  # a worker whose heartbeat is older than this counts as gone
QUEUE_SECONDS = 60.0  # a round may be due this long before the service counts as unwell
DISK_BYTES = 200 * 2**20
RUNNING_SHOWN = 100


def named(id: str, message: str) -> dict[str, str] | None:
    return {"id": id, "message": message} if id else None


def waiting_for(round_: Round, trusted: bool) -> str | None:
    return (round_.waiting_for or None) if trusted else public.waiting_for(round_)


def round_json(round_: Round, trusted: bool) -> dict[str, Any]:
    """One round for `/status/<uuid>`. An e-mail, a brief, a payload and whatever quotes one is only for those who may see it."""
    task = round_.task_request
    deployment = round_.deployments.first()
    results = list(round_.check_results.filter(version_id=round_.version_id)) if round_.version_id else []
    answer: dict[str, Any] = {
        "id": str(round_.uuid),
        "task": task.task or task.name,
        "round": round_.number,
        "status": round_.status,
        "stage": round_.stage,
        "degraded": named(round_.degraded_id, round_.degraded if trusted else public.degraded(round_.degraded_id)),
        "error": named(round_.error_id, round_.error if trusted else public.error(round_.error_id)),
        "waiting_for": waiting_for(round_, trusted),
        "received_at": round_.received_at,
        "next_run_at": round_.next_run_at if round_.is_open else None,
        "deadline_at": round_.deadline_at,
        "repo_url": (deployment.repo_url if deployment else task.repo_url) or None,
        "commit_sha": deployment.commit_sha if deployment else None,
        "pages_url": (deployment.pages_url if deployment else task.pages_url) or None,
        "live_at": round_.live_at,
        "notified_at": round_.notified_at,
        "checks": [
            {"kind": result.kind, "status": result.status, "live": result.deployment_id is not None}
            | ({"title": result.title, "reason": result.reason} if trusted else {})  # both quote the request
            for result in results
        ],
    }
    if trusted:
        answer |= {
            "email": task.email,
            "nonce": round_.nonce,
            "brief": round_.brief,
            "evaluation_url": round_.evaluation_url,
            "stage_runs": [
                {
                    "stage": run.stage,
                    "attempt": run.attempt,
                    "outcome": run.outcome,
                    "summary": run.summary,
                    "seconds": ((run.finished_at or timezone.now()) - run.started_at).total_seconds(),
                }
                for run in round_.stage_runs.all()
            ],
            "notifications": list(round_.notifications.values("number", "outcome", "status_code", "answer", "error", "sent_at")),
        }
    return answer


class BannerView(JsonView):
    """What this is: a short page for people, JSON for programs."""

    @extend_schema(summary="What this is", responses={(200, "application/json"): documents.Banner, (200, "text/html"): str})
    def get(self, request: Request) -> HttpResponseBase:
        if wants_html(request._request):
            context = {
                "title": settings.API_TITLE,
                "counts": counts(),
                "public_url": settings.PUBLIC_URL,
                "generator": settings.GENERATOR,
                "host": settings.REPO_HOST,
            }
            return HttpResponse(render_to_string("site/banner.html", context))
        return Response(
            {
                "service": settings.API_TITLE,
                "message": "Service is running. POST a task to /ready.",
                "generator": settings.GENERATOR,
                "host": settings.REPO_HOST,
                "links": {name: f"{settings.PUBLIC_URL}/{name}" for name in ("ready", "status", "health", "api/docs/", "admin/")},
            }
        )


def counts() -> dict[str, int]:
    """Open rounds by status, and how those received in the last 24 hours ended; `overdue` are open, past their deadline and not notified."""
    ended = Round.objects.filter(status__in=["succeeded", "failed"], received_at__gte=timezone.now() - timedelta(hours=24))
    by_status = {
        status: count for rounds in (Round.objects.open(), ended) for status, count in rounds.order_by().values_list("status").annotate(Count("pk"))
    }
    return {status: by_status.get(status, 0) for status in Round.Status.values} | {"overdue": Round.objects.overdue().count()}


class StatusView(StaffAwareView):
    """Counts, the open rounds with stage and seconds left, the last task received."""

    @extend_schema(summary="What is going on", responses=documents.Status)
    def get(self, request: Request) -> Response:
        now = timezone.now()
        trusted = is_trusted(request._request)
        running = Round.objects.open().select_related("task_request").order_by("deadline_at")[:RUNNING_SHOWN]
        last = Round.objects.select_related("task_request").order_by("-received_at").first()
        return Response(
            {
                "counts": counts(),
                "running": [
                    {
                        "id": str(item.uuid),
                        "task": item.task_request.task or item.task_request.name,
                        "round": item.number,
                        "status": item.status,
                        "stage": item.stage,
                        "waiting_for": waiting_for(item, trusted),
                        "seconds_left": round((item.deadline_at - now).total_seconds()),
                    }
                    for item in running
                ],
                "last_task": round_json(last, trusted) if last else None,
            }
        )


class RoundStatusView(StaffAwareView):
    """Where one round stands and how it ended."""

    @extend_schema(
        summary="One round",
        operation_id="round_status",
        responses={200: documents.RoundDocument, **documents.problems({404: "there is no such round"})},
    )
    def get(self, request: Request, id: uuid.UUID) -> Response:
        round_ = Round.objects.select_related("task_request").filter(uuid=id).first()
        if round_ is None:
            raise Http404
        return Response(round_json(round_, is_trusted(request._request)))


class HealthView(JsonView):
    """200 while rounds can be accepted and carried on; 503 names what is not well."""

    @extend_schema(summary="Is it well?", responses={200: documents.Health, 503: documents.Health})
    def get(self, request: Request) -> HttpResponse:
        now = timezone.now()
        details: dict[str, Any] = {}
        wrong: list[str] = []
        try:
            oldest = Round.objects.due(now).order_by("next_run_at").values_list("next_run_at", flat=True).first()
            details["oldest_due_seconds"] = round((now - oldest).total_seconds(), 1) if oldest else 0
            seen = Worker.objects.filter(stopped_at=None).order_by("-seen_at").values_list("seen_at", flat=True).first()
            details["worker_seen_seconds"] = round((now - seen).total_seconds(), 1) if seen else None
            details["database"] = "ok"
            if oldest and now - oldest > timedelta(seconds=QUEUE_SECONDS):
                wrong.append("rounds are due and nobody takes them")
            if seen is None or now - seen > timedelta(seconds=WORKER_SECONDS):
                wrong.append("no worker is running (start `python manage.py worker`)")
        except DatabaseError:
            details["database"] = "not reachable"
            wrong.append("the database does not answer, or has no tables yet (run `python manage.py migrate`)")
        if settings.REDIS_URL:
            from tasks.redis_link import answers

            details["redis"] = "ok" if answers() else "does not answer; the database does its work meanwhile (look at REDIS_URL)"
        free = shutil.disk_usage(settings.DATA_DIR).free
        details["disk_free_bytes"] = free
        if free < DISK_BYTES:
            wrong.append(f"only {free // 2**20} MiB of disk are left")
        status = {"status": "not well", "problems": wrong} if wrong else {"status": "ok"}
        return JsonResponse(status | details, status=503 if wrong else 200)


class LogsView(StaffAwareView):
    """The last lines of the log, redacted; for staff and key holders."""

    @extend_schema(
        summary="The last log lines",
        parameters=[OpenApiParameter("lines", int, description="how many; 100 unless told, at most 1000")],
        responses={200: documents.LogLines, **documents.problems({401: "neither staff nor a key", 422: "lines is no number"})},
    )
    def get(self, request: Request) -> HttpResponseBase:
        if not is_trusted(request._request):
            return problem(401, "key-required", "Log in to the admin or send the header X-API-KEY.")
        try:
            lines = min(1000, max(1, int(request.GET.get("lines", "100"))))
        except ValueError:
            return problem(422, "invalid", "lines must be a whole number.", "lines")
        return Response({"lines": logs.tail(lines)})
