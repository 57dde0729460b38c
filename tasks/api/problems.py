"""Errors as RFC 9457 `application/problem+json`: never HTML, never a bare 500."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import DataError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from rest_framework import exceptions
from rest_framework.response import Response

from tasks.api.access import wants_html
from tasks.errors import Conflict, TaskError, TooLarge

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
TITLES = {
    400: "Bad request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    406: "Not acceptable",
    409: "Conflict",
    413: "Content too large",
    415: "Unsupported media type",
    422: "Unprocessable content",
    429: "Too many requests",
    500: "Internal server error",
    503: "Service unavailable",
}


def problem(status: int, code: str, detail: str, field: str = "", headers: dict[str, str] | None = None, **more: str) -> JsonResponse:
    """One error. `code` is stable, `detail` names the cure, `field` is where in the body; `more` members as the standard allows."""
    body: dict[str, Any] = {"type": "about:blank", "title": TITLES.get(status, "Error"), "status": status, "detail": detail, "code": code, **more}
    if field:
        body["errors"] = [{"field": field, "code": code, "message": detail}]
    return JsonResponse(body, status=status, content_type=MEDIA_TYPE, headers=headers)


def invalid(error: exceptions.ValidationError) -> JsonResponse:
    """422 with every field and what is wrong with it."""
    found = [{"field": field, "code": code, "message": message} for field, code, message in _messages(error.get_full_details())]
    first = found[0]
    body = {"type": "about:blank", "title": TITLES[422], "status": 422, "code": "invalid", "errors": found}
    body["detail"] = f"{first['field']}: {first['message']}" if first["field"] else first["message"]
    return JsonResponse(body, status=422, content_type=MEDIA_TYPE)


def _messages(details: Any, field: str = "") -> Iterator[tuple[str, str, str]]:
    if isinstance(details, dict) and details.keys() == {"message", "code"}:
        yield field.removesuffix(".non_field_errors").removeprefix("non_field_errors"), str(details["code"]), str(details["message"])
    elif isinstance(details, dict):
        for key, value in details.items():
            yield from _messages(value, f"{field}.{key}" if field else str(key))
    else:
        for position, value in enumerate(details):
            leaf = isinstance(value, dict) and value.keys() == {"message", "code"}
            yield from _messages(value, field if leaf else f"{field}[{position}]")


def handler(error: Exception, context: dict[str, Any]) -> Response | JsonResponse:
    """DRF's exception handler."""
    if isinstance(error, RequestDataTooBig):
        return problem(413, "too-large", "The body is too large; at most 24 MB are taken.")
    if isinstance(error, Http404):
        return problem(404, "not-found", "There is nothing here by that name.")
    if isinstance(error, PermissionDenied):
        return problem(403, "forbidden", "You may not do this.")
    if isinstance(error, TaskError) and error.family == "content":
        return problem(413 if isinstance(error, TooLarge) else 422, error.id, error.message)
    if isinstance(error, Conflict):
        return problem(409, "conflict", str(error))
    if isinstance(error, exceptions.ValidationError):
        return invalid(error)
    if isinstance(error, exceptions.APIException):
        headers = {}
        if challenge := getattr(error, "auth_header", None):
            headers["WWW-Authenticate"] = challenge
        if wait := getattr(error, "wait", None):
            headers["Retry-After"] = str(int(wait))
        return problem(error.status_code, str(error.default_code).replace("_", "-"), str(error.detail), headers=headers)
    if isinstance(error, OverflowError | DataError):
        log.warning("a value was beyond what the database holds: %s", error)
        return problem(422, "invalid", "A number or a date in the request is beyond what can be stored or looked up.")
    if isinstance(error, OperationalError | InterfaceError):
        log.error("the database failed a request: %s", str(error).strip() or type(error).__name__)
        return problem(503, "database", "The database does not answer; send it again in a moment.", headers={"Retry-After": "5"})
    log.exception("request failed", exc_info=error)
    return problem(500, "internal", "A fault of ours; it is in the log.")


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """A person gets a page, a program the problem."""
    if wants_html(request):
        return HttpResponse(render_to_string("site/not_found.html", {"title": "Not found"}), status=404)
    return problem(404, "not-found", "There is nothing here by that name.")


def bad_request(request: HttpRequest, exception: Exception | None = None) -> JsonResponse:
    return problem(400, "bad-request", "The request could not be read.")


def server_error(request: HttpRequest) -> JsonResponse:
    return problem(500, "internal", "A fault of ours; it is in the log.")
