"""JSON as models write it."""

from typing import Any

import pytest

from tasks.generators.answer_shapes.loose_json import NotJson, read_value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 1} and more', {"a": 1}),
        ('{"a": "x\ny\tz"}', {"a": "x\ny\tz"}),
        ('{"a": [1, 2,], }', {"a": [1, 2]}),
        ("{'a': 'it\\'s', 'b': True, 'c': None}", {"a": "it's", "b": True, "c": None}),
        ('{"a": 1 // one\n, /* two */ "b": 2}', {"a": 1, "b": 2}),
        ('{a: "x", b-c: -1.5e3}', {"a": "x", "b-c": -1500.0}),
        ('{"a": "\\d+\\$\\x41\\u00e9\\ud83d\\ude00"\n "b": 1}', {"a": "\\d+$Aé😀", "b": 1}),
        ('{"a": """one "two"\n""", "b": `t`}', {"a": 'one "two"\n', "b": "t"}),
        ('{"a": "<p class="x">y</p>", "b": "z"}', {"a": '<p class="x">y</p>', "b": "z"}),
        ('{"files": ["say "hi" now", "b"]}', {"files": ['say "hi" now', "b"]}),
        ('{"a": {"b": [{"c": "d"}]}', {"a": {"b": [{"c": "d"}]}}),
    ],
)
def test_a_value_is_read(text: str, value: Any) -> None:
    assert read_value(text, 0).value == value


def test_a_cut_string_is_kept_and_reported() -> None:
    found = read_value('{"a": "whole", "b": "ha', 0)
    assert found.value == {"a": "whole", "b": "ha"}
    assert (found.cut, found.open_string) == (True, "ha")


def test_missing_brackets_are_no_open_string() -> None:
    found = read_value('{"a": ["b"', 0)
    assert (found.value, found.cut, found.open_string) == ({"a": ["b"]}, True, None)


@pytest.mark.parametrize("text", ["{body", "{ color: red; }", "[END FILE]", "}", "", "{" * 100_000, "[" * 100_000])
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(NotJson):
        read_value(text, 0)
