"""Python programs are read; those that are to run are run, in the sandbox and nowhere else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tasks.evaluators.base import Finding, Subject
from tasks.evaluators.python import Evaluator
from tasks.runners import get_runner

MEND = "Commit make.py after fixing the error in it. It runs: python make.py > out.json"


def findings(files: dict[str, bytes], brief: str = "Write make.py.", attachments: dict[str, bytes] | None = None) -> dict[str, Finding]:
    return {finding.title: finding for finding in Evaluator().evaluate(Subject(files=files, brief=brief, attachments=attachments or {}))}


def test_a_program_that_can_be_read_passes() -> None:
    assert findings({"make.py": b"\xef\xbb\xbfprint('\xc3\xa4 \\d')\r\n", "a.txt": b"("})["make.py is valid Python"].status == "pass"


def test_a_syntax_error_is_told_with_its_line() -> None:
    finding = findings({"make.py": b"a = 1\nif a\n    print(a)\n"})["make.py is valid Python"]
    assert finding.status == "fail"
    assert finding.reason == "make.py: line 2: expected ':' in `if a`."


@pytest.mark.parametrize("data", [b"", b"\x00\x01", b"(" * 5000, b"-" * 200_000 + b"1", b"x = '''", b"x = 1\n" * 100_000])
def test_what_cannot_be_read_fails_without_harm(data: bytes) -> None:
    assert findings({"make.py": data})["make.py is valid Python"].status == "fail"


REFUSED = get_runner("sandbox").unavailable()
sandboxed = pytest.mark.skipif(bool(REFUSED) and os.environ.get("REQUIRE_SERVICES") != "1", reason=REFUSED)
TITLE = "make.py runs in the sandbox"


@sandboxed
def test_a_program_that_is_to_run_is_run_beside_the_pages_files_and_nowhere_else(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    program = f"""
try: open({str(mark)!r}, "w")
except OSError: print("no way out")
print(open("data.csv").read())
"""
    found = findings({"make.py": program.encode(), "data.csv": b"a,1"}, MEND)[TITLE]
    assert (found.status, found.evidence["stdout"]) == ("pass", "no way out\na,1")
    assert not mark.exists()


@sandboxed
def test_a_program_that_does_not_run_fails_with_what_it_said() -> None:
    found = findings({"make.py": b"import json\nprint(json.nothing)"}, MEND)[TITLE]
    assert found.status == "fail"
    assert "It ended with code 1." in found.reason
    assert "AttributeError: module 'json' has no attribute 'nothing'" in found.reason


@sandboxed
def test_a_package_that_the_sandbox_lacks_is_no_fault_of_the_page_but_a_missing_file_is() -> None:
    lacking = findings({"make.py": b"import pandas_of_tomorrow"}, MEND)[TITLE]
    assert (lacking.status, lacking.reason) == ("skipped", "It needs pandas_of_tomorrow, which the sandbox does not have.")
    assert findings({"make.py": b"import helper.deep", "helper.py": b""}, MEND)[TITLE].status == "fail"


def test_where_no_program_can_be_run_it_is_skipped_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.runners.sandbox._refusal", lambda: "bubblewrap is not installed.")
    found = findings({"make.py": b"print(1)"}, MEND)[TITLE]
    assert (found.status, found.reason) == ("skipped", "It was read but not run: bubblewrap is not installed.")


def test_ruff_reads_what_the_brief_wants_linted() -> None:
    title = "make.py passes ruff"
    assert title not in findings({"make.py": b"import os"})
    brief = "Write make.py; CI runs ruff on it."
    assert findings({"make.py": b"print(1)\n"}, brief)[title].status == "pass"
    found = findings({"make.py": b"import os\n"}, brief)[title]
    assert found.status == "fail"
    assert "`os` imported but unused" in found.reason


def test_a_program_that_nobody_wants_run_is_not_said_to_be_skipped() -> None:
    assert list(findings({"make.py": b"x = 1\n"}, "Show make.py with its line numbers.")) == ["make.py is valid Python"]


def test_a_program_published_as_it_was_posted_is_not_judged() -> None:
    assert findings({"make.py": b"if"}, "Show make.py with its line numbers.", {"make.py": b"if"}) == {}


def test_one_that_is_to_be_mended_may_not_stay_as_it_was() -> None:
    title = "make.py is changed as the brief asks"
    assert findings({"make.py": b"x = 1\n"}, MEND, {"make.py": b"x = 1\n"})[title].status == "fail"
    assert findings({"make.py": b"x = 2\n"}, MEND, {"make.py": b"x = 1\n"})[title].status == "pass"
