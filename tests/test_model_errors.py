from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from pytest_django import Settings

from tasks.errors import ModelKeyRefused, ModelRefused, ModelUnavailable, RateLimited, TaskError
from tasks.model_errors import LONGEST_WAIT, RequestRefused, refusal, retry_after, seconds_of


def of(status: int, said: str = "no", **fields: object) -> TaskError:
    return refusal(status, said, service="The service", key_setting="THE_KEY", model="small", **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, ModelRefused), (400, RequestRefused), (401, ModelKeyRefused), (402, ModelRefused), (403, ModelRefused), (404, ModelRefused),
        (405, ModelRefused), (408, ModelUnavailable), (413, RequestRefused), (422, RequestRefused), (429, RateLimited), (500, ModelUnavailable),
        (503, ModelUnavailable), (529, ModelUnavailable),
    ],
)  # fmt: skip
def test_each_status_has_its_error(status: int, kind: type[TaskError]) -> None:
    assert type(of(status)) is kind


def test_an_invalid_key_may_come_with_another_status() -> None:
    assert type(of(400, key_invalid=True)) is ModelKeyRefused


def test_what_the_service_said_is_redacted_evidence(settings: Settings) -> None:
    settings.OPENAI_API_KEY = "abc-this-is-the-key"
    error = of(403, "the key abc-this-is-the-key\nis bad " + "x" * 5000)
    assert error.detail.startswith("HTTP 403: the key [redacted")
    assert "abc-this-is-the-key" not in error.detail + error.message
    assert len(error.detail) < 600


@pytest.mark.parametrize(
    ("duration", "seconds"),
    [("2s", 2.0), ("0.350s", 0.35), (" 7s ", 7.0), ("9999999s", LONGEST_WAIT), ("2", None), ("", None), ("-1s", None), ("1h", None)],
)
def test_a_duration_is_read(duration: str, seconds: float | None) -> None:
    assert seconds_of(duration) == seconds


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("0", 0.0), ("120", 120.0), ("-5", 0.0), ("1e9", LONGEST_WAIT), ("nan", None), ("inf", LONGEST_WAIT), ("soon", None), ("", None)],
)
def test_a_number_of_seconds_is_read(value: str, seconds: float | None) -> None:
    assert retry_after(value) == seconds


def test_a_date_is_read() -> None:
    soon = retry_after(format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True))
    assert soon is not None
    assert 80 < soon <= 90


def test_a_date_of_the_past_is_now() -> None:
    assert retry_after("Sat, 01 Jan 2000 00:00:00 GMT") == 0.0
