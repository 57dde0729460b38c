"""One request to an interface of Google Cloud: its token, its tries, and what went wrong in a sentence that names the cure.

The credentials are the operator's application default ones: a key file, workload identity, or the identity of the machine. Tokens are fetched and
requests are sent through `tasks.http`. https://cloud.google.com/docs/authentication/application-default-credentials
"""

from __future__ import annotations

import json
import threading
import time
from functools import cache
from typing import Any

import google.auth
import google.auth.credentials
import google.auth.exceptions
import google.auth.transport

from tasks import http
from tasks.errors import RemoteUnavailable, TaskError
from tasks.redaction import redact

SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
PAUSES = (0.5, 1.0, 2.0, 4.0)  # before the tries after the first
BUSY = frozenset((429, 500, 502, 503, 504))
ASKED_SECONDS = 10.0  # the longest pause that a service's Retry-After is given
REQUEST_SECONDS = 15.0
MOST_BYTES = 400 * 1024 * 1024
CREDENTIALS_CURE = (
    "let the service run as a service account of the project, or name a key file in GOOGLE_APPLICATION_CREDENTIALS "
    "(https://cloud.google.com/docs/authentication/application-default-credentials)"
)
_LOCK = threading.Lock()


class CloudError(Exception):
    """Google refused or did not answer; the text says what to do. `status` is the answer's, 0 when none came."""

    def __init__(self, message: str, status: int = 0) -> None:
        self.message, self.status = message, status
        super().__init__(message)


class _Answered(google.auth.transport.Response):  # type: ignore[misc]
    def __init__(self, answer: http.Response) -> None:
        self._answer = answer

    @property
    def status(self) -> int:
        return self._answer.status

    @property
    def headers(self) -> dict[str, str]:
        return self._answer.headers

    @property
    def data(self) -> bytes:
        return self._answer.body


class _Transport(google.auth.transport.Request):  # type: ignore[misc]
    """google-auth's own requests, for tokens, through our door to the network."""

    def __call__(
        self, url: str, method: str = "GET", body: Any = None, headers: Any = None, timeout: float | None = None, **kwargs: object
    ) -> _Answered:
        data = body.encode() if isinstance(body, str) else body
        try:
            return _Answered(http.fetch(url, method=method, body=data, headers=dict(headers or {}), seconds=timeout or REQUEST_SECONDS, trusted=True))
        except TaskError as error:
            raise google.auth.exceptions.TransportError(error.message) from error


def _text_of(error: Exception) -> str:
    return redact(str(error.args[0] if error.args else error))[:150]


@cache
def credentials() -> google.auth.credentials.Credentials:
    """The operator's; `CloudError` where there are none."""
    try:
        found, _ = google.auth.default(scopes=SCOPES, request=_Transport())
    except (google.auth.exceptions.GoogleAuthError, OSError, ValueError) as error:
        raise CloudError(f"There are no credentials for Google Cloud: {CREDENTIALS_CURE}. {_text_of(error)}") from error
    return found


def signed(*, renew: bool = False) -> dict[str, str]:
    """The headers that say who asks: a valid access token, and the project that pays where the credentials name one."""
    try:
        with _LOCK:
            holder = credentials()
            if renew or not holder.valid:
                holder.refresh(_Transport())
    except google.auth.exceptions.GoogleAuthError as error:
        raise CloudError(f"Google did not accept the credentials: {CREDENTIALS_CURE}. {_text_of(error)}") from error
    headers: dict[str, str] = {}
    holder.apply(headers)
    return headers


def ask(
    method: str, url: str, body: bytes | None, *, service: str, cure: str, once: bool = False, missing: bool = False, seconds: float = REQUEST_SECONDS
) -> http.Response:
    """The answer, of a 2xx status (or 404 where `missing` is one). Sent again when the service is busy or silent, unless it is only sent `once`."""
    kind = "application/json" if service == "Cloud Run" else "application/octet-stream"
    pauses = iter(() if once else PAUSES)
    renewed = False
    while True:
        headers = signed() | ({"Content-Type": kind} if body is not None else {})
        asked = ""
        try:
            answer = http.fetch(url, method=method, body=body, headers=headers, seconds=seconds, max_bytes=MOST_BYTES, trusted=True)
        except RemoteUnavailable as error:
            trouble = CloudError(f"{service} could not be asked: {error.message}")
        except TaskError as error:
            raise CloudError(f"{service} could not be asked: {error.message}") from error
        else:
            if answer.status < 300 or (missing and answer.status == 404):
                return answer
            if answer.status == 401 and not renewed:  # it may have been taken back before its time
                renewed = True
                signed(renew=True)
                continue
            trouble = CloudError(_refusal(answer, service, cure), answer.status)
            if answer.status not in BUSY:
                raise trouble
            asked = answer.headers.get("retry-after", "")
        wait = next(pauses, None)
        if wait is None:
            raise trouble
        time.sleep(max(wait, min(float(asked), ASKED_SECONDS)) if asked.isdecimal() else wait)


def _refusal(answer: http.Response, service: str, cure: str) -> str:
    """Google's error body: https://cloud.google.com/apis/design/errors"""
    try:
        said = str(json.loads(answer.body)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        said = ""
    text = " ".join(redact(said).split())[:200]
    if answer.status in {401, 403}:
        return f"{service} refuses ({answer.status}): {cure}. It said: {text}"
    return f"{service} answered {answer.status}. {text}".strip()


def parsed(answer: http.Response) -> dict[str, Any]:
    try:
        value = json.loads(answer.body or b"{}")
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise CloudError(f"{answer.url.split('/')[2]} answered something that is not JSON.", answer.status)
    return value
