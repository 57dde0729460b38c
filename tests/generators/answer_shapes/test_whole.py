"""A part left out is seen, and an honest comment is not taken for one."""

import pytest

from tasks.generators.answer_shapes.whole import left_out, looks_cut

CODE = "const a = 1;\n{}\nconst b = 2;\n"


@pytest.mark.parametrize(
    "line",
    [
        "// ... rest of the code unchanged ...",
        "// ... existing code ...",
        "  // ...existing code...",
        "// Rest of the code remains the same",
        "// rest of your JavaScript here",
        "/* … remaining styles … */",
        "# ... (rest of the file unchanged)",
        "<!-- existing content unchanged -->",
        "<!-- ... rest of the HTML ... -->",
        "{/* ... other components ... */}",
        "// existing functions...",
        "// code omitted for brevity",
        "// ... same as before",
        "... rest of the code ...",
        "// (The remaining code stays the same)",
        "// The rest of the file is unchanged.",
    ],
)
@pytest.mark.parametrize("path", ["app.js", "index.html"])
def test_a_line_that_stands_for_more_is_found(path: str, line: str) -> None:
    assert left_out(path, CODE.format(line)) == line.strip()


@pytest.mark.parametrize(
    "line",
    [
        "// ...then draw the rest",
        "// Load existing items from storage",
        "// Rendering the remaining rows...",
        "/* Existing styles */",
        "<!-- Dynamic content goes here -->",
        "<!-- Chart goes here -->",
        "// If the text is unchanged, keep the caret",
        "// other fields unchanged",
        "// remaining digits are truncated",
        "// ...rest of the props are passed on",
        "  [...existing, item]",
        "  { ...rest }",
        "  ...previous,",
        "loading.textContent = '...';",
        "<p>... and the rest is history ...</p>",
        "// No changes",
        "// ...",
        "# The content is the same for every reader of the page",
        "// same as above",
    ],
)
@pytest.mark.parametrize("path", ["app.js", "index.html", "main.py"])
def test_an_honest_line_is_left_alone(path: str, line: str) -> None:
    assert left_out(path, CODE.format(line)) == ""


@pytest.mark.parametrize("line", ["[Full MIT license text omitted]", "[... rest of the text unchanged ...]", "(rest of the README unchanged)"])
def test_a_bracketed_note_in_prose_is_found(line: str) -> None:
    assert left_out("README.md", f"# Title\n\n{line}\n") == line


@pytest.mark.parametrize(
    "line",
    [
        "The rest of the file is unchanged.",
        "// ... existing code ...",
        "See the existing content...",
        "- unchanged",
        "```\n[... rest of the code ...]\n```",
    ],
)
def test_prose_about_code_is_left_alone(line: str) -> None:
    assert left_out("README.md", f"# Title\n\n{line}\n") == ""


def test_dots_alone_count_when_the_file_was_longer() -> None:
    assert left_out("app.js", "a();\n// ...\nb();\n", "a();\n" + "c();\n" * 20 + "b();\n") == "// ..."


def test_dots_alone_do_not_count_when_the_file_was_not_longer() -> None:
    assert left_out("app.js", "a();\n// ...\nb();\n", "a();\n// ...\nb();\n") == ""


@pytest.mark.parametrize(
    ("path", "body", "cut"),
    [
        ("index.html", "<!doctype html>\n<html>\n<p>half a sen", True),
        ("index.html", "<html>\n<body></body>\n", True),
        ("index.html", "<html>\n</html>\n<!-- end -->\n", False),
        ("part.html", "<p>whole</p>\n", False),
        ("a.svg", "<svg><circle/>", True),
        ("a.json", '{"a": [1, 2', True),
        ("a.json", '{"a": [1, 2]}', False),
        ("a.js", "function f() {\n  return 1;", True),
        ("a.js", "f();\n", False),
        ("a.css", "body { color: red; }\n", False),
        ("a.md", "The sentence stops in the", True),
        ("a.md", "The sentence stops.\n", False),
    ],
)
def test_a_body_without_a_marked_end_is_judged_by_its_last_line(path: str, body: str, cut: bool) -> None:
    assert looks_cut(path, body) is cut
