"""The linters and audits that stand between a change and its landing do say no."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from tests.emulators.base import Emulator, Reply, Request, json_reply

ROOT = Path(settings.BASE_DIR)
PINNED = [line.split("==")[0] for line in (ROOT / "requirements.txt").read_text().splitlines() if "==" in line and not line.startswith("#")]


class Advisories(Emulator):
    """An OSV service: https://google.github.io/osv.dev/post-v1-query/"""

    vulnerable = ""
    status = 200

    def answer(self, request: Request) -> Reply:
        name = request.json()["package"]["name"]
        found: dict[str, Any] = {"id": "GHSA-test-0001", "details": "It leaks.", "aliases": ["CVE-2027-0001"]}
        ranges = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "999"}]}]
        found["affected"] = [{"package": {"name": name, "ecosystem": "PyPI"}, "ranges": ranges, "versions": []}]
        return json_reply({"vulns": [found]} if name == self.vulnerable else {}, self.status)


@pytest.fixture
def advisories() -> Iterator[Advisories]:
    with Advisories() as running:
        yield running


def audit(tmp_path: Path, *options: str) -> tuple[int, str]:
    command = [sys.executable, str(ROOT / ".ci" / "audit"), "--cache-dir", str(tmp_path), "--timeout", "10", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def test_an_audit_of_packages_without_a_known_vulnerability_passes_and_says_how_many(advisories: Advisories, tmp_path: Path) -> None:
    code, said = audit(tmp_path, "--vulnerability-service", "osv", "--osv-url", advisories.url)
    assert (code, said) == (0, f"{len(PINNED)} of {len(PINNED)} packages were audited, 0 of them with a known vulnerability.\n")
    assert len(advisories.requests) == len(PINNED)


def test_an_audit_names_what_is_vulnerable_and_fails(advisories: Advisories, tmp_path: Path) -> None:
    advisories.vulnerable = "sqlparse"
    code, said = audit(tmp_path, "--vulnerability-service", "osv", "--osv-url", advisories.url)
    assert code == 1
    assert re.search(r"sqlparse [\d.]+: (?:GHSA-test-0001|CVE-2027-0001) \(fixed in 999\)", said)


def test_an_audit_that_could_ask_nobody_fails_and_says_so(advisories: Advisories, tmp_path: Path) -> None:
    advisories.stop()
    code, said = audit(tmp_path, "--vulnerability-service", "osv", "--osv-url", advisories.url)
    assert (code, said.split(":")[0]) == (2, "Nothing was audited")


@pytest.mark.parametrize(
    ("packages", "code", "said"),
    [
        # What pip-audit 2.10 prints, with exit code 0, where the package index has no advisories.
        (
            [{"name": "sqlparse", "skip_reason": "Dependency not found on PyPI and could not be audited: sqlparse (0.6.1)"}],
            2,
            "Nothing was audited: ",
        ),
        ([{"name": "sqlparse", "skip_reason": "not found"}, {"name": "idna", "version": "3", "vulns": []}], 2, "Not audited: sqlparse."),
        ([], 2, "Nothing was audited: "),
    ],
)
def test_a_package_that_was_not_audited_is_no_success(
    packages: list[dict[str, Any]], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    script = SourceFileLoader("audit", str(ROOT / ".ci" / "audit"))
    audit = module_from_spec(spec_from_loader("audit", script))
    script.exec_module(audit)
    assert audit.judge(packages) == code
    assert said in capsys.readouterr().out


def test_every_exception_from_bandit_names_its_rule_and_its_reason() -> None:
    lines = [line for folder in ("deployer", "tasks") for file in (ROOT / folder).rglob("*.py") for line in file.read_text().splitlines()]
    excepted = [line for line in lines if "# nosec" in line]
    assert len(excepted) > 5
    for line in excepted:
        assert re.search(r"# nosec B\d{3}(?:, B\d{3})*$", line), line
        reason = re.search(r"#\s(?:noqa: [A-Z]+\d+(?:, [A-Z]+\d+)*\s*-\s*)?(.+?)\s+# nosec", line)
        assert reason, line
        assert len(reason[1].split()) >= 2, line


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("import subprocess\nsubprocess.run('ls ' + input(), shell=True)\n", "B602"),
        ("import pickle\npickle.loads(input().encode())\n", "B301"),
        ("import yaml\nyaml.load(input(), yaml.Loader)\n", "B506"),
        ("import requests\nrequests.get('https://x', verify=False, timeout=1)\n", "B501"),
    ],
)
def test_bandit_with_the_projects_settings_finds_what_it_is_there_for(text: str, rule: str, tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text(text)
    command = [sys.executable, "-m", "bandit", "-q", "-r", str(tmp_path), "-c", str(ROOT / "pyproject.toml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert rule in done.stdout
