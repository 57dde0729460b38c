"""The check that attachments are published as they were posted."""

from __future__ import annotations

import pytest

from tasks.evaluators.attachments import Evaluator
from tasks.evaluators.base import Finding, Subject


def findings(files: dict[str, bytes], revised: frozenset[str] = frozenset()) -> list[Finding]:
    posted = {"uid.txt": b"106\xff", "execute.py": b"revenew\n"}
    return list(Evaluator().evaluate(Subject(files=files, brief="", attachments=posted, revised=revised)))


def test_the_posted_bytes_pass() -> None:
    assert [finding.status for finding in findings({"uid.txt": b"106\xff", "execute.py": b"revenew\n"})] == ["pass", "pass"]


@pytest.mark.parametrize("content", [b"106\xff\n", b"MTA2/w==", b""])
def test_one_byte_more_or_less_guards_publishing(content: bytes) -> None:
    finding = findings({"uid.txt": content, "execute.py": b"revenew\n"})[0]
    assert (finding.status, finding.guards) == ("fail", True)
    assert "uid.txt" in finding.reason
    assert finding.evidence["posted"] != finding.evidence["published"]


def test_another_name_is_not_enough() -> None:
    finding = findings({"assets/uid.txt": b"106\xff", "execute.py": b"revenew\n"})[0]
    assert (finding.status, finding.guards, finding.reason) == ("fail", True, "uid.txt is missing.")


def test_a_revised_one_may_differ_but_not_be_missing() -> None:
    revised = frozenset({"execute.py"})
    assert findings({"uid.txt": b"106\xff", "execute.py": b"revenue\n"}, revised)[1].status == "pass"
    assert findings({"uid.txt": b"106\xff"}, revised)[1].status == "fail"


def test_no_attachments_are_nothing_to_say() -> None:
    assert list(Evaluator().evaluate(Subject(files={}, brief=""))) == []
