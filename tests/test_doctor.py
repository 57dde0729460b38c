"""What the doctor finds, against the emulators of GitHub and Gemini over HTTP."""

from __future__ import annotations

import json

import pytest
from django.core.management import call_command
from django.utils import timezone

from tasks import doctor
from tasks.models import Worker
from tests.emulators.base import Reply
from tests.emulators.gemini import GeminiEmulator
from tests.emulators.github import GitHubEmulator

pytestmark = pytest.mark.django_db(transaction=True)


def findings() -> dict[str, doctor.Finding]:
    return {finding.name: finding for finding in doctor.examine()}


def test_a_plain_installation_lacks_only_a_worker(live_server, settings) -> None:
    settings.PUBLIC_URL = live_server.url
    found = findings()
    assert {name: finding.state for name, finding in found.items()}.items() >= {
        "database": "ok",
        "worker": "warning",
        "model": "off",
        "GitHub": "off",
    }.items()
    assert found["worker"].cure == "Start: python manage.py worker"
    assert found["PUBLIC_URL"].state == "ok"
    Worker.objects.create(name="box:1:1", host="box", pid=1, seen_at=timezone.now())
    assert findings()["worker"].detail == "1 running"


def test_what_is_missing_is_named_with_its_cure(settings, monkeypatch) -> None:
    settings.CHROMIUM_PATH, settings.PUBLIC_URL, settings.RUNNER = "/nowhere/chromium", "http://127.0.0.1:9", "sandbox"
    monkeypatch.setattr("tasks.runners.sandbox._refusal", lambda: "bubblewrap is not installed: apt install bubblewrap.")
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 5, "total": 10})())
    found = findings()
    assert found["Chromium"].state == "error"
    assert "install" in found["Chromium"].cure
    assert (found["runner"].state, found["runner"].cure) == ("warning", "bubblewrap is not installed: apt install bubblewrap.")
    assert found["disk"].state == "error"
    assert (found["PUBLIC_URL"].state, found["PUBLIC_URL"].cure) == ("warning", "Start the web process, or correct PUBLIC_URL.")


def test_a_token_is_tried_and_its_rights_are_read(settings) -> None:
    with GitHubEmulator() as github:
        for name, value in github.django_settings().items():
            setattr(settings, name, value)
        found = findings()
        assert found["GitHub"].state in {"ok", "warning"}, found["GitHub"]
        assert github.owner in found["GitHub"].detail
        settings.GITHUB_TOKEN = "ghp_" + "wrong" * 8
        refused = findings()["GitHub"]
        assert (refused.state, refused.cure) == ("error", "Set a valid GITHUB_TOKEN.")
        assert settings.GITHUB_TOKEN not in str(findings())


def test_a_models_key_is_tried(settings) -> None:
    with GeminiEmulator() as model:
        settings.GENERATOR, settings.GEMINI_API_KEY, settings.GEMINI_API_ENDPOINT = "gemini", "wrong", model.url
        model.enqueue(Reply(400, b'{"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": "API key not valid."}}'))
        assert findings()["model"].cure == "Set a valid GEMINI_API_KEY."
        settings.GEMINI_API_KEY, settings.GEMINI_MODELS = model.key, ["gemini-2.5-flash", "gemini-9"]
        model.enqueue(Reply(200, json.dumps({"models": [{"name": "models/gemini-2.5-flash"}]}).encode()))
        assert findings()["model"].detail == "gemini-9 is not offered"
    assert findings()["model"].state == "error"


def test_the_command_prints_findings_and_ends_with_4_when_something_is_wrong(settings, capsys, live_server) -> None:
    settings.PUBLIC_URL = live_server.url
    with pytest.raises(SystemExit) as ended:
        settings.CHROMIUM_PATH = "/nowhere/chromium"
        call_command("doctor", "--json")
    assert ended.value.code == 4
    assert {row["name"] for row in json.loads(capsys.readouterr().out)} >= {"database", "Chromium", "disk"}
