"""Wrong combinations of settings are named with their cure; the settings themselves refuse to start without a key."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.conf import settings as project
from django.core.checks import run_checks

from tests.settings import DATA_DIR


def ids() -> set[str]:
    return {message.id or "" for message in run_checks(include_deployment_checks=True)}


def test_the_test_settings_have_none_of_ours() -> None:
    assert not {id for id in ids() if id.startswith("tasks.E")}


@pytest.mark.parametrize(
    ("change", "id"),
    [
        ({"GENERATOR": "no_such"}, "tasks.E001"),
        ({"GENERATOR": "gemini", "GEMINI_API_KEY": ""}, "tasks.E002"),
        ({"GENERATOR": "gemini", "GEMINI_API_KEY": "k", "GEMINI_MODELS": []}, "tasks.E003"),
        ({"GENERATOR": "openai", "OPENAI_BASE_URL": ""}, "tasks.E004"),
        ({"REPO_HOST": "no_such"}, "tasks.E005"),
        ({"REPO_HOST": "github", "GITHUB_TOKEN": ""}, "tasks.E006"),
        ({"PUBLIC_URL": "example.org"}, "tasks.E007"),
        ({"WORKERS": 0}, "tasks.E008"),
        ({"RUNNER": "no_such"}, "tasks.E009"),
        ({"RUNNER": "docker", "DOCKER_IMAGE": "Python 3.11"}, "tasks.E010"),
        ({"RUNNER": "docker", "DOCKER_RUNTIME": "run sc"}, "tasks.E011"),
        ({"RUNNER": "docker", "DOCKER_HOST": "tcp://engine"}, "tasks.E011"),
        ({"RUNNER": "cloud_run"}, "tasks.E012"),
        ({"RUNNER": "cloud_run", "CLOUD_RUN_API_ENDPOINT": "http://example.org"}, "tasks.E013"),
        ({"GITHUB_PAGES_URL": "https://example.org/"}, "tasks.W001"),
        ({"STUDENT_SECRET": ""}, "tasks.W002"),
        ({"TASK_DEADLINE_SECONDS": 30}, "tasks.W003"),
        ({"DEMO_API_KEY": "k"}, "tasks.W004"),
        ({"STUDENT_SECRET": "short"}, "tasks.W005"),
    ],
)
def test_a_wrong_combination_is_found(change: dict[str, Any], id: str, settings: LazySettings) -> None:
    for name, value in change.items():
        setattr(settings, name, value)
    assert id in ids()


@pytest.mark.parametrize("image", ["python:3.11-slim", "registry.example.org:5000/team/python:3.11-slim@sha256:" + 64 * "a", "sha256:" + 64 * "a"])
def test_docker_as_it_is_meant_is_left_in_peace(image: str, settings: LazySettings) -> None:
    settings.RUNNER, settings.DOCKER_IMAGE, settings.DOCKER_RUNTIME, settings.DOCKER_HOST = "docker", image, "runsc", "tcp://engine.example.org:2376"
    assert not {id for id in ids() if id.startswith("tasks.E")}


KEY = "a-key-of-these-tests-0123456789-abcdef"


def start(**env: str) -> subprocess.CompletedProcess[str]:
    clean = {"PATH": os.environ["PATH"], "ENV_FILE": os.devnull, "DATA_DIR": str(DATA_DIR), "DJANGO_SETTINGS_MODULE": "deployer.settings"}
    return subprocess.run(
        [sys.executable, "-c", "import django.conf as c; print(c.settings.SECRET_KEY, c.settings.GENERATOR, c.settings.REPO_HOST)"],
        cwd=project.BASE_DIR, env=clean | env, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_without_a_secret_key_the_start_stops_and_names_the_cure() -> None:
    ended = start()
    assert ended.returncode != 0
    assert "SECRET_KEY is not set" in ended.stderr


@pytest.mark.parametrize("key", ["changeme" * 10, "django-insecure-" + KEY, KEY[:31]])
def test_with_a_weak_secret_key_the_start_stops_and_names_the_cure(key: str) -> None:
    ended = start(SECRET_KEY=key)
    assert ended.returncode != 0
    assert "SECRET_KEY is too weak" in ended.stderr
    assert "token_urlsafe" in ended.stderr


def test_debug_makes_a_key_of_its_own_and_keeps_it(tmp_path: Path) -> None:
    first, second = start(DEBUG="on", DATA_DIR=str(tmp_path)), start(DEBUG="on", DATA_DIR=str(tmp_path))
    assert first.returncode == 0, first.stderr
    assert first.stdout == second.stdout
    assert (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o600


def test_on_a_machine_of_ones_own_any_key_will_do() -> None:
    assert start(SECRET_KEY="k", DEBUG="on").returncode == 0


def test_a_value_may_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{KEY}-from-a-file\n")
    assert start(SECRET_KEY_FILE=str(tmp_path / "key")).stdout.split()[0] == f"{KEY}-from-a-file"
    assert "cannot be read" in start(SECRET_KEY_FILE=str(tmp_path / "none")).stderr


@pytest.mark.parametrize(
    ("env", "chosen"),
    [
        ({}, "offline local"),
        ({"GEMINI_API_KEY": "k", "GITHUB_TOKEN": "t"}, "gemini github"),
        ({"OPENAI_BASE_URL": "http://localhost/v1"}, "openai local"),
        ({"GEMINI_API_KEY": "k", "GITHUB_TOKEN": "t", "GENERATOR": "offline", "REPO_HOST": "local"}, "offline local"),
    ],
)
def test_auto_chooses_by_the_keys_that_are_there(env: dict[str, str], chosen: str) -> None:
    assert start(SECRET_KEY=KEY, **env).stdout.split(maxsplit=1)[1].strip() == chosen


@pytest.mark.parametrize("env", [{"DEBUG": "perhaps"}, {"WORKERS": "many"}, {"TRUSTED_PROXIES": "proxy.example.org"}])
def test_a_value_that_does_not_fit_is_named(env: dict[str, str]) -> None:
    ended = start(SECRET_KEY=KEY, **env)
    assert ended.returncode != 0
    assert next(iter(env)) in ended.stderr
