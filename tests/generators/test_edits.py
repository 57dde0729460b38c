"""Partial changes: matched leniently, refused when they could go to the wrong place."""

import pytest

from tasks.generators.edits import Block, EditFailed, apply_edits, apply_unified_diff, read_blocks

OLD = """def area(width, height):
    if width < 0:
        return 0
    return width * height


def edge(width, height):
    return 2 * (width + height)
"""


def blocks(*pairs: tuple[str, str]) -> str:
    return "\n".join(f"<<<<<<< SEARCH\n{search}\n=======\n{replace}\n>>>>>>> REPLACE" for search, replace in pairs)


def test_an_exact_block_replaces_its_lines() -> None:
    assert apply_edits(OLD, [("        return 0\n", "        raise ValueError(width)\n")]) == OLD.replace("return 0", "raise ValueError(width)")


def test_blocks_apply_one_after_the_other() -> None:
    assert apply_edits("a\nb\n", [("a\n", "b2\n"), ("b2\nb\n", "c\n")]) == "c\n"


def test_trailing_blanks_do_not_matter() -> None:
    assert apply_edits("a  \nb\n", [("a\nb \n", "c\n")]) == "c\n"


def test_indentation_does_not_matter_and_is_given_to_the_replacement() -> None:
    changed = apply_edits(OLD, [("if width < 0:\n    return 0\n", "if width < 0:\n    width = 0\n")])
    assert "    if width < 0:\n        width = 0\n    return width" in changed


def test_surplus_indentation_is_taken_away() -> None:
    assert apply_edits("a\nb\n", [("    a\n    b\n", "    a\n        c\n    b\n")]) == "a\n    c\nb\n"


def test_blank_lines_around_a_block_do_not_matter() -> None:
    assert apply_edits("a\nb\nc\n", [("\na\nb\n\n", "\nx\n\n")]) == "x\nc\n"


def test_a_part_of_a_line_may_be_replaced_when_it_is_unique() -> None:
    assert apply_edits("let total = 1; // sum\n", [("total = 1", "total = 2")]) == "let total = 2; // sum\n"


def test_whole_lines_go_before_parts_of_lines() -> None:
    assert apply_edits("x = 10\nx = 1\n", [("x = 1\n", "x = 2\n")]) == "x = 10\nx = 2\n"


def test_lines_that_occur_twice_are_refused() -> None:
    with pytest.raises(EditFailed, match="change 2: the lines to replace occur more than once"):
        apply_edits("a\nb\na\n", [("b\n", "c\n"), ("a\n", "d\n")])


def test_a_near_match_does_not_rescue_an_ambiguous_exact_one() -> None:
    with pytest.raises(EditFailed):
        apply_edits("a\na\n", [("a\n", "b\n")])


def test_lines_that_are_not_there_are_refused() -> None:
    with pytest.raises(EditFailed) as failed:
        apply_edits(OLD, [("return 1\n", "return 2\n")])
    assert failed.value.block == 1
    assert "not in the file" in failed.value.reason


def test_an_empty_search_fills_an_empty_file_only() -> None:
    assert apply_edits("", [("", "new\n")]) == "new\n"
    with pytest.raises(EditFailed, match="empty"):
        apply_edits("old\n", [("", "new\n")])


def test_an_empty_replacement_deletes_the_lines() -> None:
    assert apply_edits("a\nb\nc\n", [("b\n", "")]) == "a\nc\n"


def test_blocks_are_read_with_prose_and_fences_between_them() -> None:
    text = "First:\n```py\n" + blocks(("a", "b")) + "\n```\nthen\n" + blocks(("c\nd", "")).replace("\n\n>", "\n>")
    assert read_blocks(text) == [Block(("a",), ("b",)), Block(("c", "d"), ())]


def test_marker_lines_of_other_lengths_and_words_are_known() -> None:
    assert read_blocks("<<<<<<<< ORIGINAL\na\n========\nb\n>>>>>>>> UPDATED\n") == [Block(("a",), ("b",))]


def test_a_block_that_is_cut_off_is_refused() -> None:
    with pytest.raises(EditFailed, match="cut off"):
        read_blocks("<<<<<<< SEARCH\na\n=======\nb\n")


def test_a_block_without_a_divider_is_refused() -> None:
    with pytest.raises(EditFailed, match="======="):
        read_blocks("<<<<<<< SEARCH\na\n>>>>>>> REPLACE\n")


def test_an_underlined_heading_is_not_taken_for_the_divider() -> None:
    old = "Harbour\n=======\n\nOld text.\n"
    text = blocks(("Harbour\n=======\n\nOld text.", "Harbour\n=======\n\nNew text."))
    assert apply_edits(old, read_blocks(text)) == "Harbour\n=======\n\nNew text.\n"


def test_a_diff_with_wrong_line_numbers_applies() -> None:
    header = "--- a/x.py\n+++ b/x.py\n@@ -90,3 +90,3 @@ def area\n"
    diff = header + "     if width < 0:\n-        return 0\n+        return None\n     return width * height\n"
    assert apply_unified_diff(OLD, diff) == OLD.replace("return 0", "return None")


def test_several_hunks_apply_and_bare_headers_are_enough() -> None:
    first = "@@ @@\n-    return width * height\n+    return abs(width * height)\n"
    diff = first + "@@ ... @@\n-    return 2 * (width + height)\n+    return 2 * abs(width + height)\n"
    assert apply_unified_diff(OLD, diff) == OLD.replace("width * height", "abs(width * height)").replace("(width + height)", "abs(width + height)")


def test_wrong_context_is_left_away() -> None:
    diff = "@@ -1,3 +1,3 @@\n def something_else():\n-        return 0\n+        return None\n     return width * height\n"
    assert apply_unified_diff(OLD, diff) == OLD.replace("return 0", "return None")


def test_the_line_number_chooses_between_equal_places() -> None:
    assert apply_unified_diff("a\nb\na\nb\na\nb\n", "@@ -3,2 +3,2 @@\n a\n-b\n+c\n") == "a\nb\na\nc\na\nb\n"


def test_equal_places_without_a_line_number_are_refused() -> None:
    with pytest.raises(EditFailed, match="more than once"):
        apply_unified_diff("a\nb\na\nb\n", "@@ @@\n a\n-b\n+c\n")


def test_lines_are_added_beside_their_context() -> None:
    assert apply_unified_diff("a\nb\n", "@@ -1,2 +1,3 @@\n a\n+x\n b\n\\ No newline at end of file\n") == "a\nx\nb\n"


def test_added_lines_without_context_fill_an_empty_file_only() -> None:
    assert apply_unified_diff("", "@@ -0,0 +1,2 @@\n+a\n+b\n") == "a\nb\n"
    with pytest.raises(EditFailed, match="does not say where"):
        apply_unified_diff("x\n", "@@ -1,0 +2,1 @@\n+a\n")


def test_a_hunk_that_fits_nowhere_is_named() -> None:
    with pytest.raises(EditFailed, match="change 2"):
        apply_unified_diff("a\nb\n", "@@ -1 +1 @@\n-a\n+c\n@@ -2 +2 @@\n-z\n+y\n")


def test_a_diff_without_hunks_is_refused() -> None:
    with pytest.raises(EditFailed):
        apply_unified_diff("a\n", "--- a/x\n+++ b/x\n")
