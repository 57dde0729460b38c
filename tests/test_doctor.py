"""What the doctor finds, against the emulators of GitHub and Gemini over HTTP."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import cache

import pytest
from django.core.management import call_command
from django.utils import timezone

from tasks import doctor
from tasks.browser import find_chromium
from tasks.browser.chromium import CURE
from tasks.doctor import kernel
from tasks.models import AgentKey, Worker
from tests.emulators.base import Reply
from tests.emulators.gemini import GeminiEmulator
from tests.emulators.github import GitHubEmulator
from tests.factories import make_round

GROUPS = dict.fromkeys(question.group for question in doctor.QUESTIONS)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _no_browser(settings) -> None:
    settings.EVALUATE = False  # a second that only one of these tests needs


def findings() -> dict[str, doctor.Finding]:
    return {finding.name: finding for finding in doctor.examine()}


def test_a_plain_installation_lacks_only_a_worker(live_server, settings) -> None:
    settings.PUBLIC_URL = live_server.url
    found = findings()
    expected = {"STUDENT_SECRET": "ok", "database": "ok", "queue": "ok", "worker": "warning", "agent keys": "off", "PUBLIC_URL": "ok"}
    expected |= {"model": "off", "GitHub": "off", "clock": "off", "Chromium": "off"}
    assert {name: finding.state for name, finding in found.items()}.items() >= expected.items()
    assert found["worker"].cure == "Start: python manage.py worker"
    assert "only this machine can reach it" in found["PUBLIC_URL"].detail
    assert [finding.group for finding in found.values()] == sorted((finding.group for finding in found.values()), key=list(GROUPS).index)

    now = timezone.now()
    Worker.objects.create(name="box:1:1", host="box", pid=1, seen_at=now)
    make_round(next_run_at=now - timedelta(minutes=3))
    for name, days in (("eve", 3), ("adam", 300), ("old", -1)):
        AgentKey.objects.create_key(name=name, role="coder", expiry_date=now + timedelta(days=days))
    found = findings()
    assert found["worker"].detail == "1 running"
    assert (found["queue"].state, found["queue"].detail) == ("warning", "1 due, the oldest for 180 s")
    assert (found["agent keys"].state, found["agent keys"].detail) == ("warning", "2 valid: 2 coder; eve ends within 7 days")


@pytest.mark.browser
@pytest.mark.skipif(find_chromium() is None, reason=CURE)
def test_chromium_is_tried_with_a_page(settings, monkeypatch) -> None:
    settings.EVALUATE = True
    assert "opened a page in" in findings()["Chromium"].detail
    monkeypatch.setattr("tasks.doctor.here.PAGE", b"<title>other</title>")
    assert findings()["Chromium"].state == "error"


def test_what_is_missing_is_named_with_its_cure(settings, monkeypatch) -> None:
    settings.CHROMIUM_PATH, settings.PUBLIC_URL, settings.RUNNER, settings.EVALUATE = "/nowhere/chromium", "http://127.0.0.1:9", "sandbox", True
    monkeypatch.setattr("tasks.runners.sandbox._refusal", cache(lambda: "bubblewrap is not installed: apt install bubblewrap."))
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}" if name == "bwrap" else None)
    monkeypatch.setattr("tasks.doctor.kernel.refusals", lambda: [("user.max_user_namespaces is 0", "Run: sysctl -w user.max_user_namespaces=15000")])
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 5, "total": 10})())
    found = findings()
    assert found["Chromium"].state == "error"
    assert "install" in found["Chromium"].cure
    assert (found["runner"].state, found["runner"].cure) == ("warning", "bubblewrap is not installed: apt install bubblewrap.")
    assert found["kernel"].cure == "Run: sysctl -w user.max_user_namespaces=15000 Then restart the workers."
    assert found["disk"].state == "error"
    assert (found["PUBLIC_URL"].state, found["PUBLIC_URL"].cure) == ("warning", "Start the web process, or correct PUBLIC_URL.")


@pytest.mark.parametrize(
    ("name", "value", "cure"),
    [
        ("user/max_user_namespaces", "0", "sysctl -w user.max_user_namespaces=15000"),
        ("kernel/unprivileged_userns_clone", "0", "sysctl -w kernel.unprivileged_userns_clone=1"),
        ("kernel/apparmor_restrict_unprivileged_userns", "1", "/etc/apparmor.d/bwrap"),
    ],
)
def test_a_kernel_that_refuses_the_sandbox_is_asked_why(tmp_path, name, value, cure) -> None:
    assert kernel.refusals(tmp_path, root=False, container=False) == []
    (tmp_path / name).parent.mkdir(parents=True)
    (tmp_path / name).write_text(f"{value}\n")
    assert [cure in found for _, found in kernel.refusals(tmp_path, root=False, container=False)] == [True]
    (tmp_path / name).write_text("1\n" if value == "0" else "0\n")
    assert kernel.refusals(tmp_path, root=False, container=False) == []
    assert "seccomp=unconfined" in kernel.refusals(tmp_path, root=True, container=True)[0][1]


def test_a_token_is_tried_and_its_rights_are_read(settings) -> None:
    with GitHubEmulator() as github:
        for name, value in github.django_settings().items():
            setattr(settings, name, value)
        found = findings()
        assert found["GitHub"].state in {"ok", "warning"}, found["GitHub"]
        assert github.owner in found["GitHub"].detail
        assert (found["GitHub Pages"].state, found["clock"].state) == ("ok", "ok")
        settings.GITHUB_TOKEN = "ghp_" + "wrong" * 8
        refused = findings()["GitHub"]
        assert (refused.state, refused.cure) == ("error", "Set a valid GITHUB_TOKEN.")
        assert settings.GITHUB_TOKEN not in str(findings())


def test_a_models_key_is_tried(settings) -> None:
    with GeminiEmulator() as model:
        settings.GENERATOR, settings.GEMINI_API_KEY, settings.GEMINI_API_ENDPOINT = "gemini", "wrong", model.url
        model.enqueue(Reply(400, b'{"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": "API key not valid."}}'))
        assert findings()["model"].cure == "Set a valid GEMINI_API_KEY."
        model.enqueue(Reply(404, b"{}"))
        assert findings()["model"].cure == "Correct GEMINI_API_ENDPOINT."
        settings.GEMINI_API_KEY, settings.GEMINI_MODELS = model.key, ["gemini-2.5-flash", "gemini-9"]
        model.enqueue(Reply(200, json.dumps({"models": [{"name": "models/gemini-2.5-flash"}]}).encode()))
        assert findings()["model"].detail == "gemini-9 is not offered"
    assert findings()["model"].state == "error"


def test_the_command_prints_findings_and_ends_with_4_when_something_is_wrong(settings, capsys, live_server) -> None:
    settings.PUBLIC_URL = live_server.url
    settings.CHROMIUM_PATH, settings.EVALUATE = "/nowhere/chromium", True
    for options in ([], ["--json"]):
        with pytest.raises(SystemExit) as ended:
            call_command("doctor", *options)
        assert ended.value.code == 4
        assert options or "XX  Chromium" in capsys.readouterr().out
    assert {row["name"] for row in json.loads(capsys.readouterr().out)} >= {"database", "Chromium", "disk"}
