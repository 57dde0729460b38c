"""`send_task --report`: sent, reported to this process, evaluated and printed check by check, and kept as practice."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from tasks import http
from tasks.classroom import trial
from tasks.classroom.evaluating.lease import ReportLease
from tasks.classroom.sealing import unseal
from tasks.models import CheckResult, IssuedTask, RepoReport, Submission
from tests.classroom.students import Students
from tests.emulators.base import Reply, Request, json_reply

pytestmark = pytest.mark.django_db

EMAIL = "ann@example.org"


class Reporting(Students):
    """A service that reports as soon as it is asked, with `changed` in place of what it was sent."""

    changed: dict[str, Any]

    def answer(self, request: Request) -> Reply:
        body = request.json()
        made = {"repo_url": "https://x.org/r", "pages_url": "https://x.org/p", "commit_sha": "a" * 40, **self.changed}
        report = {name: body[name] for name in ("email", "task", "round", "nonce")} | made
        data, headers = json.dumps(report).encode(), {"Content-Type": "application/json"}
        threading.Thread(target=http.fetch, args=(body["evaluation_url"],), kwargs={"method": "POST", "body": data, "headers": headers}).start()
        return json_reply({"status": "ready"})


@pytest.fixture
def service() -> Iterator[Reporting]:
    with Reporting() as running:
        running.changed = {}
        yield running


@pytest.fixture
def verdicts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What each report's checks say; the evaluation itself has tests of its own."""
    said = ["pass", "undecided"]

    def carry_out(lease: ReportLease) -> str:
        with lease.fenced():
            for number, status in enumerate(said):
                CheckResult.objects.create(
                    report_id=lease.round_id, kind="page", key=str(number), title=f"check {number}", status=status, reason="so"
                )
            RepoReport.objects.filter(pk=lease.round_id).update(state="done" if said else "error", error="" if said else "no browser", lease_owner="")
        return "done"

    monkeypatch.setattr(trial, "carry_out", carry_out)
    return said


def send(service: Students, *args: str, seconds: str = "5") -> tuple[list[dict[str, Any]], int]:
    out, given = StringIO(), ("--url", service.endpoint(), "--secret", "s3cret", "--email", EMAIL, "--seconds", seconds)
    try:
        call_command("send_task", *given, "--report", "--json", *args, stdout=out, stderr=StringIO())
    except SystemExit as end:
        return json.loads(out.getvalue()), int(end.code or 0)
    raise AssertionError("it always says how it ended")


def test_both_rounds_are_kept_as_practice_evaluated_and_told_check_by_check(service: Reporting, verdicts: list[str]) -> None:
    said, code = send(service, "--brief-file", "sales-total")
    first, second = IssuedTask.objects.order_by("pk")
    assert (code, [item["ok"] for item in said]) == (0, [True, True])
    assert said[0]["checks"][0] == {"status": "pass", "score": 0.0, "source": "common", "title": "check 0", "reason": "so"}
    assert "1 of 2 checks pass" in said[0]["said"]
    assert (first.brief_id, first.status, second.first, second.task) == ("sales-total", "accepted", first, first.task)
    assert [body["secret"] for body in service.bodies] == ["s3cret", "s3cret"]
    student = Submission.every.get()
    assert (student.email, student.is_practice, unseal(student.sealed_secret, EMAIL)) == (EMAIL, True, "s3cret")


def test_a_brief_of_the_hour_is_another_one_than_the_bundled_one(service: Reporting, verdicts: list[str]) -> None:
    send(service, "--brief-file", "sales-total", "--round", "1")
    send(service, "sales-total", "--round", "1")
    of_the_hour, bundled = (body["attachments"] for body in service.bodies)
    assert of_the_hour != bundled


@pytest.mark.parametrize(("said", "words"), [(["pass", "fail"], "1 of 2 checks pass"), ([], "could not be evaluated: no browser")])
def test_a_failed_check_or_none_ends_with_1_and_the_next_round_is_not_sent(
    service: Reporting, verdicts: list[str], said: list[str], words: str
) -> None:
    verdicts[:] = said
    printed, code = send(service)
    assert (code, len(printed)) == (1, 1)
    assert words in printed[0]["said"]


def test_a_refusal_and_silence_are_told_and_nothing_is_sent_later(service: Reporting) -> None:
    service.answer = lambda request: Reply(403, b"wrong secret", {})  # type: ignore[method-assign]
    said, code = send(service)
    assert (code, said[0]["status"]) == (1, 403)
    assert "wrong secret" in said[0]["said"]
    assert IssuedTask.objects.get().status == "given_up"
    service.answer = lambda request: json_reply({})  # type: ignore[method-assign]
    said, code = send(service, seconds="0.1")
    assert (code, said[0]["said"]) == (1, "no report in 0 s")


def test_what_cannot_be_kept_or_does_not_fit_is_exit_code_2(service: Reporting, verdicts: list[str], tmp_path: Any) -> None:
    file = tmp_path / "own.json"
    file.write_text(json.dumps({"email": EMAIL, "task": "t", "round": "1", "nonce": "n", "brief": "b"}))
    assert send(service, str(file))[1] == 0
    assert IssuedTask.objects.get().brief_id == "own"
    service.changed = {"task": "another"}
    IssuedTask.objects.update(next_try_at=timezone.now())
    for args, words in (
        ((str(file),), "nonce was sent before"),
        (("sales-total",), "belongs to another task"),
        (("--email", "x"), "name@example.org"),
    ):
        with pytest.raises(CommandError, match=words) as error:
            send(service, *args)
        assert error.value.returncode == 2
    file.write_text("{}")
    with pytest.raises(CommandError, match="has no email"):
        send(service, str(file))
