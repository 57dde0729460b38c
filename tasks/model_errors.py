"""What a model's service says no with, as `tasks.errors`. Shared by the generators that speak HTTP; pure but for the clock."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from django.utils import timezone

from tasks.errors import ModelKeyRefused, ModelRefused, ModelUnavailable, RateLimited, TaskError
from tasks.redaction import redact

TRY_LATER = frozenset({408, 409, 425})
BAD_REQUEST = frozenset({400, 413, 415, 422})
EXCERPT = 500
LONGEST_WAIT = 24 * 3600.0


class RequestRefused(ModelRefused):
    """The model's service does not take this request; the next model of the chain is asked."""


def refusal(status: int, said: str, *, service: str, key_setting: str, model: str, key_invalid: bool = False, wait: float | None = None) -> TaskError:
    """The error for an answer with this status; `said` is the body or its message, `wait` the seconds that the service asks for.

    The message is for the operator and never holds what the service said; that goes, redacted, into the details."""
    detail = f"HTTP {status}: {redact(' '.join(said.split()))[:EXCERPT]}"
    if status == 401 or key_invalid:
        return ModelKeyRefused(f"{service} refused the API key; set a valid {key_setting} and re-run from generate.", detail=detail)
    if status == 429:
        retry_at = timezone.now() + timedelta(seconds=wait) if wait is not None else None
        return RateLimited(
            f"{service} asks to slow down: the quota of {model} is used up for now; the next model is asked, or this one again later.",
            detail=detail,
            retry_at=retry_at,
        )
    if status in TRY_LATER or status >= 500:
        return ModelUnavailable(f"{service} could not serve {model} just now (HTTP {status}); the next model of the chain is asked.", detail=detail)
    if status == 402:
        return ModelRefused(f"{service} wants to be paid first; add credit to the account of {key_setting}.", detail=detail)
    if status == 403:
        return ModelRefused(f"{service} does not let this key use {model}; check the rights of {key_setting} and its region.", detail=detail)
    if status == 404:
        return ModelRefused(f"{service} has no model named {model}; it may be retired or misspelt in the list of models.", detail=detail)
    if 300 <= status < 400:
        return ModelRefused(f"{service} redirects elsewhere, which is not followed with a key; set its address in full.", detail=detail)
    if status in BAD_REQUEST:
        return RequestRefused(f"{service} did not take the request for {model} (HTTP {status}); its reason is in the details.", detail=detail)
    return ModelRefused(f"{service} refused the request for {model} (HTTP {status}); its reason is in the details.", detail=detail)


def unavailable(service: str, model: str, what: str) -> ModelUnavailable:
    """For an answer that never came or cannot be read; `what` ends the sentence "<service> …"."""
    return ModelUnavailable(f"{service} {redact(what)}; the next model of the chain is asked instead of {model}.")


def seconds_of(duration: str) -> float | None:
    """Seconds of a protobuf duration, "2s" or "0.350s": https://protobuf.dev/reference/protobuf/google.protobuf/#duration"""
    match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)s", duration.strip())
    return min(float(match[1]), LONGEST_WAIT) if match else None


def retry_after(value: str) -> float | None:
    """Seconds of a Retry-After header, which is a number or a date (RFC 9110, 10.2.3); None when it is neither. Never negative, at most a day."""
    try:
        seconds = float(value)
    except ValueError:
        try:
            when = parsedate_to_datetime(value)
        except ValueError:
            return None
        if when.tzinfo is None:
            when = when.replace(tzinfo=UTC)
        seconds = (when - datetime.now(UTC)).total_seconds()
    return None if math.isnan(seconds) else min(max(0.0, seconds), LONGEST_WAIT)
