"""`/`, `/status`, `/status/<uuid>`, `/health` and `/logs`: what anybody may see, and what only staff may."""

from __future__ import annotations

import logging
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from tasks import pipeline
from tasks.api import public
from tasks.models import AgentKey, CheckResult, Message, NotificationAttempt, Worker
from tests.factories import make_round, make_task, make_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("teacher", password="x"))
    return client


def private_round() -> Any:
    task = make_task(email="private.person@example.org", task="secret-garden")
    round_ = make_round(
        task, brief="PRIVATE BRIEF", nonce="PRIVATE-NONCE", evaluation_url="https://private.example.org/notify", extra={"k": "PRIVATE"}
    )
    version = make_version(round_, raw_answer="PRIVATE ANSWER", prompt="PRIVATE PROMPT")
    round_.version = version
    round_.save(update_fields=["version"])
    CheckResult.objects.create(round=round_, version=version, kind="files", title="index.html exists", status="fail", reason="PRIVATE REASON")
    Message.objects.create(task_request=task, round=round_, sender="x", body="PRIVATE MESSAGE")
    NotificationAttempt.objects.create(round=round_, number=1, url=round_.evaluation_url, payload={"email": task.email})
    return round_


@pytest.mark.parametrize("path", ["/", "/status", "/status/{uuid}", "/health", "/healthcheck", "/api/schema/", "/pages/secret-garden/"])
def test_an_anonymous_reader_finds_no_email_brief_nonce_or_payload(client: Client, path: str) -> None:
    round_ = private_round()
    answer = client.get(path.format(uuid=round_.uuid))
    text = answer.content.decode()
    assert "private.person" not in text
    assert "PRIVATE" not in text
    assert "private.example.org" not in text


def test_staff_see_who_and_what(staff: Client) -> None:
    round_ = private_round()
    answer = staff.get(f"/status/{round_.uuid}").json()
    assert (answer["email"], answer["brief"]) == ("private.person@example.org", "PRIVATE BRIEF")
    assert answer["checks"][0]["reason"] == "PRIVATE REASON"


def test_a_demo_key_opens_the_same_and_a_wrong_one_does_not(client: Client, settings: LazySettings) -> None:
    round_ = private_round()
    settings.DEMO_API_KEY = "demo-key-for-tests"
    assert "email" in client.get(f"/status/{round_.uuid}", headers={"X-API-KEY": "demo-key-for-tests"}).json()
    assert "email" not in client.get(f"/status/{round_.uuid}", headers={"X-API-KEY": "demo-key-for-test"}).json()
    settings.DEMO_API_KEY = ""
    assert "email" not in client.get(f"/status/{round_.uuid}", headers={"X-API-KEY": ""}).json()
    for role, sees in (("reader", True), ("coder", False)):
        _, key = AgentKey.objects.create_key(name=role, role=role)
        assert ("email" in client.get(f"/status/{round_.uuid}", headers={"X-API-KEY": key}).json()) is sees
        assert client.get("/logs", headers={"X-API-KEY": key}).status_code == (200 if sees else 401)


def test_one_round_has_every_field_that_the_contract_names(client: Client) -> None:
    answer = client.get(f"/status/{make_round().uuid}").json()
    wanted = "id task round status stage degraded error waiting_for next_run_at deadline_at repo_url commit_sha pages_url live_at notified_at checks"
    assert set(wanted.split()) <= set(answer)
    assert (answer["degraded"], answer["error"], answer["status"]) == (None, None, "queued")


def test_staff_read_what_happened_in_its_own_words(staff: Client) -> None:
    round_ = make_round(status="failed", error_id="github-token", error="Set a valid token.", degraded_id="checks-failed", degraded="1 of 2")
    answer = staff.get(f"/status/{round_.uuid}").json()
    assert answer["error"] == {"id": "github-token", "message": "Set a valid token."}
    assert answer["degraded"] == {"id": "checks-failed", "message": "1 of 2"}


def test_a_stranger_reads_the_id_and_the_services_own_sentence(client: Client) -> None:
    round_ = make_round(
        status="waiting", stage="notify", waiting_for="the evaluator, try 3: PRIVATE", error_id="notification-refused", error="PRIVATE",
        degraded_id="checks-failed", degraded="1 of 2 checks fail: PRIVATE",
    )  # fmt: skip
    answer = client.get(f"/status/{round_.uuid}").json()
    assert answer["error"]["id"] == "notification-refused"
    assert answer["error"]["message"].startswith("The evaluator refused the notification for good")
    assert answer["degraded"] == {"id": "checks-failed", "message": "Some checks of the page fail."}
    assert answer["waiting_for"] == client.get("/status").json()["running"][0]["waiting_for"] == "the evaluator"


def test_every_reason_of_a_degraded_round_has_a_sentence_for_strangers() -> None:
    stages = Path(pipeline.__file__).parent / "stages"
    ids = {
        id for file in stages.glob("*.py") for call in re.findall(r"\.degrade\(([^,]+),", file.read_text()) for id in re.findall(r'"([a-z-]+)"', call)
    }
    assert ids == set(public.DEGRADED)
    assert set(public.WAITING) == set(pipeline.STAGES)


def test_an_unknown_round_is_a_404_problem(client: Client) -> None:
    answer = client.get("/status/00000000-0000-4000-8000-000000000000")
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")


def test_the_overview_counts_and_lists_open_rounds_with_seconds_left(client: Client) -> None:
    make_round(status="succeeded")
    make_round(received_at=timezone.now() - timedelta(seconds=100), stage="verify", status="waiting", waiting_for="the page")
    answer = client.get("/status").json()
    assert answer["counts"]["succeeded"] == 1
    assert answer["counts"]["waiting"] == 1
    (running,) = answer["running"]
    assert running["stage"] == "verify"
    assert 495 <= running["seconds_left"] <= 500
    assert answer["last_task"]["status"] == "succeeded"


def test_the_overview_of_an_empty_installation_is_empty(client: Client) -> None:
    assert client.get("/status").json()["last_task"] is None


def test_the_banner_is_json_for_programs_and_a_page_for_people(client: Client) -> None:
    assert client.get("/").json()["message"].startswith("Service is running")
    page = client.get("/", headers={"Accept": "text/html,application/xhtml+xml"})
    assert page["Content-Type"].startswith("text/html")
    assert b"/ready" in page.content


def test_health_is_ok_with_a_worker_and_503_without(client: Client) -> None:
    answer = client.get("/health")
    assert answer.status_code == 503
    assert "worker" in " ".join(answer.json()["problems"])
    Worker.objects.create(name="w", host="h", pid=1)
    assert client.get("/health").json()["status"] == "ok"
    assert client.get("/healthcheck").status_code == 200


def test_health_is_503_when_due_rounds_are_not_taken(client: Client) -> None:
    Worker.objects.create(name="w", host="h", pid=1)
    make_round(next_run_at=timezone.now() - timedelta(seconds=120))
    assert client.get("/health").status_code == 503


def test_a_stopped_worker_does_not_count(client: Client) -> None:
    Worker.objects.create(name="w", host="h", pid=1, stopped_at=timezone.now())
    assert client.get("/health").status_code == 503


def test_the_log_is_for_staff_and_redacted(client: Client, settings: LazySettings) -> None:
    assert client.get("/logs").status_code == 401
    logging.getLogger("tasks").error("the secret is %s", settings.STUDENT_SECRET)
    client.force_login(User.objects.create_superuser("teacher", password="x"))
    answer = client.get("/logs?lines=5")
    assert answer.status_code == 200
    text = answer.content.decode()
    assert "the secret is" in text
    assert settings.STUDENT_SECRET not in text


@pytest.mark.parametrize("lines", ["x", "", "-5", "100000"])
def test_odd_numbers_of_lines_are_no_500(staff: Client, lines: str) -> None:
    assert staff.get(f"/logs?lines={lines}").status_code in {200, 422}


def test_an_unknown_path_is_a_problem_for_programs_and_a_page_for_people(client: Client) -> None:
    assert client.get("/nothing/here")["Content-Type"] == "application/problem+json"
    page = client.get("/nothing/here", headers={"Accept": "text/html"})
    assert (page.status_code, page["Content-Type"].split(";")[0]) == (404, "text/html")


def test_the_schema_is_openapi_3_1_and_names_ready(client: Client) -> None:
    text = client.get("/api/schema/").content.decode()
    assert "openapi: 3.1" in text
    assert "/ready:" in text
    assert client.get("/api/docs/").status_code == 200
