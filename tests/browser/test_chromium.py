"""Which Chromium is taken."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tasks.browser.chromium import find_chromium


def program(folder: Path, name: str) -> str:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return str(path)


@pytest.fixture(autouse=True)
def _empty_machine(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.CHROMIUM_PATH = ""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path / "playwright"))


def test_there_may_be_none() -> None:
    assert find_chromium() is None


def test_the_setting_comes_first(tmp_path: Path, settings: Any) -> None:
    program(tmp_path / "bin", "chromium-headless-shell")
    settings.CHROMIUM_PATH = program(tmp_path, "mine")
    assert find_chromium() == settings.CHROMIUM_PATH


def test_a_wrong_setting_is_not_passed_over(tmp_path: Path, settings: Any) -> None:
    program(tmp_path / "bin", "chromium")
    settings.CHROMIUM_PATH = str(tmp_path / "none")
    assert find_chromium() is None


def test_the_headless_shell_is_preferred(tmp_path: Path) -> None:
    program(tmp_path / "bin", "chromium")
    shell = program(tmp_path / "bin", "chromium-headless-shell")
    assert find_chromium() == shell


def test_playwrights_own_is_found_last(tmp_path: Path) -> None:
    own = program(tmp_path / "playwright", "chromium_headless_shell-1200/chrome-headless-shell-linux64/chrome-headless-shell")
    assert find_chromium() == own
    system = program(tmp_path / "bin", "chromium")
    assert find_chromium() == system
