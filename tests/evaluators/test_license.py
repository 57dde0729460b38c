"""The license check."""

from __future__ import annotations

import pytest

from tasks.evaluators.base import Subject
from tasks.evaluators.license import Evaluator
from tasks.files import mit


def verdict(files: dict[str, bytes]) -> tuple[str, bool, str]:
    (finding,) = Evaluator().evaluate(Subject(files=files, brief=""))
    return finding.status, finding.guards, finding.reason


def test_the_published_license_passes() -> None:
    assert verdict({"LICENSE": mit.license_text(2026, "someone").encode()}) == ("pass", True, "")


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"LICENSE.txt": mit.license_text(2026, "x").encode()},
        {"LICENSE": b"MIT License\n\nPermission is hereby granted, free of charge [...]"},
        {"LICENSE": b"\xff\xfe\x00"},
    ],
)
def test_no_license_or_a_shortened_one_guards_publishing(files: dict[str, bytes]) -> None:
    status, guards, reason = verdict(files)
    assert (status, guards) == ("fail", True)
    assert "LICENSE" in reason
