"""Every shape of answer: one file a shape in `answers/`, beside it what must come of it."""

import base64
import contextlib
import json
import random
import time
from pathlib import Path
from typing import Any

import pytest

from tasks.errors import AnswerUnusable
from tasks.generators.answers import parse, render

FOLDER = Path(__file__).parent / "answers"
NAMES = sorted(path.stem for path in FOLDER.glob("*.txt"))


def read_case(name: str) -> tuple[str, dict[str, Any]]:
    return (FOLDER / f"{name}.txt").read_bytes().decode("utf-8"), json.loads((FOLDER / f"{name}.expected.json").read_text("utf-8"))


def to_bytes(content: str | dict[str, str]) -> bytes:
    return content.encode() if isinstance(content, str) else base64.b64decode(content["base64"])


def options(expected: dict[str, Any]) -> dict[str, Any]:
    base = {path: to_bytes(content) for path, content in expected.get("base", {}).items()}
    return {"base": base, "attachments": expected.get("attachments", ()), "allow_workflows": expected.get("allow_workflows", False)}


@pytest.mark.parametrize("name", NAMES)
def test_a_shape_gives_its_files(name: str) -> None:
    text, expected = read_case(name)
    if "unusable" in expected:
        with pytest.raises(AnswerUnusable, match=expected["unusable"]):
            parse(text, **options(expected))
        return
    parsed = parse(text, **options(expected))
    if "files_only" in expected:
        assert sorted(parsed.files) == sorted(expected["files_only"])
        for path, start in expected.get("starts", {}).items():
            assert parsed.files[path].decode().startswith(start)
    else:
        assert parsed.files == {path: to_bytes(content) for path, content in expected.get("files", {}).items()}
    assert parsed.shape == expected["shape"]
    assert parsed.copies == expected.get("copies", {})
    assert list(parsed.deleted) == expected.get("deleted", [])
    assert [dropped for dropped, reason in parsed.dropped if reason] == expected.get("dropped", [])
    assert [failed for failed, reason in parsed.failed_edits if reason] == expected.get("failed_edits", [])
    assert parsed.truncated == expected.get("truncated", False)


def test_every_shape_has_its_expectation() -> None:
    assert len(NAMES) >= 45
    assert {path.name.removesuffix(".expected.json") for path in FOLDER.glob("*.json")} == set(NAMES)


NASTY = {
    "index.html": b"<!DOCTYPE html>\n<html>\n<pre>&lt;file path=&quot;x&quot;&gt;</pre>\n<script>\nlet a = `</script-ish>`;\n</script>\n</html>\n",
    "format.md": b'# Format\n\n<file path="a.txt">\ntext\n</file>\n\nand\n\n</file>\n<delete path="index.html"/>\n',
    "unclosed.md": b'<file path="only-opened.txt">\n\n```html\nnever closed\n',
    "fences.md": b"```bash\nmake\n```\n\n````md\n```js\n```\n````\n",
    "wrapped.js": b"```js\nlet wholeFileIsAFence = true;\n```\n",
    "escaped.html": b"&lt;!doctype html&gt;\n",
    "one-line.js": b'alert(\\"a\\");\\nalert(2);\\nalert(3);\n',
    "base64.svg": b"PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciLz4=\n",
    "search.md": b"<<<<<<< SEARCH\na\n=======\nb\n>>>>>>> REPLACE\n",
    "left-out.js": b"// ... rest of the code unchanged ...\n",
    "crlf.csv": b"a,b\r\n1,2\r\n",
    "uid.txt": b"no line end",
    "blank.txt": b"\n\n\n",
    "empty.txt": b"",
    "spaces.py": b"def f():\n    return 1   \n\n\n",
    "dot.png": b"\x89PNG\r\n\x1a\n\x00\xff",
    "umlaut.json": '{"größe": "1\u202f000 €", "bom": "\ufeff"}\n'.encode(),
    "tags.xml": b'<files>\n  <file path="x"><![CDATA[ ]]></file>\n</files>\n',
    "end.txt": b"=== end of file 1 ===\n</file>\n",
}


def test_rendered_files_are_read_back_byte_for_byte() -> None:
    assert parse(render(NASTY)).files == NASTY


@pytest.mark.parametrize("path", NASTY)
def test_a_nasty_file_is_read_back_alone(path: str) -> None:
    assert parse(render({path: NASTY[path]})).files == {path: NASTY[path]}


@pytest.mark.parametrize("seed", range(20))
def test_rendered_random_lines_are_read_back(seed: int) -> None:
    chance = random.Random(seed)
    lines = sorted({line for content in NASTY.values() for line in content.decode("utf-8", "ignore").replace("\r", "").split("\n")})
    files = {f"f{number}.md": ("\n".join(chance.choices(lines, k=chance.randint(1, 12))) + "\n").encode() for number in range(6)}
    assert parse(render(files)).files == files


@pytest.mark.parametrize("seed", range(200))
def test_a_damaged_answer_raises_nothing_unknown(seed: int) -> None:
    chance = random.Random(seed)
    text, expected = read_case(chance.choice(NAMES))
    pieces = [
        "```",
        "```html\n",
        "</file>\n",
        '<file path="a.js">\n',
        "<![CDATA[",
        "]]>",
        "{",
        '"',
        "\\",
        "=======\n",
        "<<<<<<< SEARCH\n",
        "\x00",
        "\ud800",
        "@@ -1 +1 @@\n",
    ]
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(text) + 1)
        text = chance.choice([text[:at], text[at:], text[:at] + chance.choice(pieces) + text[at:], text[:at] + text[at + chance.randint(1, 30) :]])
    try:
        parsed = parse(text, **options(expected))
    except AnswerUnusable as unusable:
        assert unusable.message
        return
    assert all(isinstance(content, bytes) for content in parsed.files.values())
    assert not set(parsed.files) & set(parsed.deleted)


REPEATED = [
    "<p>line</p>\n",
    "### `a.js`\n```js\nlet a = 1;\n```\n",
    "```\n",
    "```html\n<!doctype html>\n```\n",
    "```markdown\n# x\n```bash\nx\n```\n",
    '<file path="a.js">\nx\n</file>\n',
    '<file path="a.js"><![CDATA[\n',
    '<file path="a.js" until="x">\n',
    "</file>\n",
    "<path>a.js</path><content>",
    '{"a.js": "x" y "z", ',
    '{"a.js":"\\',
    "{\n",
    "---a.js---\nx\n",
    "<<<<<<< SEARCH\nx\n=======\ny\n>>>>>>> REPLACE\n",
    "--- a/x.js\n+++ b/x.js\n@@ -1 +1 @@\n-a\n+b\n",
    "// ... existing code\n",
    "<script src=",
    "QUJD",
    '\\n\\"',
    "&lt;",
    " ",
    " \n",
    "x",
]


@pytest.mark.parametrize("unit", REPEATED)
@pytest.mark.parametrize("before", ["", '<file path="a.html">\n', '{"a.html": "', "```html\n<!doctype html>\n"])
def test_the_time_grows_with_the_length_and_no_faster(unit: str, before: str) -> None:
    def seconds(length: int) -> float:
        text = before + unit * (length // len(unit))
        start = time.process_time()
        with contextlib.suppress(AnswerUnusable):
            parse(text)
        return time.process_time() - start

    short = max(seconds(4_000), 0.002)
    # Eight times the text; a square would take 64 times as long, on top of the least time above. A busy machine may disturb one try.
    assert any(seconds(32_000) < 8 * 5 * short for _ in range(5))


def test_two_megabytes_take_a_time_in_proportion() -> None:
    page = read_case("01-bare-page")[0]

    def seconds(length: int) -> float:
        text = '<file path="index.html">\n' + page * (length // len(page)) + "</file>\n"
        start = time.process_time()
        assert len(parse(text).files["index.html"]) > 0.9 * length
        return time.process_time() - start

    assert seconds(2_000_000) < 10 * 4 * max(seconds(200_000), 0.01)
