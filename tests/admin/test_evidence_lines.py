"""Evidence of any shape as lines to read."""

import pytest

from tasks.admin.evidence_lines import MOST_CHARACTERS, MOST_ITEMS, MOST_LINES, lines


def told(evidence) -> list[tuple[int, str, str]]:
    return [(line.depth, line.name, line.text or " | ".join(text for _, text in line.said)) for line in lines(evidence)]


@pytest.mark.parametrize("nothing", [None, "", {}, []])
def test_no_evidence_gives_no_line(nothing):
    assert lines(nothing) == []


def test_names_and_values_stand_beside_each_other():
    assert told({"value": "false", "count": 3, "ok": True, "none": None, "empty": ""}) == [
        (0, "value", "false"),
        (0, "count", "3"),
        (0, "ok", "true"),
        (0, "none", "null"),
        (0, "empty", "(empty)"),
    ]


def test_what_is_nested_is_indented():
    assert told({"seen": {"#total": {"count": 1}}}) == [(0, "seen", ""), (1, "#total", ""), (2, "count", "1")]


def test_a_list_of_objects_is_numbered_with_one_object_a_line():
    assert told({"violations": [{"id": "region", "count": 2}, {"id": "list", "count": 1}]}) == [
        (0, "violations", ""),
        (1, "1.", "id: region | count: 2"),
        (1, "2.", "id: list | count: 1"),
    ]
    assert [line.numbered for line in lines({"a": [{"b": 1}], "c.": 1})] == [False, True, False]


def test_lists_in_lists_are_shown():
    assert told([["a", "b"], [["c"]]]) == [(0, "1.", "a | b"), (0, "2.", ""), (1, "1.", "c")]


def test_console_lines_have_the_colour_of_their_level():
    (line,) = lines({"console": ["error: x is not defined", "warning: slow", "log: ready"]})

    assert [tone for tone, _ in line.said] == ["red", "orange", ""]


def test_long_values_are_cut_and_say_so():
    (line,) = lines({"html": "x" * (MOST_CHARACTERS + 1_234)})

    assert line.text.endswith("… 1,234 more characters")


def test_long_lists_are_cut_and_say_so():
    (line,) = lines({"rows": list(range(MOST_ITEMS + 5))})

    assert len(line.said) == MOST_ITEMS + 1
    assert line.said[-1][1] == "… and 5 more"


def test_much_evidence_is_cut_as_a_whole():
    shown = lines({str(number): {"a": 1, "b": {"c": 2}, "d": 3} for number in range(100)})

    assert len(shown) == MOST_LINES + 1
    assert "and more" in shown[-1].text


def test_depth_has_an_end():
    deep: dict = {}
    inner = deep
    for _ in range(60):
        inner["x"] = {"y": [1]}
        inner = inner["x"]

    assert max(line.depth for line in lines(deep)) <= 6
