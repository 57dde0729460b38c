"""`POST /ready`: the evaluator's door. Reading is `tasks.payload`'s part, storing `tasks.intake`'s; here are media type, throttle and answers."""

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
from tasks.intake import accept, check_secret
from tasks.payload import Rejected, decode

log = logging.getLogger(__name__)

WRONG_SECRETS = 10  # from one address
WRONG_SECRETS_SECONDS = 60


EXAMPLE = {
    "email": "student@example.com",
    "secret": "the-secret-you-agreed-on",  # an example for readers # nosec B105
    "task": "sum-of-sales-7f3a2",
    "round": 1,
    "nonce": "ab12-cdef-3456",
    "brief": "Publish a page that sums the sales column of data.csv and shows the total inside #total-sales.",
    "checks": [{"js": "!!document.querySelector('#total-sales')"}],
    "evaluation_url": "https://example.com/notify",
    "attachments": [{"name": "data.csv", "url": "data:text/csv;base64,cHJvZHVjdCxzYWxlcwpwZW4sMgppbmssMwo="}],
}


REFUSALS = {
    400: "the body is not JSON",
    401: "the secret is missing or wrong",
    409: "the nonce came before with other content",
    413: "the body is too large",
    415: "the body is not announced as JSON",
    422: "a field does not fit; `errors` names it",
    429: "too many wrong secrets from this address",
    503: "STUDENT_SECRET is not set on this server, too many rounds are under way, or the database does not answer",
}


class ReadyView(JsonView):
    """200 only after the task is stored. The same email, task, round and nonce again gives the same id and does nothing twice."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """A POST skips what REST framework does before and after a view: nothing of it is needed here, and under load it would cost a tenth."""
        return self.post(request) if request.method == "POST" else super().dispatch(request, *args, **kwargs)

    @extend_schema(
        summary="Accept a task",
        request={"application/json": documents.Ready},
        responses={200: documents.Accepted, **documents.problems(REFUSALS)},
        examples=[OpenApiExample("round 1", value=EXAMPLE, request_only=True)],
    )
    def post(self, request: HttpRequest) -> HttpResponseBase:
        media_type = (request.content_type or "").split(";")[0].strip().lower()
        if media_type and media_type != "application/json" and not media_type.endswith("+json"):
            return problem(415, "media-type", f"Send the task as application/json, not {media_type[:80]}.")
        try:
            data = decode(request.body)
            if not check_secret(data.get("secret")):
                return wrong_secret(request)
            accepted = accept(data)
        except RequestDataTooBig:
            return problem(413, "too-large", f"The body is too large; at most {settings.MAX_BODY_BYTES // 2**20} MB are taken.")
        except Rejected as error:
            headers = {"Retry-After": str(error.retry_after)} if error.retry_after else None
            return problem(error.status, error.code, error.detail, error.field, headers)
        except (OperationalError, InterfaceError):
            log.exception("A task could not be stored")
            return problem(503, "database", "The database does not answer; post it again in a moment.", headers={"Retry-After": "5"})
        answer = {
            "status": "ready",
            "message": f"Task {data['task']} received and processing started.",
            "id": str(accepted.uuid),
            "status_url": f"{settings.PUBLIC_URL}/status/{accepted.uuid}",
        }
        return HttpResponse(msgspec.json.encode(answer), content_type="application/json")


def wrong_secret(request: HttpRequest) -> JsonResponse:
    """401, and after too many from one address 429; a right secret is always let in, so nobody can lock the evaluator out."""
    wait = throttle.wrong(request, "wrong-secret", WRONG_SECRETS, WRONG_SECRETS_SECONDS)
    if wait:
        return problem(429, "too-many-wrong-secrets", f"Too many wrong secrets; wait {wait} s.", headers={"Retry-After": str(wait)})
    return problem(401, "wrong-secret", "The secret is missing or wrong.", "secret")
