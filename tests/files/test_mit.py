"""Telling the MIT license from what only looks like it."""

from __future__ import annotations

import pytest

from tasks.files import mit


@pytest.mark.parametrize("change", ["", "Permission is hereby granted", mit.license_text(2020, "x").replace("without restriction, ", "")])
def test_an_elided_license_is_not_the_license(change: str) -> None:
    assert not mit.is_mit(change)


def test_other_layouts_of_the_license_are_the_license() -> None:
    text = mit.license_text(2020, "x")
    assert mit.is_mit(text.replace("\n", "\r\n"))
    assert mit.is_mit("The MIT License (MIT)\n\n" + text.partition("\n")[2].replace('"', "“"))
    assert not mit.is_mit(text + "\nCommons Clause: the software may not be sold.")
