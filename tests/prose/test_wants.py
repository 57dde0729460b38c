"""What a brief asks of a file in words."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.prose.skeletons import Leaf, read
from tasks.prose.wants import asked_of, shapes, word_counts


@pytest.mark.parametrize(
    ("brief", "expected"),
    [
        ("- tale.txt: Write a 200-250 word tale about a fox.", {"tale.txt": {"min": 200, "max": 250}}),
        ("- self.md: Describe the fox in three words.", {"self.md": {"min": 3, "max": 3}}),
        ("Write essay.md in exactly 500 words.", {"essay.md": {"min": 500, "max": 500}}),
        ("essay.md has between 20 and 30 words.", {"essay.md": {"min": 20, "max": 30}}),
        ("Save a summary of at least 50 words in sum.txt.", {"sum.txt": {"min": 50}}),
        ("sum.txt holds 100 words or fewer.", {"sum.txt": {"max": 100}}),
        ("Write a 50-word biography to bio.txt", {"bio.txt": {"min": 50, "max": 50}}),
        ("Write about 300 words into tale.txt.", {}),
        ("tale.txt: the first 100 words of the book.", {}),
        ("tale.txt has 100 words and every line has 5 words.", {}),
        ("Describe a.txt and b.txt in three words.", {}),
        ("Add three words to the title of index.html.", {}),
        ("Count the words of tale.txt.", {}),
    ],
)
def test_word_counts_are_read_where_the_brief_is_plain(brief: str, expected: dict[str, Any]) -> None:
    assert word_counts(brief) == expected


def test_values_beside_type_words_are_meant_literally() -> None:
    found = shapes('Fill in trip.json: {city: "Pune", days: 3, price: float (0-900), food: [str], sure: bool}')
    assert found["trip.json"] == [
        {"op": "json_keys", "path": "trip.json", "keys": ["city", "days", "price", "food", "sure"]},
        {"op": "json_compare", "path": "trip.json", "at": "city", "test": "==", "value": "Pune"},
        {"op": "json_compare", "path": "trip.json", "at": "days", "test": "==", "value": 3},
        {"op": "json_type", "path": "trip.json", "at": "price", "type": "number"},
        {"op": "json_compare", "path": "trip.json", "at": "price", "test": ">=", "value": 0.0},
        {"op": "json_compare", "path": "trip.json", "at": "price", "test": "<=", "value": 900.0},
        {"op": "json_type", "path": "trip.json", "at": "food", "type": "list"},
        {"op": "json_type", "path": "trip.json", "at": "food[*]", "type": "string"},
        {"op": "json_type", "path": "trip.json", "at": "sure", "type": "bool"},
    ]


def test_values_without_type_words_only_show_the_type() -> None:
    found = shapes('Save `rates.json` with this structure:\n`{"name": "Euro", "high": {"value": ..., "day": "..."}, "count": 0}`')
    assert found["rates.json"] == [
        {"op": "json_keys", "path": "rates.json", "keys": ["name", "high", "count"]},
        {"op": "json_type", "path": "rates.json", "at": "name", "type": "string"},
        {"op": "json_keys", "path": "rates.json", "at": "high", "keys": ["value", "day"]},
        {"op": "json_type", "path": "rates.json", "at": "count", "type": "number"},
    ]


@pytest.mark.parametrize(
    "brief",
    [
        "Save a.json. The page uses {curly} braces.",
        "Save a.json and style.css { color: red; }",
        "Save a.json: {name: whatever you like}",
        "Save a.json: {name: str",
        "Save a.json: {}",
        "Save a.json with the points.",
        "Save a.json: " + "{a: " * 500,
    ],
)
def test_braces_that_are_no_skeleton_ask_for_nothing(brief: str) -> None:
    assert shapes(brief) == {}


def test_a_skeleton_ends_where_its_brace_closes() -> None:
    assert read("see {a: int} and {b", 4) == {"a": Leaf("integer")}


def test_what_is_asked_of_a_file_is_all_of_it() -> None:
    assert [part["op"] for part in asked_of("a.txt", "a.txt: a poem of 9 words.")] == ["words"]
    assert [part["op"] for part in asked_of("a.json", "a.json: {n: int}")] == ["json_keys", "json_type"]
    assert asked_of("b.txt", "a.txt: a poem of 9 words.") == []
