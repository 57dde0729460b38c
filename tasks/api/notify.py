"""`POST /notify`: the students' door, the `evaluation_url` of issued tasks. What fits is `tasks.classroom.reports`' part."""

from __future__ import annotations

import logging
from typing import Any

import msgspec
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from drf_spectacular.utils import OpenApiExample, extend_schema

from tasks.api import documents, throttle
from tasks.api.problems import problem
from tasks.api.views import JsonView
from tasks.classroom.reports import Unknown, receive
from tasks.payload import Rejected, decode

log = logging.getLogger(__name__)

WRONG_REPORTS = 30  # from one address: many students' services share the ones of their host
WRONG_REPORTS_SECONDS = 60

EXAMPLE = {
    "email": "student@example.com",
    "task": "sum-of-sales-7f3a2",
    "round": 1,
    "nonce": "01936f2e-7c1a-7d4e-9b53-2f6c8a1d0e47",
    "repo_url": "https://github.com/student/sum-of-sales-7f3a2",
    "commit_sha": "9f2c4b7a1e5d8036c2b94f7ad1e60835bc7f2a94",
    "pages_url": "https://student.github.io/sum-of-sales-7f3a2/",
}

REFUSALS = {
    400: "the body is no JSON, a field does not fit, or no such task was sent; `reason` says which",
    413: "the body is too large",
    415: "the body is not announced as JSON",
    429: "too many reports from this address that fit nothing",
    503: "the database does not answer",
}


class NotifyView(JsonView):
    """200 only after the report is stored. The same report again is 200 too; another one for the same nonce is kept beside it."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """As /ready: a whole class reports within minutes."""
        return self.post(request) if request.method == "POST" else super().dispatch(request, *args, **kwargs)

    @extend_schema(
        summary="Report a repository",
        request={"application/json": documents.Report},
        responses={200: documents.Reported, **documents.refusals(REFUSALS)},
        examples=[OpenApiExample("round 1", value=EXAMPLE, request_only=True)],
    )
    def post(self, request: HttpRequest) -> HttpResponseBase:
        media_type = (request.content_type or "").split(";")[0].strip().lower()
        if media_type and media_type != "application/json" and not media_type.endswith("+json"):
            return refused(415, "media-type", f"Send the report as application/json, not {media_type[:80]}.")
        try:
            received = receive(decode(request.body))
        except RequestDataTooBig:
            return refused(413, "too-large", f"The body is too large; at most {settings.MAX_BODY_BYTES // 2**20} MB are taken.")
        except Unknown as error:
            wait = throttle.wrong(request, "wrong-report", WRONG_REPORTS, WRONG_REPORTS_SECONDS)
            if wait:
                return refused(429, "too-many-wrong-reports", f"Too many reports that fit nothing; wait {wait} s.", wait=wait)
            return refused(400, error.code, error.detail, error.field)
        except Rejected as error:
            return refused(503 if error.status == 503 else 400, error.code, error.detail, error.field, wait=error.retry_after)
        except (OperationalError, InterfaceError):
            log.exception("A report could not be stored")
            return refused(503, "database", "The database does not answer; post it again in a moment.", wait=5)
        late = " It is late, and kept." if received.late else ""
        answer = {
            "status": "ok",
            "message": f"Report on {received.issued.task} round {received.issued.round} received.{late}",
            "late": received.late,
            "repeated": received.repeated,
        }
        return HttpResponse(msgspec.json.encode(answer), content_type="application/json")


def refused(status: int, code: str, reason: str, field: str = "", *, wait: int = 0) -> JsonResponse:
    """The problem, with the sentence once more where the course's evaluator has it."""
    return problem(status, code, reason, field, {"Retry-After": str(wait)} if wait else None, reason=reason)
