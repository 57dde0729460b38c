"""Read the body of a POST to /ready: JSON, then every field as the course defines it.

In: bytes. Out: a `ReadyIn` whose fields can be stored as they are, or a `Rejected` with status, code, field and reason. Everything that a database
could choke on (NUL, lone surrogates, NaN, numbers too large) is refused here.
"""

from __future__ import annotations

import math
from typing import Any

import msgspec
from django.conf import settings

from tasks import http
from tasks.errors import AddressRefused

MAX_DEPTH = 64  # of nested lists and objects
MAX_CHECKS = 200
MIN_SECRET = 8  # a shorter one stands in many a name by chance


class AttachmentIn(msgspec.Struct):
    name: str
    url: str


class ReadyIn(msgspec.Struct):
    """The request as the course defines it; unknown keys are tolerated."""

    email: str
    task: str
    round: int | str
    nonce: str
    brief: str
    evaluation_url: str
    checks: list[Any] | str | dict[str, Any] | None = None
    attachments: list[AttachmentIn] | dict[str, Any] | None = None


KNOWN_KEYS = {"email", "secret", "task", "round", "nonce", "brief", "checks", "evaluation_url", "attachments", "signature", "usercode"}
LIMITS = {"email": 254, "task": 200, "nonce": 200, "brief": 100_000, "evaluation_url": 2000}


class Rejected(Exception):
    """The request is not accepted. `code` is stable; `detail` says what is wrong and what to do; `retry_after` is in seconds."""

    def __init__(self, status: int, code: str, detail: str, field: str = "", *, retry_after: int = 0) -> None:
        self.status, self.code, self.detail, self.field, self.retry_after = status, code, detail, field, retry_after
        super().__init__(detail)


def decode(body: bytes) -> dict[str, Any]:
    """The body as a JSON object. 400 for everything that is no JSON."""
    if not body or body.isspace():
        raise Rejected(400, "empty-body", "The body is empty: send the task as a JSON object.")
    if body.startswith(b"\xef\xbb\xbf"):
        body = body[3:]
    try:
        data = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
        raise Rejected(400, "not-json", f"The body is not JSON: {str(error)[:200]}.") from None
    except RecursionError:
        raise Rejected(400, "not-json", "The body is nested too deeply.") from None
    if not isinstance(data, dict):
        raise Rejected(422, "invalid", "The body must be a JSON object.")
    return data


def validate(data: dict[str, Any]) -> ReadyIn:
    """The request with its types right. 422 names the field and the reason."""
    for key in ("email", "task", "nonce", "brief", "evaluation_url", "round"):
        if data.get(key) is None:
            raise Rejected(422, "missing", f"{key} is missing.", key)
    for key, value in data.items():
        if key != "secret":
            check_storable(value, key, MAX_DEPTH)
            check_storable(key, key, 1)
    if data.get("attachments") == {}:  # seen in the wild
        data = {**data, "attachments": None}
    try:
        request = msgspec.convert(data, ReadyIn)
    except msgspec.ValidationError as error:
        text = str(error)
        field = text.rsplit("`$.", 1)[1].split("`")[0] if "`$." in text else ""
        raise Rejected(422, "invalid", f"{text.split(' - at')[0]}.", field) from None
    for key, limit in LIMITS.items():
        value = getattr(request, key)
        if not value.strip():
            raise Rejected(422, "blank", f"{key} is empty.", key)
        if len(value) > limit:
            raise Rejected(422, "too-long", f"{key} has {len(value):,} characters; at most {limit:,} are taken.", key)
    if "@" not in request.email.strip("@") or any(char.isspace() for char in request.email.strip()):
        raise Rejected(422, "invalid", "email is not an e-mail address.", "email")
    if len(settings.STUDENT_SECRET) >= MIN_SECRET and settings.STUDENT_SECRET in request.task:
        raise Rejected(422, "secret-in-name", "task holds the secret, and it is going to be the name of a public repository.", "task")
    check_evaluation_url(request.evaluation_url.strip())
    check_attachments(request.attachments)
    return request


def check_storable(value: Any, field: str, depth: int) -> None:
    """Refuse what a database cannot hold: NUL, lone surrogates, NaN and infinities, integers beyond 64 bits, bottomless nesting."""
    if depth < 0:
        raise Rejected(422, "invalid", f"{field} is nested too deeply.", field)
    if isinstance(value, str):
        if "\0" in value:
            raise Rejected(422, "invalid", f"{field} holds a NUL character.", field)
        try:
            value.encode()
        except UnicodeEncodeError:
            raise Rejected(422, "invalid", f"{field} holds half of a surrogate pair, which is no text.", field) from None
    elif isinstance(value, float) and not math.isfinite(value):
        raise Rejected(422, "invalid", f"{field} holds a number that is not finite.", field)
    elif isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise Rejected(422, "invalid", f"{field} holds a whole number beyond 64 bits.", field)
    elif isinstance(value, list):
        for item in value:
            check_storable(item, field, depth - 1)
    elif isinstance(value, dict):
        for key, item in value.items():
            check_storable(key, field, depth - 1)
            check_storable(item, field, depth - 1)


def check_evaluation_url(url: str) -> None:
    try:
        http.check_url(url)
    except AddressRefused as error:
        raise Rejected(422, "address-refused", error.message, "evaluation_url") from None


def check_attachments(attachments: object) -> None:
    if attachments is None:
        return
    if not isinstance(attachments, list):
        raise Rejected(422, "invalid", "attachments must be a list of {name, url}.", "attachments")
    if len(attachments) > settings.MAX_ATTACHMENTS:
        raise Rejected(422, "too-many", f"{len(attachments)} attachments; at most {settings.MAX_ATTACHMENTS} are taken.", "attachments")
    for position, item in enumerate(attachments):
        field = f"attachments[{position}]"
        if not item.name.strip() or len(item.name) > 500:
            raise Rejected(422, "invalid", "An attachment's name must have 1 to 500 characters.", f"{field}.name")
        if not item.url.lower().startswith(("data:", "http://", "https://")):
            raise Rejected(422, "invalid", "An attachment's url must be a data URI or an http(s) address.", f"{field}.url")


def round_number(value: int | str) -> int:
    if isinstance(value, str) and not (value.strip().isascii() and value.strip().isdigit() and len(value) < 10):
        raise Rejected(422, "invalid", "round must be a whole number from 1.", "round")
    number = int(value)
    if not 1 <= number <= 1000:
        raise Rejected(422, "invalid", "round must be a whole number from 1 to 1000.", "round")
    return number


def listed_checks(checks: list[Any] | str | dict[str, Any] | None) -> list[Any]:
    """The checks as a list; a single check need not stand in one."""
    listed = checks if isinstance(checks, list) else [] if not checks else [checks]
    if len(listed) > MAX_CHECKS:
        raise Rejected(422, "too-many", f"{len(listed)} checks; at most {MAX_CHECKS} are taken.", "checks")
    for position, check in enumerate(listed):
        if not isinstance(check, str | dict):
            raise Rejected(422, "invalid", 'A check must be a string or an object such as {"js": "…"}.', f"checks[{position}]")
    return listed


def extra_keys(data: dict[str, Any]) -> dict[str, Any]:
    """What the course does not define; kept as it came, but for the secret, which some send a second time under another name."""
    return without_secret({key: value for key, value in data.items() if key not in KNOWN_KEYS})


def without_secret(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace(settings.STUDENT_SECRET, "[redacted]") if settings.STUDENT_SECRET else value
    if isinstance(value, list):
        return [without_secret(item) for item in value]
    if isinstance(value, dict):
        return {without_secret(key): without_secret(item) for key, item in value.items()}
    return value
